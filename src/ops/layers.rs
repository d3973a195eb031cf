//! The layers of the backend seam: embedding, layer norm, linear layers, attention.
//!
//! The provided methods are composed of dfdx's own operations ([`super::composed`]); the CPU has
//! fused kernels.

use dfdx::prelude::*;

use super::activation::Activation;
use super::precision::only_f32;
use super::{Mat, Precision, attention, bf16, composed, embedding, layer_norm, linear, tape};

/// Rows of a part: few enough to stay near the caches, and enough for the packing of a weight to be
/// a small share of the products with it.
const PART: usize = 512;

/// Operations that a transformer is made of. Gradients go to every tensor argument.
pub trait Layers: Device<f32> {
    /// The instructions of [`Precision::Bf16`], where this machine has them.
    fn bf16() -> Option<&'static str> {
        None
    }

    /// Row i is wte[token i] + wpe[i mod context]: `wte` (V, C), `wpe` (positions, C), the result
    /// (N, C). Tokens are below V and `context` is at most the positions.
    fn embed<T: Tape<f32, Self>>(
        &self,
        tape: T,
        tokens: &[u32],
        context: usize,
        wte: &Mat<Self>,
        wpe: &Mat<Self>,
    ) -> Mat<Self, T> {
        composed::embed(self, tape, tokens, context, wte, wpe)
    }

    /// (x − mean)/√(variance + ε)·gain + bias for every row of `x` (N, C); gain and bias are (1,
    /// C), the variance is that of the population.
    fn layer_norm<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        gain: &Mat<Self>,
        bias: &Mat<Self>,
        epsilon: f64,
    ) -> Mat<Self, T> {
        composed::layer_norm(x, gain, bias, epsilon)
    }

    /// Layer norm without gain and bias.
    fn standardize<T: Tape<f32, Self>>(x: Mat<Self, T>, epsilon: f64) -> Mat<Self, T> {
        composed::standardize(x, epsilon)
    }

    /// x·W + b, and its gradients, with products computed in `precision`: `x` (N, I), `weight` (I,
    /// O), `bias` (1, O).
    fn linear<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        precision: Precision,
    ) -> Mat<Self, T> {
        only_f32(precision);
        composed::linear(x, weight, bias)
    }

    /// f(x·W + b), f the activation.
    fn linear_activated<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        activation: Activation,
        precision: Precision,
    ) -> Mat<Self, T> {
        only_f32(precision);
        composed::linear_activated(x, weight, bias, activation)
    }

    /// x·W + b + residual.
    fn linear_residual<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        residual: &Mat<Self>,
        precision: Precision,
    ) -> Mat<Self, T> {
        only_f32(precision);
        composed::linear_residual(x, weight, bias, residual)
    }

    /// softmax(scale·Q·Kᵀ, causal)·V for every head: `qkv` (N, 3C) holds queries, keys and values
    /// side by side, sequences of `context` rows after each other; the result is (N, C). The scale,
    /// above 0, is 1/√d for heads of width d, unless a model says otherwise.
    fn attention<T: Tape<f32, Self>>(
        qkv: Mat<Self, T>,
        context: usize,
        heads: usize,
        scale: f32,
    ) -> Mat<Self, T> {
        composed::attention(qkv, context, heads, scale)
    }

    /// Changes the values of `x`, row by row, in place.
    fn update(x: &mut Mat<Self>, change: impl FnOnce(&mut [f32])) {
        tape::update(x, change);
    }

    /// Shows the values of `x`, row by row.
    fn look<R>(x: &Mat<Self>, at: impl FnOnce(&[f32]) -> R) -> R {
        at(&tape::read(x))
    }

    /// Rows of a forward pass without a tape that go through a model together, the others beside
    /// them: with a core for each such part no operation waits for all cores. None: all rows.
    fn part() -> Option<usize> {
        None
    }

    /// The rows of all parts, one after the other.
    fn stack(parts: &[&Mat<Self>]) -> Mat<Self> {
        tape::stack(parts)
    }

    /// The gradient of `x` after a backward pass, row by row, taken away; zeros where none arrived.
    fn take_gradient(gradients: &mut Gradients<f32, Self>, x: &Mat<Self>) -> Vec<f32> {
        tape::take_gradient(gradients, x)
    }
}

impl Layers for Cpu {
    fn bf16() -> Option<&'static str> {
        bf16::instructions()
    }

    fn embed<T: Tape<f32, Self>>(
        &self,
        tape: T,
        tokens: &[u32],
        context: usize,
        wte: &Mat<Self>,
        wpe: &Mat<Self>,
    ) -> Mat<Self, T> {
        embedding::embed(tape, tokens, context, wte, wpe)
    }

    fn layer_norm<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        gain: &Mat<Self>,
        bias: &Mat<Self>,
        epsilon: f64,
    ) -> Mat<Self, T> {
        layer_norm::layer_norm(x, gain, bias, epsilon)
    }

    fn standardize<T: Tape<f32, Self>>(x: Mat<Self, T>, epsilon: f64) -> Mat<Self, T> {
        layer_norm::standardize(x, epsilon)
    }

    fn linear<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        precision: Precision,
    ) -> Mat<Self, T> {
        linear::linear(x, weight, bias, precision)
    }

    fn linear_activated<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        activation: Activation,
        precision: Precision,
    ) -> Mat<Self, T> {
        linear::linear_activated(x, weight, bias, activation, precision)
    }

    fn linear_residual<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        residual: &Mat<Self>,
        precision: Precision,
    ) -> Mat<Self, T> {
        linear::linear_residual(x, weight, bias, residual, precision)
    }

    fn attention<T: Tape<f32, Self>>(
        qkv: Mat<Self, T>,
        context: usize,
        heads: usize,
        scale: f32,
    ) -> Mat<Self, T> {
        attention::attention(qkv, context, heads, scale)
    }

    fn part() -> Option<usize> {
        Some(PART)
    }

    fn update(x: &mut Mat<Self>, change: impl FnOnce(&mut [f32])) {
        change(tape::values_mut(x));
    }

    fn look<R>(x: &Mat<Self>, at: impl FnOnce(&[f32]) -> R) -> R {
        at(tape::values(x))
    }

    fn take_gradient(gradients: &mut Gradients<f32, Self>, x: &Mat<Self>) -> Vec<f32> {
        tape::take_gradient_cpu(gradients, x)
    }
}

#[cfg(feature = "cuda")]
impl Layers for Cuda {}
