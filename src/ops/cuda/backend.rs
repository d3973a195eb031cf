//! The card's side of the seam: what training keeps between its steps, and where each operation is.

use std::borrow::Cow;

use cudarc::driver::{CudaSlice, DeviceSlice};
use dfdx::prelude::*;

use super::attention;
use super::buffers::{self, CardBuffer, Slice, address, empty, zero};
use super::card::{CardValue, at, card, double, float, int, size, word};
use super::critic::{self, CardCritic};
use super::host;
use super::linear::{self, After};
use super::logits;
use super::losses::{self, Distance};
use crate::ops::critic::CriticReport;
use crate::ops::logit_terms::{LogitTerm, TeacherHead, TokenScore};
use crate::ops::optimizer::AdamWStep;
use crate::ops::{
    Activation, AttentionForm, Backend, CloudDistance, CriticTask, GradientMap, Head, Layers,
    Losses, Mat, Precision, Scalar, tape,
};

/// Sums of a block each, of all of a matrix.
const PARTS: usize = 512;

/// The running means of a parameter's gradient and of its square.
#[derive(Debug, Clone)]
pub struct CardMoments {
    first: CudaSlice<f32>,
    second: CudaSlice<f32>,
}

/// Nothing is shared: a product with the teacher's head costs a card less than what is kept of it.
#[derive(Debug)]
pub enum NothingShared {}

/// Σ over `count` numbers, block by block, of what `kernel` makes of each.
fn summed(kernel: &str, count: usize, x: u64) -> CardValue {
    let parts = count.div_ceil(256).min(PARTS);
    let partial = card().scratch::<f64>(parts);
    let (mut values, place) = card().values(1);
    let first = [size(count), word(x), word(at(&partial))];
    let second = [
        int(parts),
        int(1),
        double(1.0),
        word(at(&partial)),
        word(place),
    ];
    // SAFETY: there are `count` numbers, and a place for each block.
    unsafe {
        card().launch(kernel, (parts, 1), 256, &first);
        card().launch("sum_values", (1, 1), 256, &second);
    }
    values.swap_remove(0)
}

fn count_of<T>(x: &Mat<Cuda, T>) -> usize {
    x.shape().0 * x.shape().1
}

impl Backend for Cuda {
    type Place = CardBuffer;
    type Value = CardValue;
    type Gradient = Slice;
    type Moments = CardMoments;
    type SharedLogits = NothingShared;
    type Critic = CardCritic;

    fn hardware(&self) -> Option<String> {
        Some(card().about.clone())
    }

    fn free_memory(&self) -> Option<u64> {
        card().free_memory()
    }

    fn peak_memory(&self) -> Option<u64> {
        card().peak_memory()
    }

    fn place(tensor: &Tensor<(usize, usize), f32, Self>) -> CardBuffer {
        buffers::place(tensor)
    }

    fn wait(&self) {
        card().wait();
    }

    fn fetch(values: &[CardValue]) -> Vec<f64> {
        card().fetch(values)
    }

    fn with_values<R>(x: &Mat<Self>, work: impl FnOnce(&[f32]) -> R) -> R {
        work(&tape::read(x))
    }

    fn is_finite(x: &Mat<Self>) -> bool {
        let others = summed("not_numbers", count_of(x), address(x));
        card().fetch(&[others]) == [0.0]
    }

    fn pick_rows(x: &Mat<Self>, rows: &[usize]) -> Mat<Self> {
        let columns = x.shape().1;
        assert!(
            rows.iter().all(|&row| row < x.shape().0),
            "rows that there are"
        );
        let out = empty(x.device(), rows.len(), columns);
        let rows: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
        let (count, rows) = (rows.len() * columns, card().upload(rows));
        let arguments = [
            size(count),
            int(columns),
            word(at(&rows)),
            word(address(x)),
            word(address(&out)),
        ];
        // SAFETY: the rows were checked.
        unsafe { card().launch_each("pick_rows", count, &arguments) };
        out
    }

