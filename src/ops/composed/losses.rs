//! The losses composed of dfdx's own operations.

use std::ops::Range;

use dfdx::prelude::*;

use super::divergences::compared;
use super::{Number, Raw};
use crate::ops::cpu::logits::score_rows;
use crate::ops::logit_terms::assert_shapes;
use crate::ops::tape::read;
use crate::ops::{Critic, Head, LogitTerm, Mat, Precision, Scalar, TeacherHead, TokenScore};

/// Logits, of student and teacher each, that are in memory at a time.
const CHUNK_ELEMENTS: usize = 1 << 24;

/// Added to the squared norm of a row.
const NORM_EPSILON: f32 = 1e-12;

/// See [`crate::ops::Losses::logit_losses`].
pub fn logit_losses<T: Tape<f32, Cpu>>(
    hidden: Mat<Cpu, T>,
    head: Head<Cpu>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cpu>>,
    terms: &[(LogitTerm, f64)],
) -> (Scalar<Cpu, T>, Vec<f64>) {
    let rows = (CHUNK_ELEMENTS / head.matrix.shape().0).max(1);
    logit_losses_by(rows, hidden, head, targets, teacher, terms)
}

/// The same in chunks of `chunk` tokens. Each chunk goes forward and backward on a tape of its own;
/// what the caller's tape gets is the sum of x·∂loss/∂x, whose gradient is the same, with its
/// value put right.
fn logit_losses_by<T: Tape<f32, Cpu>>(
    chunk: usize,
    hidden: Mat<Cpu, T>,
    head: Head<Cpu>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cpu>>,
    terms: &[(LogitTerm, f64)],
) -> (Scalar<Cpu, T>, Vec<f64>) {
    assert_shapes(&hidden, head, targets, teacher, terms);
    let head = plain(head);
    let device = hidden.device().clone();
    let tokens = targets.len();
    let (hidden, outer) = hidden.tensor.split_tape();
    let mut values = vec![0.0; terms.len()];
    let mut surrogate: Number<T> = device.zeros().put_tape(outer);
    let mut head_gradient: Option<Raw> = None;
    for start in (0..tokens).step_by(chunk) {
        let rows = start..tokens.min(start + chunk);
        let states = rows_of(hidden.clone(), rows.clone());
        let teacher = teacher.map(|teacher| teacher_logits(teacher, rows.clone()));
        let share = rows.len() as f64 / tokens as f64;
        let targets = &targets[rows.clone()];
        let part = if T::OWNS_TAPE {
            let (total, part) = chunk_losses(states.leaky_trace(), head, targets, teacher, terms);
            let gradients = (total * share as f32).backward();
            let here = rows_of(hidden.clone().put_tape(T::default()), rows);
            surrogate = surrogate + (here * gradients.get(&states)).sum();
            let gradient = gradients.get(head);
            head_gradient = Some(match head_gradient {
                None => gradient,
                Some(sum) => sum + gradient,
            });
            part
        } else {
            chunk_losses(states, head, targets, teacher, terms).1
        };
        values
            .iter_mut()
            .zip(part)
            .for_each(|(value, part)| *value += share * part);
    }
    if let Some(gradient) = head_gradient {
        surrogate = surrogate + (head.clone().put_tape(T::default()) * gradient).sum();
    }
    let total: f64 = values
        .iter()
        .zip(terms)
        .map(|(value, (_, factor))| factor * value)
        .sum();
    let offset = total - f64::from(surrogate.as_vec()[0]);
    (Scalar(surrogate + offset as f32), values)
}

/// Σ factor·value over the tokens given, and the values.
fn chunk_losses<T: Tape<f32, Cpu>>(
    hidden: Raw<T>,
    head: &Raw,
    targets: &[u32],
    teacher: Option<Raw>,
    terms: &[(LogitTerm, f64)],
) -> (Number<T>, Vec<f64>) {
    let (student, tape) = logits(hidden, head).split_tape();
    let device = student.device().clone();
    let mut total: Number<T> = device.zeros().put_tape(tape);
    let mut values = Vec::with_capacity(terms.len());
    for &(term, factor) in terms {
        let student = student.clone().put_tape(T::default());
        let value = match term {
            LogitTerm::Lm => {
                let targets: Vec<usize> = targets.iter().map(|&target| target as usize).collect();
                let targets = device.tensor_from_vec(targets, (student.shape().0,));
                student
                    .log_softmax::<Axis<1>>()
                    .select::<(usize,), _>(targets)
                    .mean::<Rank0, _>()
                    .negate()
            }
            _ => {
                let teacher = teacher.clone().expect("a term with a teacher has one");
                compared(term, student, teacher)
            }
        };
        values.push(f64::from(value.as_vec()[0]));
        total = total + value * factor as f32;
    }
    (total, values)
}

/// A head in f32.
fn plain(head: Head<'_, Cpu>) -> &Raw {
    assert_eq!(head.precision, Precision::F32, "the reference is in f32");
    &head.matrix.tensor
}

