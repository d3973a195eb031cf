//! The gradient penalty of all critics that are trained together, as the processor's
//! `penalty.rs` has it; with another constraint, the norms alone. Its products are f32 always.

use cudarc::driver::CudaSlice;

use super::batch::Arrays;
use super::net::{CriticNets, CriticRows};
use crate::ops::Precision::F32;
use crate::ops::cuda::card::{at, card, double, int, size, word};
use crate::ops::cuda::product::CardProduct;

/// What an update sums over its chunks.
#[derive(Debug)]
pub(super) struct CardPenalty {
    /// λ/N; 0 where norms are only recorded.
    factor: f64,
    /// K = W₁ᵀW₁ of every critic, (width, width).
    gram: CudaSlice<f32>,
    /// Σ c·u_1ᵀu_1 of every critic, (width, width).
    outer: CudaSlice<f32>,
    /// ‖∇f‖ at every interpolate of every critic.
    norms: CudaSlice<f64>,
    probes: usize,
}

impl CardPenalty {
    /// For so many interpolates of every critic.
    pub fn new(nets: &CriticNets, factor: f64, probes: usize) -> Self {
        let (critics, width) = (nets.critics, nets.settings.width);
        let new = Self {
            factor,
            gram: card().scratch(critics.0 * width * width),
            outer: card().zeros(critics.0 * width * width),
            norms: card().scratch(critics.0 * probes),
            probes,
        };
        let shape = CardProduct::new([width, nets.settings.input, width], [true, false], F32);
        let weight = nets.weight(0);
        // SAFETY: the sizes are those of the first layer.
        unsafe { critics.product(shape, weight, weight, new.gram(width)) };
        new
    }

    fn gram(&self, width: usize) -> Arrays {
        Arrays::new(at(&self.gram), width * width)
    }

    fn outer(&self, width: usize) -> Arrays {
        Arrays::new(at(&self.outer), width * width)
    }

    /// Whether a mean of it is to be reported.
    pub fn is_penalised(&self) -> bool {
        self.factor > 0.0
    }

    /// The norms, and how many there are of every critic.
    pub fn norms(&self) -> (u64, usize) {
        (at(&self.norms), self.probes)
    }

    /// Records the norms at the interpolates of a chunk, which are the `count` rows behind `first`
    /// others and the first of which is the number `start` of all; adds the penalty's gradient for
    /// all weights but W₁.
    ///
    /// # Safety
    /// Every row has activations and factors, and every critic a gradient of all its parameters.
    pub unsafe fn add_chunk(
        &self,
        nets: &CriticNets,
        rows: &CriticRows,
        [first, count, start]: [usize; 3],
        gradient: Arrays,
    ) {
        let (critics, width) = (nets.critics, nets.settings.width);
        let room = || card().scratch::<f32>(critics.0 * count * width);
        let (back, other) = (room(), room());
        let of = |buffer: &CudaSlice<f32>| Arrays::new(at(buffer), count * width);
        let (back, other) = (of(&back), of(&other));
        let own = rows.factors(0).from(first * width);
        let [u, u_stride] = own.arguments();
        let arguments = [
            int(count),
            int(width),
            double(self.factor),
            u,
            u_stride,
            back.arguments()[0],
            other.arguments()[0],
            word(at(&self.norms) + (start * size_of::<f64>()) as u64),
            size(self.probes),
        ];
        let against = CardProduct::new([count, width, width], [false, false], F32);
        let outer = CardProduct::new([width, count, width], [true, false], F32).accumulate();
        // SAFETY: the sizes are those of the buffers.
        unsafe {
            critics.product(against, own, self.gram(width), back);
            critics.rows("critic_norms", count, &arguments);
            if self.is_penalised() {
                critics.product(outer, own, other, self.outer(width));
                back_through_factors(nets, rows, [first, count], [back, other], gradient);
            }
        }
    }

    /// Adds the penalty's gradient for W₁.
    ///
    /// # Safety
    /// Every critic has a gradient of all its parameters.
    pub unsafe fn finish(&self, nets: &CriticNets, gradient: Arrays) {
        if !self.is_penalised() {
            return;
        }
        let (input, width) = (nets.settings.input, nets.settings.width);
        let shape = CardProduct::new([input, width, width], [false, false], F32).accumulate();
        let into = gradient.from(nets.layout.layers[0].weight.start);
        // SAFETY: the sizes are those of the first layer.
        unsafe {
            nets.critics
                .product(shape, nets.weight(0), self.outer(width), into)
        };
    }
}

/// Carries ∂GP/∂u_1, in the first of two buffers, back through the factors: adds the gradients
/// of the other weights.
///
/// # Safety
/// As [`CardPenalty::add_chunk`].
unsafe fn back_through_factors(
    nets: &CriticNets,
    rows: &CriticRows,
    [first, count]: [usize; 2],
    [mut back, mut other]: [Arrays; 2],
    gradient: Arrays,
) {
    let (critics, width) = (nets.critics, nets.settings.width);
    let outer = CardProduct::new([width, count, width], [true, false], F32).accumulate();
    let through = CardProduct::new([count, width, width], [false, false], F32);
    let activations = |layer| rows.activations(layer).from(first * width);
    // SAFETY: as the caller promised.
    unsafe {
        nets.mask(count, activations(0), back);
        for (l, layer) in nets.layout.layers.iter().enumerate().skip(1) {
            let (factors, into) = (
                rows.factors(l).from(first * width),
                gradient.from(layer.weight.start),
            );
            critics.product(outer, back, factors, into);
            critics.product(through, back, nets.weight(l), other);
            nets.mask(count, activations(l), other);
            std::mem::swap(&mut back, &mut other);
        }
        let into = gradient.from(nets.layout.out.start);
        nets.add_columns([count, count], 1.0, back, into);
    }
}
