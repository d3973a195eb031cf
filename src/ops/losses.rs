//! The losses of the backend seam: logit terms, distances of hidden states, and the critic.
//!
//! Every loss returns its value as a scalar that carries the tape, and once more for the record. A
//! loss hands gradients only to the tensors its documentation names. Every device has kernels of
//! its own; what they compute is [`super::composed::losses`], made of dfdx's operations on the CPU.

use dfdx::prelude::*;

use super::attention_form::AttentionForm;
use super::cloud_distance::CloudDistance;
use super::critic::CriticReport;
use super::logit_terms::{LogitTerm, TeacherHead, TokenScore};
use super::{Backend, Head, Mat, Scalar};

/// A critic that is to be trained, and on what.
pub struct CriticTask<'a, D: Backend> {
    pub critic: &'a mut D::Critic,
    /// (N, C).
    pub student: &'a Mat<D>,
    /// (N, C).
    pub teacher: &'a Mat<D>,
    /// Training steps.
    pub updates: usize,
    /// By step: N uniform numbers that place the interpolates ε·t + (1 − ε)·s.
    pub epsilon: &'a dyn Fn(usize) -> Vec<f32>,
}

/// Operations that end a forward pass.
pub trait Losses: Backend {
    /// Σ factor·value of the logit terms, and each value without its factor, in the order of
    /// `terms`.
    ///
    /// `hidden` (N, C) are the student's final states and `head` (V, C) its output embedding; the
    /// logits are hidden·headᵀ, and those of the teacher likewise, over the same vocabulary.
    /// `targets` are the N next tokens. Values are means over the N tokens ([`LogitTerm`] has the
    /// formulas). Gradients go to `hidden` and `head`. The logits of neither model are ever whole
    /// in memory. A term that compares with the teacher needs `teacher`.
    fn logit_losses<T: Tape<f32, Self>>(
        hidden: Mat<Self, T>,
        head: Head<Self>,
        targets: &[u32],
        teacher: Option<TeacherHead<'_, Self>>,
        terms: &[(LogitTerm, f64)],
    ) -> (Scalar<Self, T>, Vec<Self::Value>);

    /// The logits of a teacher that several students are compared with, in memory as far as is
    /// reasonable; none where a device gains nothing by it.
    fn share_logits(hidden: &Mat<Self>, head: Head<Self>) -> Option<Self::SharedLogits>;

    /// How well each of the N tokens is predicted, for evaluation; shapes as in
    /// [`Losses::logit_losses`], no gradients.
    fn score(
        hidden: &Mat<Self>,
        head: Head<Self>,
        targets: &[u32],
        teacher: Option<TeacherHead<'_, Self>>,
    ) -> Vec<TokenScore>;

    /// The mean over tokens and coordinates of (x − t)²; with `normalize` both rows are divided
    /// by their norm √(Σ² + 1e-12) first, and the squares are summed over the coordinates (= 2
    /// − 2·cos; arXiv 1908.09355). `x` and `target` are (N, C); the gradient goes to `x`.
    fn hidden_mse<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
        normalize: bool,
    ) -> (Scalar<Self, T>, Self::Value);

    /// The mean over tokens of 1 − cos(x, t), norms as √(Σ² + 1e-12). `x` and `target` are
    /// (N, C); the gradient goes to `x`.
    fn hidden_cosine<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
    ) -> (Scalar<Self, T>, Self::Value);

    /// How far two clouds of vectors are from each other; [`CloudDistance`] has the formulas.
    /// `rows` are those rows of `x` (N, C) that are compared, each once, or all where there are
    /// none given; `target` has as many rows, of C coordinates, or any number where the distance
    /// says so. The gradient goes to `x`.
    fn cloud_distance<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        rows: Option<&[usize]>,
        target: &Mat<Self>,
        distance: CloudDistance<'_>,
    ) -> (Scalar<Self, T>, Self::Value);

    /// The mean over tokens of τ²·KL(p_t ‖ p_s) at temperature τ for states of any layer: `x`
    /// (N, C) and the teacher's as their heads see them. The gradient goes to `x` alone, not to the
    /// head.
    fn lens<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        head: Head<Self>,
        teacher: TeacherHead<'_, Self>,
        temperature: f64,
    ) -> (Scalar<Self, T>, Self::Value);

    /// The mean over sequences, heads and queries of KL(A_t ‖ A_s), A the attention
    /// softmax(scale·Q·Kᵀ, causal) that [`super::Layers::attention`] has: `qkv` (N, 3C) of the
    /// student, and the teacher's, of as many heads and any width. The first query of a sequence
    /// sees one key alone and adds 0. The gradient goes to `qkv`, to its queries and keys.
    fn attention_kl<T: Tape<f32, Self>>(
        qkv: Mat<Self, T>,
        form: AttentionForm,
        teacher: &Mat<Self>,
        of_teacher: AttentionForm,
    ) -> (Scalar<Self, T>, Self::Value);

    /// The mean of matrices of one shape, at least one; no gradients.
    fn mean_of(parts: &[&Mat<Self>]) -> Mat<Self>;

    /// For every row Σ_j α_j·y_j over the rows of the matrices `parts` (N, C), α the softmax
    /// over j of x·y_j, and the mean over the rows of α's entropy in nats; no gradients.
    fn attended(x: &Mat<Self>, parts: &[&Mat<Self>]) -> (Mat<Self>, Self::Value);

    /// Trains every task's critic on its pairs, at least one step each; no gradients for either
    /// cloud. A critic minimises mean f(s) − mean f(t), with
    /// λ·GP where it is set so. What each saw in its last step, in their order.
    fn critic_updates(tasks: &mut [CriticTask<Self>]) -> Vec<CriticReport<Self::Value>>;

    /// The critic's estimate mean f(t) − mean f(x) with f fixed. `x` and `target` are (N, C); the
    /// gradient goes to `x`.
    fn critic_term<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
        critic: &Self::Critic,
    ) -> (Scalar<Self, T>, Self::Value);
}
