//! Losses that the card has no kernels for yet: computed on the host, value and gradient, and
//! handed back. `plan` refuses them on a card by name, because of the way there and back in every
//! step; so this is what the seam's methods mean here, and not a way to train.

use cudarc::driver::CudaSlice;
use dfdx::prelude::*;

use super::api::Address;
use super::card::{CardValue, at, card, double, int, word};
use super::losses::precomputed;
use crate::ops::logit_terms::{LogitTerm, TeacherHead};
use crate::ops::tape::{matrix, read};
use crate::ops::{AttentionForm, Backend, CloudDistance, Head, Losses, Mat, Precision, Scalar};

/// A copy of a matrix on the host.
pub(super) fn on_host(x: &Mat<Cuda>) -> Mat<Cpu> {
    let (rows, columns) = *x.shape();
    matrix(&Cpu::default(), rows, columns, read(x))
}

/// A loss that was computed on the host: Σ factor·value with those gradients, and the values.
fn handed_back<T: Tape<f32, Cuda>>(
    tape: T,
    device: &Cuda,
    factors: &[f64],
    values: &[f64],
    gradients: Vec<(Mat<Cuda>, Vec<f32>)>,
) -> (Scalar<Cuda, T>, Vec<CardValue>) {
    let (on_card, place) = uploaded(values);
    let upload = |(x, gradient)| (x, card().upload::<f32>(gradient));
    let gradients: Vec<(Mat<Cuda>, CudaSlice<f32>)> = gradients.into_iter().map(upload).collect();
    let loss = precomputed(tape, device, (factors, place), gradients);
    (loss, on_card)
}

/// Values of the host, as the card keeps those it computes.
fn uploaded(values: &[f64]) -> (Vec<CardValue>, Address) {
    let one_row = card().upload(values.to_vec());
    let (on_card, place) = card().values(values.len());
    let arguments = [
        int(1),
        int(values.len()),
        double(1.0),
        word(at(&one_row)),
        word(place),
    ];
    // SAFETY: one row has a value of every term.
    unsafe { card().launch("sum_values", (1, 1), 256, &arguments) };
    (on_card, place)
}

/// See [`Losses::logit_losses`].
pub(super) fn logit_losses<T: Tape<f32, Cuda>>(
    hidden: Mat<Cuda, T>,
    head: Head<Cuda>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cuda>>,
    terms: &[(LogitTerm, f64)],
) -> (Scalar<Cuda, T>, Vec<CardValue>) {
    let (hidden, tape) = hidden.split_tape();
    let (own, own_head) = (on_host(&hidden), on_host(head.matrix));
    let of_teacher = teacher.map(|teacher| (on_host(teacher.hidden), on_host(teacher.head.matrix)));
    // The host need not have the card's precision.
    let plain = |matrix| Head {
        matrix,
        precision: Precision::F32,
    };
    let teacher = of_teacher
        .as_ref()
        .map(|(hidden, head)| TeacherHead::new(hidden, plain(head)));
    let traced = own.leaky_trace();
    let (loss, values) = Cpu::logit_losses(traced, plain(&own_head), targets, teacher, terms);
    let mut found = loss.backward();
    let mut gradient = |x: &Mat<Cpu>| Cpu::take_gradient(&mut found, x);
    let gradients = vec![
        (hidden, gradient(&own)),
        (head.matrix.clone(), gradient(&own_head)),
    ];
    let factors: Vec<f64> = terms.iter().map(|&(_, factor)| factor).collect();
    handed_back(tape, head.matrix.device(), &factors, &values, gradients)
}

/// See [`Losses::cloud_distance`].
pub(super) fn cloud_distance<T: Tape<f32, Cuda>>(
    x: Mat<Cuda, T>,
    rows: Option<&[usize]>,
    target: &Mat<Cuda>,
    distance: CloudDistance<'_>,
) -> (Scalar<Cuda, T>, CardValue) {
    let (x, tape) = x.split_tape();
    let own = on_host(&x);
    let (loss, value) = Cpu::cloud_distance(own.leaky_trace(), rows, &on_host(target), distance);
    let gradient = Cpu::take_gradient(&mut loss.backward(), &own);
    let device = target.device();
    let (loss, mut values) = handed_back(tape, device, &[1.0], &[value], vec![(x, gradient)]);
    (loss, values.swap_remove(0))
}

/// See [`Losses::lens`].
pub(super) fn lens<T: Tape<f32, Cuda>>(
    x: Mat<Cuda, T>,
    head: Head<Cuda>,
    teacher: TeacherHead<'_, Cuda>,
    temperature: f64,
) -> (Scalar<Cuda, T>, CardValue) {
    let (x, tape) = x.split_tape();
    let (own, own_head) = (on_host(&x), on_host(head.matrix));
    let (other, other_head) = (on_host(teacher.hidden), on_host(teacher.head.matrix));
    let teacher = TeacherHead::new(&other, (&other_head).into());
    let traced = own.leaky_trace();
    let (loss, value) = Cpu::lens(traced, (&own_head).into(), teacher, temperature);
    let gradient = Cpu::take_gradient(&mut loss.backward(), &own);
    let device = head.matrix.device();
    let (loss, mut values) = handed_back(tape, device, &[1.0], &[value], vec![(x, gradient)]);
    (loss, values.swap_remove(0))
}

/// See [`Losses::attention_kl`].
pub(super) fn attention_kl<T: Tape<f32, Cuda>>(
    qkv: Mat<Cuda, T>,
    form: AttentionForm,
    teacher: &Mat<Cuda>,
    of_teacher: AttentionForm,
) -> (Scalar<Cuda, T>, CardValue) {
    let (qkv, tape) = qkv.split_tape();
    let own = on_host(&qkv);
    let (loss, value) = Cpu::attention_kl(own.leaky_trace(), form, &on_host(teacher), of_teacher);
    let gradient = Cpu::take_gradient(&mut loss.backward(), &own);
    let device = teacher.device();
    let (loss, mut values) = handed_back(tape, device, &[1.0], &[value], vec![(qkv, gradient)]);
    (loss, values.swap_remove(0))
}

/// See [`Losses::mean_of`].
pub(super) fn mean_of(parts: &[&Mat<Cuda>]) -> Mat<Cuda> {
    let all: Vec<Mat<Cpu>> = parts.iter().map(|part| on_host(part)).collect();
    let mean = Cpu::mean_of(&all.iter().collect::<Vec<_>>());
    on_card(parts[0].device(), &mean)
}

/// See [`Losses::attended`].
pub(super) fn attended(x: &Mat<Cuda>, parts: &[&Mat<Cuda>]) -> (Mat<Cuda>, CardValue) {
    let all: Vec<Mat<Cpu>> = parts.iter().map(|part| on_host(part)).collect();
    let (mixed, entropy) = Cpu::attended(&on_host(x), &all.iter().collect::<Vec<_>>());
    let value = uploaded(&[entropy]).0.swap_remove(0);
    (on_card(x.device(), &mixed), value)
}

fn on_card(device: &Cuda, x: &Mat<Cpu>) -> Mat<Cuda> {
    let (rows, columns) = *x.shape();
    matrix(device, rows, columns, read(x))
}