    // Only asked for where rows go through a model in parts.
    fn stack(parts: &[&Mat<Self>]) -> Mat<Self> {
        let all: Vec<f32> = parts.iter().flat_map(|part| tape::read(*part)).collect();
        let columns = parts[0].shape().1;
        tape::matrix(parts[0].device(), all.len() / columns, columns, all)
    }

    fn take_gradient(gradients: &mut GradientMap<Self>, x: &Mat<Self>) -> Slice {
        buffers::take_gradient(gradients, x)
    }

    fn add_gradient(sum: &mut Slice, gradient: &Slice) {
        let arguments = [size(sum.len()), word(at(sum)), word(at(gradient))];
        assert_eq!(sum.len(), gradient.len(), "one size");
        // SAFETY: both have as many.
        unsafe { card().launch_each("add_all", sum.len(), &arguments) };
    }

    fn sum_of_squares(gradient: &Slice) -> CardValue {
        summed("squares", gradient.len(), at(gradient))
    }

    fn gradient_values(gradient: &Slice) -> Vec<f32> {
        card().download(gradient)
    }

    fn moments(x: &Mat<Self>, values: Option<[Vec<f32>; 2]>) -> CardMoments {
        let zeros = || vec![0.0; count_of(x)];
        let [first, second] = values.unwrap_or_else(|| [zeros(), zeros()]);
        CardMoments {
            first: card().upload(first),
            second: card().upload(second),
        }
    }

    fn moments_values(moments: &CardMoments) -> [Cow<'_, [f32]>; 2] {
        [
            card().download(&moments.first).into(),
            card().download(&moments.second).into(),
        ]
    }

    fn adamw(x: &mut Mat<Self>, moments: &mut CardMoments, gradient: &Slice, step: &AdamWStep) {
        if !x.place.is_only_one() {
            // Another matrix has the same numbers, and is to keep them.
            let values = tape::read(x);
            *x = tape::matrix(x.device(), x.shape().0, x.shape().1, values);
        }
        let count = count_of(x);
        assert_eq!(count, gradient.len(), "one size");
        let numbers = [
            step.gradient_scale,
            step.keep,
            step.betas[0],
            step.betas[1],
            step.rest[0],
            step.rest[1],
            step.rate,
            step.root,
            step.eps,
        ];
        let mut arguments = vec![size(count)];
        arguments.extend(numbers.map(float));
        let places = [
            address(x),
            at(&moments.first),
            at(&moments.second),
            at(gradient),
            x.place.rounded(),
        ];
        arguments.extend(places.map(word));
        // SAFETY: all have `count` numbers, but for the last where there is none, and nobody else
        // has the first.
        unsafe { card().launch_each("adamw", count, &arguments) };
    }

    fn nothing(&self) -> Scalar<Self> {
        zero(self)
    }

    fn scaled<T: Tape<f32, Self>>(loss: Scalar<Self, T>, factor: f32) -> Scalar<Self, T> {
        losses::combined(factor, loss, None)
    }

    fn added<T: Tape<f32, Self>>(a: Scalar<Self, T>, b: Scalar<Self>) -> Scalar<Self, T> {
        losses::combined(1.0, a, Some((1.0, b)))
    }

    fn rows_per_part() -> Option<usize> {
        None
    }

    fn evaluated_together() -> usize {
        1
    }

    // One stream: what is asked for later is computed later.
    fn on_a_worker<R: Send>(work: impl FnOnce() -> R + Send) -> R {
        work()
    }

    fn side_by_side<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
        items.iter_mut().for_each(work);
    }

    fn in_parts<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        items.into_iter().map(work).collect()
    }
}

impl Layers for Cuda {
    fn embed<T: Tape<f32, Self>>(
        tape: T,
        tokens: &[u32],
        context: usize,
        wte: &Mat<Self>,
        wpe: &Mat<Self>,
    ) -> Mat<Self, T> {
        linear::embed(tape, tokens, context, wte, wpe)
    }

