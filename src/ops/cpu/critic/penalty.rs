//! The gradient penalty GP = mean (‖∇f(x̂)‖ − 1)² at interpolates x̂ of the pairs.
//!
//! GP needs a second derivative, but for a leaky ReLU ∇f(x̂) = u_1·W₁ᵀ (see [`super::net`]) is a
//! product of weights and constant masks, so its derivative is written out here.
//! ‖u_1·W₁ᵀ‖² = u_1·K·u_1ᵀ with K = W₁ᵀW₁ (width, width). With c = 2λ/N·(n − 1)/n for a token of
//! norm n = √(u_1·K·u_1ᵀ + 1e-12), the penalty's gradient with respect to W₁ is W₁·Σ c·u_1ᵀu_1,
//! and c·u_1·K goes back through the factors. So nothing is as wide as the input.

use rayon::prelude::*;
use std::ops::Range;

use super::column_sums::add_scaled_column_sums;
use super::net::Net;
use super::workspace::Workspace;
use crate::ops::cpu::matmul::product;
use crate::ops::cpu::product::Product;
use crate::ops::cpu::vector::dot;

/// Added to the squared norm of ∇f, so that its root has a derivative at 0.
const NORM_EPSILON: f64 = 1e-12;
/// Rows that one task works on at least.
const ROWS_PER_TASK: usize = 64;

/// What is summed over the chunks of an update.
pub(super) struct Penalty {
    /// λ/N; nothing where norms are only recorded, since the constraint is another.
    factor: Option<f64>,
    /// K = W₁ᵀW₁, (width, width).
    gram: Vec<f32>,
    /// Σ c·u_1ᵀu_1, (width, width).
    outer: Vec<f32>,
    norm_sum: f64,
    square_sum: f64,
    count: usize,
}

impl Penalty {
    pub fn new(net: &Net<'_>, factor: Option<f64>) -> Self {
        let (input, width) = (net.layout.layers[0].input, net.width);
        let mut gram = vec![0.0f32; width * width];
        product(
            Product::new(width, input, width).left_transposed(),
            net.weight(0),
            net.weight(0),
            &mut gram,
        );
        Self {
            factor,
            gram,
            outer: vec![0.0; width * width],
            norm_sum: 0.0,
            square_sum: 0.0,
            count: 0,
        }
    }

    /// Records the norms of ∇f at a chunk's `probes` interpolates, which follow its `count` student
    /// and `count` teacher rows, and adds the penalty's gradient for all weights but W₁, whose part
    /// waits for [`Penalty::finish`].
    pub fn add_chunk(
        &mut self,
        net: &Net<'_>,
        workspace: &mut Workspace,
        count: usize,
        probes: usize,
        gradient: &mut [f32],
    ) {
        let width = net.width;
        let rows = 2 * count * width..(2 * count + probes) * width;
        let Workspace {
            activations,
            factors,
            back: [back, other],
        } = workspace;
        let (back, other) = (&mut back[..rows.len()], &mut other[..rows.len()]);
        let first = &factors[0][rows.clone()];
        let norms = self.record_norms(first, back, width);
        let Some(factor) = self.factor else { return };
        // c·u_1 for the sum of outer products, and c·u_1·K in place, which then goes back through
        // the factors.
        let tasks = other
            .par_chunks_mut(width)
            .zip(back.par_chunks_mut(width))
            .zip(first.par_chunks(width))
            .zip(&norms)
            .with_min_len(ROWS_PER_TASK);
        tasks.for_each(|(((scaled, back), first), norm)| {
            let c = (2.0 * factor * (norm - 1.0) / norm) as f32;
            scaled
                .iter_mut()
                .zip(first)
                .for_each(|(scaled, u)| *scaled = c * u);
            back.iter_mut().for_each(|x| *x *= c);
        });
        let outer = Product::new(width, probes, width)
            .left_transposed()
            .accumulate();
        product(outer, first, other, &mut self.outer);
        back_through_factors(net, activations, factors, rows, [back, other], gradient);
    }

    /// Norms of ∇f for rows of u_1, `first` (probes, width); leaves u_1·K in `back`, of that shape.
    fn record_norms(&mut self, first: &[f32], back: &mut [f32], width: usize) -> Vec<f64> {
        let probes = first.len() / width;
        product(Product::new(probes, width, width), first, &self.gram, back);
        let norms: Vec<f64> = first
            .par_chunks(width)
            .zip(back.par_chunks(width))
            .with_min_len(ROWS_PER_TASK)
            .map(|(u, k)| (dot(u, k).max(0.0) + NORM_EPSILON).sqrt())
            .collect();
        self.norm_sum += norms.iter().sum::<f64>();
        self.square_sum += norms.iter().map(|norm| (norm - 1.0).powi(2)).sum::<f64>();
        self.count += probes;
        norms
    }

    /// Adds the penalty's gradient for W₁.
    pub fn finish(&self, net: &Net<'_>, gradient: &mut [f32]) {
        if self.factor.is_none() {
            return;
        }
        let layer = &net.layout.layers[0];
        product(
            Product::new(layer.input, net.width, net.width).accumulate(),
            net.weight(0),
            &self.outer,
            &mut gradient[layer.weight.clone()],
        );
    }

    /// mean (‖∇f(x̂)‖ − 1)²; 0 where the constraint is another.
    pub fn mean(&self) -> f64 {
        match self.factor {
            Some(_) => self.square_sum / self.count as f64,
            None => 0.0,
        }
    }

    /// mean ‖∇f(x̂)‖.
    pub fn mean_norm(&self) -> f64 {
        self.norm_sum / self.count as f64
    }
}

/// Carries ∂GP/∂u_1, in the first of two buffers, back through u_l = (u_{l+1}·W_{l+1}ᵀ) ⊙ m_l: adds
/// the gradients of the other weights. `rows` are those of the interpolates.
fn back_through_factors(
    net: &Net<'_>,
    activations: &[Vec<f32>],
    factors: &[Vec<f32>],
    rows: Range<usize>,
    [mut back, mut other]: [&mut [f32]; 2],
    gradient: &mut [f32],
) {
    let (width, probes) = (net.width, rows.len() / net.width);
    let outer = Product::new(width, probes, width)
        .left_transposed()
        .accumulate();
    net.mask(back, &activations[0][rows.clone()]);
    for (l, layer) in net.layout.layers.iter().enumerate().skip(1) {
        product(
            outer,
            back,
            &factors[l][rows.clone()],
            &mut gradient[layer.weight.clone()],
        );
        product(
            Product::new(probes, width, width),
            back,
            net.weight(l),
            other,
        );
        net.mask(other, &activations[l][rows.clone()]);
        std::mem::swap(&mut back, &mut other);
    }
    add_scaled_column_sums(&mut gradient[net.layout.out.clone()], back, 1.0);
}
