//! The CPU's side of the seam: fused kernels of the layers and losses, and what else works on plain
//! arrays of the host.
//!
//! A layer's kernel computes values in its forward pass and records its gradients on the tape
//! (`tape`); a loss computes both in its forward pass. All of them are made of a few pieces:
//! products of matrices (`matmul`), and functions of slices that run on the widest instructions of
//! the machine (`vector`). Every sum has a fixed order, so the bits of a result do not depend on
//! the number of threads.

use std::borrow::Cow;

use dfdx::prelude::*;

use super::critic::CriticReport;
use super::optimizer::AdamWStep;
use super::{
    Activation, AttentionForm, Backend, CloudDistance, CriticTask, GradientMap, Head, Layers,
    LogitTerm, Losses, Mat, Precision, Scalar, TeacherHead, TokenScore,
};
use critic::Critic;

mod activation;
mod adamw;
mod attention;
mod attention_kl;
pub(super) mod bf16;
mod blend;
mod cloud;
pub mod clouds;
pub mod critic;
mod decoding;
mod divergence;
mod embedding;
pub mod flow;
mod gemm;
mod hidden;
pub mod inference;
mod layer_norm;
mod linear;
mod log_probabilities;
mod logit_rows;
pub(super) mod logits;
mod matmul;
mod product;
mod tape;
mod threads;
pub mod transport;
mod vector;

pub use adamw::Moments;
pub use logits::SharedLogits;

/// Rows that go through a model together in a forward pass without a tape: few enough to stay near
/// the caches, and enough for the packing of a weight to be a small share of the products with it.
const ROWS_PER_PART: usize = 512;

impl Backend for Cpu {
    type Place = ();
    type Value = f64;
    type Gradient = Vec<f32>;
    type Moments = Moments;
    type SharedLogits = SharedLogits;
    type Critic = Critic;

    fn hardware(&self) -> Option<String> {
        None
    }

    fn free_memory(&self) -> Option<u64> {
        None
    }

    fn peak_memory(&self) -> Option<u64> {
        None
    }

    fn place(_: &Tensor<(usize, usize), f32, Self>) {}

    // Whoever asks gets what is computed.
    fn wait(&self) {}

    fn fetch(values: &[f64]) -> Vec<f64> {
        values.to_vec()
    }

    fn with_values<R>(x: &Mat<Self>, work: impl FnOnce(&[f32]) -> R) -> R {
        work(tape::values(x))
    }

    fn is_finite(x: &Mat<Self>) -> bool {
        tape::values(x).iter().all(|x| x.is_finite())
    }

    fn pick_rows(x: &Mat<Self>, rows: &[usize]) -> Mat<Self> {
        let (values, width) = (tape::values(x), x.shape().1);
        let picked = rows
            .iter()
            .flat_map(|&row| &values[row * width..(row + 1) * width]);
        tape::matrix(x.device(), rows.len(), width, picked.copied().collect())
    }

    fn stack(parts: &[&Mat<Self>]) -> Mat<Self> {
        let columns = parts[0].shape().1;
        let mut all = Vec::with_capacity(parts.iter().map(|part| tape::values(part).len()).sum());
        for part in parts {
            all.extend_from_slice(tape::values(part));
        }
        tape::matrix(parts[0].device(), all.len() / columns, columns, all)
    }

    fn take_gradient(gradients: &mut GradientMap<Self>, x: &Mat<Self>) -> Vec<f32> {
        tape::take_gradient(gradients, x)
    }

    fn add_gradient(sum: &mut Vec<f32>, gradient: &Vec<f32>) {
        adamw::add_assign(sum, gradient);
    }

    fn sum_of_squares(gradient: &Vec<f32>) -> f64 {
        adamw::sum_of_squares(gradient)
    }

    fn gradient_values(gradient: &Vec<f32>) -> Vec<f32> {
        gradient.clone()
    }

    fn moments(x: &Mat<Self>, values: Option<[Vec<f32>; 2]>) -> Moments {
        let count = tape::values(x).len();
        let [first, second] = values.unwrap_or_else(|| [vec![0.0; count], vec![0.0; count]]);
        Moments { first, second }
    }

    fn moments_values(moments: &Moments) -> [Cow<'_, [f32]>; 2] {
        [(&moments.first).into(), (&moments.second).into()]
    }

    fn adamw(x: &mut Mat<Self>, moments: &mut Moments, gradient: &Vec<f32>, step: &AdamWStep) {
        adamw::adamw(tape::values_mut(x), moments, gradient, step);
    }

    fn nothing(&self) -> Scalar<Self> {
        Scalar(self.tensor(0.0))
    }

    fn scaled<T: Tape<f32, Self>>(loss: Scalar<Self, T>, factor: f32) -> Scalar<Self, T> {
        Scalar(loss.0 * factor)
    }

    fn added<T: Tape<f32, Self>>(a: Scalar<Self, T>, b: Scalar<Self>) -> Scalar<Self, T> {
        Scalar(a.0 + b.0)
    }

    fn rows_per_part() -> Option<usize> {
        Some(ROWS_PER_PART)
    }

    // Parts of an evaluation use one core alone.
    fn evaluated_together() -> usize {
        rayon::current_num_threads()
    }

    fn on_a_worker<R: Send>(work: impl FnOnce() -> R + Send) -> R {
        threads::on_a_worker(work)
    }

    fn side_by_side<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
        threads::side_by_side(items, work);
    }

    fn in_parts<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        threads::in_parts(items, work)
    }
}

impl Layers for Cpu {
    fn embed<T: Tape<f32, Self>>(
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
        _: Precision,
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

    fn cloud_distance<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        rows: Option<&[usize]>,
        target: &Mat<Self>,
        distance: CloudDistance<'_>,
    ) -> (Scalar<Self, T>, f64) {
        cloud::cloud_distance(x, rows, target, distance)
    }

    fn lens<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        head: Head<Self>,
        teacher: TeacherHead<'_, Self>,
        temperature: f64,
    ) -> (Scalar<Self, T>, f64) {
        logits::lens(x, head, teacher, temperature)
    }

    fn attention_kl<T: Tape<f32, Self>>(
        qkv: Mat<Self, T>,
        form: AttentionForm,
        teacher: &Mat<Self>,
        of_teacher: AttentionForm,
    ) -> (Scalar<Self, T>, f64) {
        attention_kl::attention_kl(qkv, form, teacher, of_teacher)
    }

    fn mean_of(parts: &[&Mat<Self>]) -> Mat<Self> {
        blend::mean_of(parts)
    }

    fn attended(x: &Mat<Self>, parts: &[&Mat<Self>]) -> (Mat<Self>, f64) {
        blend::attended(x, parts)
    }

    fn critic_updates(tasks: &mut [CriticTask<Self>]) -> Vec<CriticReport> {
        let of_task = |task: &mut CriticTask<Self>| {
            let [student, teacher] = [task.student, task.teacher].map(tape::values);
            let rows = task.student.shape().0;
            let mut update = |index| {
                let epsilon = (task.epsilon)(index);
                critic::critic_update(task.critic, student, teacher, rows, &epsilon)
            };
            let first = update(0);
            (1..task.updates).fold(first, |_, index| update(index))
        };
        tasks.iter_mut().map(of_task).collect()
    }

    fn critic_term<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
        critic: &Critic,
    ) -> (Scalar<Self, T>, f64) {
        critic::critic_term(x, target, critic)
    }
}