    fn layer_norm<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        gain: &Mat<Self>,
        bias: &Mat<Self>,
        epsilon: f64,
    ) -> Mat<Self, T> {
        linear::layer_norm(x, Some([gain, bias]), epsilon)
    }

    fn standardize<T: Tape<f32, Self>>(x: Mat<Self, T>, epsilon: f64) -> Mat<Self, T> {
        linear::layer_norm(x, None, epsilon)
    }

    fn linear<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        precision: Precision,
    ) -> Mat<Self, T> {
        linear::linear(x, weight, bias, After::Nothing, precision)
    }

    fn linear_activated<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        activation: Activation,
        precision: Precision,
    ) -> Mat<Self, T> {
        linear::linear(x, weight, bias, After::Activation(activation), precision)
    }

    fn linear_residual<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        weight: &Mat<Self>,
        bias: &Mat<Self>,
        residual: &Mat<Self>,
        precision: Precision,
    ) -> Mat<Self, T> {
        linear::linear(x, weight, bias, After::Residual(residual), precision)
    }

    fn attention<T: Tape<f32, Self>>(
        qkv: Mat<Self, T>,
        context: usize,
        heads: usize,
        scale: f32,
        precision: Precision,
    ) -> Mat<Self, T> {
        attention::attention(qkv, context, heads, scale, precision)
    }
}

impl Losses for Cuda {
    fn logit_losses<T: Tape<f32, Self>>(
        hidden: Mat<Self, T>,
        head: Head<Self>,
        targets: &[u32],
        teacher: Option<TeacherHead<'_, Self>>,
        terms: &[(LogitTerm, f64)],
    ) -> (Scalar<Self, T>, Vec<CardValue>) {
        logits::logit_losses(hidden, head, targets, teacher, terms)
    }

    fn share_logits(_: &Mat<Self>, _: Head<Self>) -> Option<NothingShared> {
        None
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
    ) -> (Scalar<Self, T>, CardValue) {
        let distance = if normalize {
            Distance::Directions
        } else {
            Distance::Squares
        };
        losses::hidden(x, target, distance)
    }

    fn hidden_cosine<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
    ) -> (Scalar<Self, T>, CardValue) {
        losses::hidden(x, target, Distance::Cosine)
    }

    fn cloud_distance<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        rows: Option<&[usize]>,
        target: &Mat<Self>,
        distance: CloudDistance<'_>,
    ) -> (Scalar<Self, T>, CardValue) {
        host::cloud_distance(x, rows, target, distance)
    }

    fn lens<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        head: Head<Self>,
        teacher: TeacherHead<'_, Self>,
        temperature: f64,
    ) -> (Scalar<Self, T>, CardValue) {
        host::lens(x, head, teacher, temperature)
    }

    fn attention_kl<T: Tape<f32, Self>>(
        qkv: Mat<Self, T>,
        form: AttentionForm,
        teacher: &Mat<Self>,
        of_teacher: AttentionForm,
    ) -> (Scalar<Self, T>, CardValue) {
        host::attention_kl(qkv, form, teacher, of_teacher)
    }

    fn mean_of(parts: &[&Mat<Self>]) -> Mat<Self> {
        host::mean_of(parts)
    }

    fn attended(x: &Mat<Self>, parts: &[&Mat<Self>]) -> (Mat<Self>, CardValue) {
        host::attended(x, parts)
    }

    fn critic_updates(tasks: &mut [CriticTask<Self>]) -> Vec<CriticReport<CardValue>> {
        critic::critic_updates(tasks)
    }

    fn critic_term<T: Tape<f32, Self>>(
        x: Mat<Self, T>,
        target: &Mat<Self>,
        critic: &CardCritic,
    ) -> (Scalar<Self, T>, CardValue) {
        critic::critic_term(x, target, critic)
    }
}
