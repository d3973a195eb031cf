//! The CPU's side of the seam: fused kernels of the layers and losses, and what else works on plain
//! arrays of the host.
//!
//! A layer's kernel computes values in its forward pass and records its gradients on the tape
//! (`tape`); a loss computes both in its forward pass. All of them are made of a few pieces:
//! products of matrices (`matmul`), and functions of slices that run on the widest instructions of
//! the machine (`vector`). Every sum has a fixed order, so the bits of a result do not depend on
//! the number of threads.

use dfdx::prelude::*;

use super::{
    Activation, Backend, Head, Layers, LogitTerm, Losses, Mat, Precision, Scalar, SharedLogits,
    TeacherHead, TokenScore,
};
use critic::{Critic, CriticReport};

mod activation;
mod adamw;
mod attention;
pub(super) mod bf16;
pub mod clouds;
pub mod critic;
mod embedding;
mod gemm;
mod hidden;
pub mod inference;
mod layer_norm;
mod linear;
mod logit_rows;
pub(super) mod logits;
mod matmul;
mod product;
mod tape;
mod vector;

pub use adamw::{AdamW, Moments, adamw, add_assign, sum_of_squares};
pub use matmul::on_this_thread;

/// Rows that go through a model together in a forward pass without a tape: few enough to stay near
/// the caches, and enough for the packing of a weight to be a small share of the products with it.
const ROWS_PER_PART: usize = 512;

impl Backend for Cpu {
    fn bf16_instructions() -> Option<&'static str> {
        bf16::instructions()
    }

    fn update(x: &mut Mat<Self>, change: impl FnOnce(&mut [f32])) {
        change(tape::values_mut(x));
    }

    fn with_values<R>(x: &Mat<Self>, work: impl FnOnce(&[f32]) -> R) -> R {
        work(tape::values(x))
    }

    fn take_gradient(gradients: &mut Gradients<f32, Self>, x: &Mat<Self>) -> Vec<f32> {
        tape::take_gradient_cpu(gradients, x)
    }

    fn rows_per_part() -> Option<usize> {
        Some(ROWS_PER_PART)
    }
}

impl Layers for Cpu {
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
}

impl Losses for Cpu {
    fn logit_losses<T: Tape<f32, Self>>(
        hidden: Mat<Self, T>,
        head: Head<Self>,
        targets: &[u32],
        teacher: Option<TeacherHead<'_, Self>>,
        terms: &[(LogitTerm, f64)],
    ) -> (Scalar<Self, T>, Vec<f64>) {
        logits::logit_losses(hidden, head, targets, teacher, terms)
    }

    fn share_logits(hidden: &Mat<Self>, head: Head<Self>) -> Option<SharedLogits> {
        Some(logits::share_logits(hidden, head))
    }

    fn score(
        hidden: &Mat<Self>,
        head: Head<Self>,
        targets: &[u32],
        teacher: Option<TeacherHead<'_, Self>>,
    ) -> Vec<TokenScore> {
        logits::score(hidden, head, targets, teacher)
    }

    fn hidden_mse<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
        normalize: bool,
    ) -> (Scalar<Self, T>, f64) {
        hidden::hidden_mse(x, target, normalize)
    }

    fn hidden_cosine<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
    ) -> (Scalar<Self, T>, f64) {
        hidden::hidden_cosine(x, target)
    }

    fn critic_update(
        critic: &mut Critic,
        student: &Mat<Self>,
        teacher: &Mat<Self>,
        epsilon: &[f32],
    ) -> CriticReport {
        critic::critic_update(
            critic,
            tape::values(student),
            tape::values(teacher),
            student.shape().0,
            epsilon,
        )
    }

    fn critic_term<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
        critic: &Critic,
    ) -> (Scalar<Self, T>, f64) {
        critic::critic_term(x, target, critic)
    }
}
