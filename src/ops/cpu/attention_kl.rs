//! How far the attention of one model is from another's, in blocks of queries as attention itself:
//! never a T×T matrix in memory, value and gradient in one pass.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::attention::{AttentionShape, BLOCK, interleave, softmax_row};
use super::matmul::product;
use super::product::Product;
use super::tape::{precomputed, values};
use super::vector::{dispatched, sum_of_two};
use crate::ops::{AttentionForm, Mat, Scalar};

/// See [`crate::ops::Losses::attention_kl`].
pub fn attention_kl<T: Tape<f32, Cpu>>(
    qkv: Mat<Cpu, T>,
    form: AttentionForm,
    teacher: &Mat<Cpu>,
    of_teacher: AttentionForm,
) -> (Scalar<Cpu, T>, f64) {
    let shape = shape_of(*qkv.shape(), form);
    let other = shape_of(*teacher.shape(), of_teacher);
    let rows = qkv.shape().0;
    assert!(
        teacher.shape().0 == rows && (shape.context, shape.heads) == (other.context, other.heads),
        "both models have as many sequences and heads"
    );
    let tasks = rows / shape.context * shape.heads;
    // Of one query of one head.
    let share = 1.0 / (tasks * shape.context) as f64;
    let (own, others) = (values(&qkv), values(teacher));
    let parts: Vec<(f64, Vec<f32>)> = (0..tasks)
        .into_par_iter()
        .map(|task| {
            let models = [
                HeadOf::new(shape, own, task),
                HeadOf::new(other, others, task),
            ];
            divergence_of_head(models, share as f32, T::OWNS_TAPE)
        })
        .collect();
    let value = parts.iter().map(|(sum, _)| sum).sum::<f64>() * share;
    let mut gradient = Vec::new();
    if T::OWNS_TAPE {
        gradient = vec![0.0f32; own.len()];
        let pieces: Vec<&[f32]> = parts.iter().map(|(_, piece)| piece.as_slice()).collect();
        interleave(shape, &pieces, 3, &mut gradient);
    }
    let ((qkv, tape), device) = (qkv.split_tape(), teacher.device());
    (
        precomputed(tape, device, value, vec![(qkv, gradient)]),
        value,
    )
}

fn shape_of(shape: (usize, usize), form: AttentionForm) -> AttentionShape {
    AttentionShape::of(shape, form.context, form.heads, form.scale)
}

/// A head of a model on a sequence.
#[derive(Clone, Copy)]
struct HeadOf<'a> {
    shape: AttentionShape,
    queries: &'a [f32],
    keys: &'a [f32],
}

impl<'a> HeadOf<'a> {
    /// That of a (sequence, head) within all of a model's values.
    fn new(shape: AttentionShape, values: &'a [f32], task: usize) -> Self {
        let size = shape.context * 3 * shape.width;
        let sequence = &values[task / shape.heads * size..][..size];
        let [queries, keys, _] = shape.parts(sequence, task % shape.heads);
        Self {
            shape,
            queries,
            keys,
        }
    }

    /// Distance of two rows.
    fn stride(self) -> usize {
        3 * self.shape.width
    }

    /// Scores of the queries from `start` to `end` with the keys up to there, unscaled.
    fn scores(self, (start, end): (usize, usize), out: &mut [f32]) {
        let stride = self.stride();
        product(
            Product::new(end - start, self.shape.head(), end)
                .right_transposed()
                .strides(stride, stride, end)
                .serial(),
            &self.queries[start * stride..],
            self.keys,
            out,
        );
    }
}

/// Σ over queries of the divergence of one head of the student from the teacher's, and the
/// gradients of queries, keys and values, (3, T, d), the last of which are 0, times `share`; none
/// where they are not asked for.
fn divergence_of_head(
    [student, teacher]: [HeadOf; 2],
    share: f32,
    has_gradient: bool,
) -> (f64, Vec<f32>) {
    let shape = student.shape;
    let (context, d, stride) = (shape.context, shape.head(), student.stride());
    let scales = [shape.scale, teacher.shape.scale];
    let mut all = vec![0.0f32; if has_gradient { 3 * context * d } else { 0 }];
    let size = BLOCK.min(context) * context;
    let (mut own, mut others) = (vec![0.0f32; size], vec![0.0f32; size]);
    let mut row = QueryRow::new(context);
    let mut sum = 0.0;
    for (start, end) in shape.blocks() {
        let rows = end - start;
        let (own, others) = (&mut own[..rows * end], &mut others[..rows * end]);
        student.scores((start, end), own);
        teacher.scores((start, end), others);
        let pairs = own.chunks_exact_mut(end).zip(others.chunks_exact(end));
        for (query, (own, others)) in (start..end).zip(pairs) {
            sum += row.divergence(own, others, query + 1, scales, share);
        }
        if has_gradient {
            let (into_queries, rest) = all.split_at_mut(context * d);
            let slopes = Product::new(rows, end, d).strides(end, stride, d);
            let into = &mut into_queries[start * d..];
            product(slopes.serial(), own, student.keys, into);
            let outer = Product::new(end, rows, d).left_transposed().accumulate();
            product(
                outer.strides(end, stride, d).serial(),
                own,
                &student.queries[start * stride..],
                &mut rest[..context * d],
            );
        }
    }
    (sum, all)
}

/// Room for one query.
struct QueryRow {
    /// The teacher's probabilities, and the student's.
    p: Vec<f32>,
    q: Vec<f32>,
    /// log p − log q.
    ratio: Vec<f32>,
}

impl QueryRow {
    fn new(context: usize) -> Self {
        let row = || vec![0.0; context];
        Self {
            p: row(),
            q: row(),
            ratio: row(),
        }
    }

    /// KL(p ‖ q) over the first `count` keys; the student's scores become its gradient times
    /// `share`, 0 for masked keys.
    fn divergence(
        &mut self,
        own: &mut [f32],
        others: &[f32],
        count: usize,
        [scale, of_teacher]: [f32; 2],
        share: f32,
    ) -> f64 {
        let (seen, masked) = own.split_at_mut(count);
        let others = &others[..count];
        let (p, q) = (&mut self.p[..count], &mut self.q[..count]);
        p.copy_from_slice(others);
        q.copy_from_slice(seen);
        let logs = [
            softmax_row(q, count, scale),
            softmax_row(p, count, of_teacher),
        ];
        let ratio = &mut self.ratio[..count];
        log_ratios(ratio, seen, others, [scale, of_teacher], logs);
        slopes(seen, p, q, scale * share);
        masked.fill(0.0);
        weighted_sum(p, ratio)
    }
}

dispatched! {
    /// log p − log q, from scores, their scales and the logarithms of their sums, the student's
    /// first.
    fn log_ratios(
        ratio: &mut [f32],
        own: &[f32],
        others: &[f32],
        scales: [f32; 2],
        logs: [f32; 2],
    ) {
        for ((ratio, own), other) in ratio.iter_mut().zip(own).zip(others) {
            *ratio = (other * scales[1] - logs[1]) - (own * scales[0] - logs[0]);
        }
    }
}

dispatched! {
    /// ∂/∂score = scale·(q − p).
    fn slopes(scores: &mut [f32], p: &[f32], q: &[f32], scale: f32) {
        for ((score, p), q) in scores.iter_mut().zip(p).zip(q) {
            *score = scale * (q - p);
        }
    }
}

dispatched! {
    /// Σ p·x.
    fn weighted_sum(p: &[f32], x: &[f32]) -> f64 {
        sum_of_two(p, x, |p, x| p * x)
    }
}

#[cfg(test)]
#[path = "attention_kl_tests.rs"]
mod tests;