/// Some rows of a matrix.
fn rows_of<T: Tape<f32, Cpu>>(x: Raw<T>, rows: Range<usize>) -> Raw<T> {
    let columns = x.shape().1;
    x.slice((rows, ..columns))
}

/// A teacher's logits of some tokens, (rows, V).
fn teacher_logits(teacher: TeacherHead<'_, Cpu>, rows: Range<usize>) -> Raw {
    let states = rows_of(teacher.hidden.tensor.clone(), rows);
    logits(states, plain(teacher.head))
}

/// hidden·headᵀ, (rows, V).
fn logits<T: Tape<f32, Cpu>>(hidden: Raw<T>, head: &Raw) -> Raw<T> {
    let (hidden, tape) = hidden.split_tape();
    let head = head.clone().put_tape(tape).permute::<_, Axes2<1, 0>>();
    // The transposed view keeps the head's id, so that its gradient arrives at the head.
    let (head, tape) = head.split_tape();
    hidden.put_tape(tape).matmul(head)
}

/// See [`crate::ops::Losses::score`].
pub fn score(
    hidden: &Mat<Cpu>,
    head: Head<Cpu>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cpu>>,
) -> Vec<TokenScore> {
    assert_shapes(hidden, head, targets, teacher, &[]);
    let head = plain(head);
    let vocabulary = head.shape().0;
    let chunk = (CHUNK_ELEMENTS / vocabulary).max(1);
    let mut scores = Vec::with_capacity(targets.len());
    for start in (0..targets.len()).step_by(chunk) {
        let rows = start..targets.len().min(start + chunk);
        let student = logits(rows_of(hidden.tensor.clone(), rows.clone()), head);
        let student = read(&Mat::new(student));
        let teacher = teacher.map(|teacher| read(&Mat::new(teacher_logits(teacher, rows.clone()))));
        scores.extend(score_rows(
            &student,
            teacher.as_deref(),
            &targets[rows],
            vocabulary,
        ));
    }
    scores
}

/// Divides every row by √(Σ² + 1e-12).
fn normalized<T: Tape<f32, Cpu>>(x: Raw<T>) -> Raw<T> {
    let shape = *x.shape();
    let norms = (x.with_empty_tape().square().sum::<(usize,), Axis<1>>() + NORM_EPSILON).sqrt();
    x / norms.broadcast_like::<_, Axis<1>>(&shape)
}

/// A scalar and its value.
fn with_value<T: Tape<f32, Cpu>>(loss: Number<T>) -> (Scalar<Cpu, T>, f64) {
    let value = f64::from(loss.as_vec()[0]);
    (Scalar(loss), value)
}

/// See [`crate::ops::Losses::hidden_mse`].
pub fn hidden_mse<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
    normalize: bool,
) -> (Scalar<Cpu, T>, f64) {
    let (rows, columns) = *x.shape();
    let (x, target) = (x.tensor, target.tensor.clone());
    let (squares, count) = if normalize {
        ((normalized(x) - normalized(target)).square(), rows)
    } else {
        ((x - target).square(), rows * columns)
    };
    with_value(squares.sum::<Rank0, _>() * (1.0 / count as f64) as f32)
}

/// See [`crate::ops::Losses::hidden_cosine`].
pub fn hidden_cosine<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
) -> (Scalar<Cpu, T>, f64) {
    let rows = x.shape().0;
    let cosines = normalized(x.tensor) * normalized(target.tensor.clone());
    let cosines = cosines.sum::<Rank0, _>();
    with_value(cosines * (-1.0 / rows as f64) as f32 + 1.0)
}

/// See [`crate::ops::Losses::critic_term`].
pub fn critic_term<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
    critic: &Critic,
) -> (Scalar<Cpu, T>, f64) {
    let real = f64::from(mean_of_critic(target.tensor.clone(), critic).as_vec()[0]);
    let student = mean_of_critic(x.tensor, critic);
    let value = real - f64::from(student.as_vec()[0]);
    (Scalar(student.negate() + real as f32), value)
}

/// mean f(x).
fn mean_of_critic<T: Tape<f32, Cpu>>(x: Raw<T>, critic: &Critic) -> Number<T> {
    let device = x.device().clone();
    let (rows, width, slope) = (
        x.shape().0,
        critic.settings.width,
        critic.settings.slope as f32,
    );
    let weights = critic.effective();
    let mut x = x;
    for layer in &critic.layout.layers {
        let weight = weights[layer.weight.clone()].to_vec();
        let weight: Raw = device.tensor_from_vec(weight, (layer.input, width));
        let bias = device.tensor_from_vec(weights[layer.bias.clone()].to_vec(), (width,));
        let z = x.matmul(weight) + bias.broadcast_like::<_, Axis<0>>(&(rows, width));
        let linear = z.with_empty_tape() * slope;
        x = z.relu() * (1.0 - slope) + linear;
    }
    let out = weights[critic.layout.out.clone()].to_vec();
    let out: Raw = device.tensor_from_vec(out, (width, 1));
    x.matmul(out).mean()
}

#[cfg(test)]
#[path = "losses_tests.rs"]
mod tests;
