//! Passes over a critic's network that its update and its term share, on the host.
//!
//! Rows are single vectors. Since σ is piecewise linear, the masks of its slopes follow from the
//! sign of the activations a_l = σ(z_l): m_l is 1 where a_l > 0 and the slope elsewhere. The
//! gradient of f with respect to its input is the product u_1·W₁ᵀ with u_D = w ⊙ m_D and u_l =
//! (u_{l+1}·W_{l+1}ᵀ) ⊙ m_l; the rows u_l are called factors here. They serve twice: as the
//! backward pass of means of f, and in the gradient penalty.

use rayon::prelude::*;

use super::layout::CriticLayout;
use super::state::Critic;
use crate::ops::Precision;
use crate::ops::cpu::matmul::product;
use crate::ops::cpu::product::Product;
use crate::ops::cpu::vector::{dispatched, dot};

/// Rows that one task works on.
const ROWS_PER_TASK: usize = 64;

/// Tokens whose activations are in memory at a time: keeps the buffers at a few MB for any batch,
/// and matrix products efficient.
pub(super) const CHUNK: usize = 512;

/// A critic's network with the weights its forward pass uses.
pub(super) struct Net<'a> {
    pub width: usize,
    pub slope: f32,
    pub layout: &'a CriticLayout,
    pub weights: &'a [f32],
    precision: Precision,
}

impl<'a> Net<'a> {
    pub fn new(critic: &'a Critic, weights: &'a [f32]) -> Self {
        Self {
            width: critic.settings.width,
            slope: critic.settings.slope as f32,
            layout: &critic.layout,
            weights,
            precision: critic.precision,
        }
    }

    /// A product of an (m, k) and a (k, n) matrix in the critic's precision.
    pub fn shape(&self, m: usize, k: usize, n: usize) -> Product {
        Product::new(m, k, n).precision(self.precision)
    }

    /// The weight of hidden layer `layer`, (input, width).
    pub fn weight(&self, layer: usize) -> &'a [f32] {
        &self.weights[self.layout.layers[layer].weight.clone()]
    }

    /// w.
    pub fn out(&self) -> &'a [f32] {
        &self.weights[self.layout.out.clone()]
    }

    /// z = x·W₁ of the first layer, without bias, for `rows` inputs.
    pub fn first_products(&self, inputs: &[f32], z: &mut [f32], rows: usize) {
        let input = self.layout.layers[0].input;
        product(
            self.shape(rows, input, self.width),
            inputs,
            self.weight(0),
            z,
        );
    }

    /// Adds the bias of `layer` to every row of `z` and applies σ in place.
    fn activate(&self, layer: usize, z: &mut [f32]) {
        let bias = &self.weights[self.layout.layers[layer].bias.clone()];
        let slope = self.slope;
        z.par_chunks_mut(ROWS_PER_TASK * self.width)
            .for_each(|rows| leaky(rows, bias, slope));
    }

    /// From z_1 in the first `rows` rows of `activations[0]` to the activations of every layer.
    pub fn forward(&self, activations: &mut [Vec<f32>], rows: usize) {
        let size = rows * self.width;
        self.activate(0, &mut activations[0][..size]);
        for layer in 1..activations.len() {
            let (below, above) = activations.split_at_mut(layer);
            product(
                self.shape(rows, self.width, self.width),
                &below[layer - 1][..size],
                self.weight(layer),
                &mut above[0][..size],
            );
            self.activate(layer, &mut above[0][..size]);
        }
    }

    /// Multiplies `values` by the masks of `activations`.
    pub fn mask(&self, values: &mut [f32], activations: &[f32]) {
        let slope = self.slope;
        let size = ROWS_PER_TASK * self.width;
        values
            .par_chunks_mut(size)
            .zip(activations.par_chunks(size))
            .for_each(|(values, activations)| masked(values, activations, slope));
    }

    /// The factors u_l of the first `rows` rows.
    pub fn factors(&self, activations: &[Vec<f32>], factors: &mut [Vec<f32>], rows: usize) {
        let (size, task) = (rows * self.width, ROWS_PER_TASK * self.width);
        let (last, out, slope) = (activations.len() - 1, self.out(), self.slope);
        factors[last][..size]
            .par_chunks_mut(task)
            .zip(activations[last].par_chunks(task))
            .for_each(|(u, a)| masked_out(u, a, out, slope));
        for layer in (0..last).rev() {
            let (below, above) = factors.split_at_mut(layer + 1);
            let u = &mut below[layer][..size];
            product(
                self.shape(rows, self.width, self.width).right_transposed(),
                &above[0][..size],
                self.weight(layer + 1),
                u,
            );
            self.mask(u, &activations[layer][..size]);
        }
    }

    /// Σ f over the rows of `last`, the activations of the last layer.
    pub fn sum(&self, last: &[f32]) -> f64 {
        let out = self.out();
        let values: Vec<f64> = last
            .par_chunks(self.width)
            .with_min_len(ROWS_PER_TASK)
            .map(|a| dot(a, out))
            .collect();
        values.iter().sum()
    }
}

dispatched! {
    /// Adds `bias` to every row and applies the leaky ReLU.
    fn leaky(rows: &mut [f32], bias: &[f32], slope: f32) {
        for row in rows.chunks_exact_mut(bias.len()) {
            for (x, b) in row.iter_mut().zip(bias) {
                let sum = *x + b;
                *x = sum * if sum > 0.0 { 1.0 } else { slope };
            }
        }
    }
}

dispatched! {
    /// values *= mask of the activations.
    fn masked(values: &mut [f32], activations: &[f32], slope: f32) {
        for (x, &a) in values.iter_mut().zip(activations) {
            *x *= if a > 0.0 { 1.0 } else { slope };
        }
    }
}

dispatched! {
    /// Each row of `factors` = w ⊙ mask of the activations.
    fn masked_out(factors: &mut [f32], activations: &[f32], out: &[f32], slope: f32) {
        for (u, a) in factors.chunks_exact_mut(out.len()).zip(activations.chunks_exact(out.len())) {
            for ((u, &a), w) in u.iter_mut().zip(a).zip(out) {
                *u = w * if a > 0.0 { 1.0 } else { slope };
            }
        }
    }
}
