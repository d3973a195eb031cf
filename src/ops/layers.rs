//! The layers of the backend seam: embedding, layer norm, linear layers, attention.
//!
//! Every device has kernels of its own; what they compute is [`super::composed::layers`], made of
//! dfdx's operations on the CPU, which their tests compare them with.

use dfdx::prelude::*;

use super::activation::Activation;
use super::{Backend, Mat, Precision};

/// Epsilon of standardised hidden states, in losses and in measures.
pub const STANDARDIZE_EPSILON: f64 = 1e-5;

/// Operations that a transformer is made of. Gradients go to every tensor argument.
pub trait Layers: Backend {
    /// Row i is wte[token i] + wpe[i mod context]: `wte` (V, C), `wpe` (positions, C), the result
    /// (N, C). Tokens are below V and `context` is at most the positions.
    fn embed<T: Tape<f32, Self>>(
        tape: T,
        tokens: &[u32],
        context: usize,
        wte: &Mat<Self>,
        wpe: &Mat<Self>,
    ) -> Mat<Self, T>;

    /// (x − mean)/√(variance + ε)·gain + bias for every row of `x` (N, C); gain and bias are
    /// (1, C), the variance is that of the population.
    fn layer_norm<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        gain: &Mat<Self>,
        bias: &Mat<Self>,
        epsilon: f64,
    ) -> Mat<Self, T>;

    /// Layer norm without gain and bias.
    fn standardize<T: Tape<f32, Self>>(x: Mat<Self, T>, epsilon: f64) -> Mat<Self, T>;

    /// x·W + b, and its gradients, with products computed in `precision`: `x` (N, I), `weight` (I,
    /// O), `bias` (1, O).
    fn linear<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        precision: Precision,
    ) -> Mat<Self, T>;

    /// f(x·W + b), f the activation.
    fn linear_activated<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        activation: Activation,
        precision: Precision,
    ) -> Mat<Self, T>;

    /// x·W + b + residual.
    fn linear_residual<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        residual: &Mat<Self>,
        precision: Precision,
    ) -> Mat<Self, T>;

    /// softmax(scale·Q·Kᵀ, causal)·V for every head: `qkv` (N, 3C) holds queries, keys and
    /// values side by side, sequences of `context` rows after each other; the result is (N, C). The
    /// scale, above 0, is 1/√d for heads of width d, unless a model says otherwise. A card
    /// computes both products, and their gradients, in `precision` where the shape allows it; on
    /// the processor attention is f32.
    fn attention<T: Tape<f32, Self>>(
        qkv: Mat<Self, T>,
        context: usize,
        heads: usize,
        scale: f32,
        precision: Precision,
    ) -> Mat<Self, T>;
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
