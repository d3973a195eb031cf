//! Causal attention on the CPU, in blocks of queries: never a T×T matrix in memory, and nothing
//! computed for the masked half beyond a block's own triangle.
//!
//! The forward pass keeps one number a query and head, the logarithm of its sum of exponentials;
//! the backward pass makes the probabilities again from it (arXiv 2205.14135).

use dfdx::prelude::*;
use rayon::prelude::*;

use super::matmul::product;
use super::product::Product;
use super::tape::{self, GradientPlace};
use super::vector::{dispatched, exp, sum_of, sum_of_two};
use crate::ops::Mat;

/// Queries of a block.
pub(super) const BLOCK: usize = 64;

/// The shape of one call.
#[derive(Clone, Copy)]
pub(super) struct AttentionShape {
    pub context: usize,
    pub heads: usize,
    /// C.
    pub width: usize,
    /// Of the scores: 1/√d, unless the model says otherwise.
    pub scale: f32,
}

impl AttentionShape {
    /// The shape of `rows` rows of 3C columns.
    pub fn of((rows, columns): (usize, usize), context: usize, heads: usize, scale: f32) -> Self {
        let width = columns / 3;
        assert!(
            rows.is_multiple_of(context),
            "{rows} rows are no whole number of sequences of {context}"
        );
        assert!(
            width.is_multiple_of(heads),
            "{heads} heads divide the width {width}"
        );
        Self {
            context,
            heads,
            width,
            scale,
        }
    }

    /// Coordinates of a head.
    pub fn head(self) -> usize {
        self.width / self.heads
    }

    /// Queries, keys and values of a head within a sequence's rows of 3C: each starts here and has
    /// rows 3C apart.
    pub fn parts(self, sequence: &[f32], head: usize) -> [&[f32]; 3] {
        [0, 1, 2].map(|part| &sequence[part * self.width + head * self.head()..])
    }

    /// The rows, of so many columns, of the sequence that a (sequence, head) belongs to.
    pub fn sequence(self, values: &[f32], task: usize, columns: usize) -> &[f32] {
        let size = self.context * columns;
        &values[task / self.heads * size..][..size]
    }

    /// Beginning and end of every block of queries.
    pub fn blocks(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.context)
            .step_by(BLOCK)
            .map(move |start| (start, self.context.min(start + BLOCK)))
    }
}

/// softmax(scale·Q·Kᵀ, causal)·V for every head: `qkv` (N, 3C) holds queries, keys and values side
/// by side, N = B·T with T = `context`; the result is (N, C).
pub fn attention<T: Tape<f32, Cpu>>(
    qkv: Mat<Cpu, T>,
    context: usize,
    heads: usize,
    scale: f32,
) -> Mat<Cpu, T> {
    let (rows, columns) = *qkv.shape();
    let shape = AttentionShape::of((rows, columns), context, heads, scale);
    let values = tape::values(&qkv);
    let parts: Vec<(Vec<f32>, Vec<f32>)> = (0..rows / context * heads)
        .into_par_iter()
        .with_max_len(1)
        .map(|task| {
            let sequence = shape.sequence(values, task, columns);
            forward_head(shape, sequence, task % heads)
        })
        .collect();
    let mut out = vec![0.0f32; rows * shape.width];
    let pieces: Vec<&[f32]> = parts.iter().map(|(out, _)| out.as_slice()).collect();
    interleave(shape, &pieces, 1, &mut out);

    let (qkv, tape) = qkv.split_tape();
    let out = tape::matrix(qkv.device(), rows, shape.width, out);
    let logs: Vec<Vec<f32>> = parts.into_iter().map(|(_, logs)| logs).collect();
    let place = GradientPlace::of(&qkv);
    tape::record(tape, out, move |gradients, incoming| {
        let parts = backward(shape, tape::values(&qkv), &incoming, &logs);
        let pieces: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
        interleave(shape, &pieces, 3, place.get(gradients)?);
        Ok(())
    })
}

/// The gradients of every (sequence, head), (3, T, d) each, from `values` (N, 3C), the `incoming`
/// gradient (N, C) and the logarithms that the forward pass kept.
fn backward(
    shape: AttentionShape,
    values: &[f32],
    incoming: &[f32],
    logs: &[Vec<f32>],
) -> Vec<Vec<f32>> {
    let (width, heads) = (shape.width, shape.heads);
    (0..logs.len())
        .into_par_iter()
        .with_max_len(1)
        .map(|task| {
            let head = task % heads;
            let sequence = shape.sequence(values, task, 3 * width);
            let incoming = &shape.sequence(incoming, task, width)[head * shape.head()..];
            backward_head(shape, sequence, incoming, head, &logs[task])
        })
        .collect()
}

/// Adds what every (sequence, head) found, (`parts`, T, d) each, to the rows of all heads side by
/// side.
pub(super) fn interleave(shape: AttentionShape, pieces: &[&[f32]], parts: usize, out: &mut [f32]) {
    let (head, size) = (shape.head(), shape.context * shape.head());
    out.par_chunks_mut(parts * shape.width)
        .enumerate()
        .with_min_len(32)
        .for_each(|(row, out)| {
            let (sequence, position) = (row / shape.context, row % shape.context);
            for part in 0..parts {
                for index in 0..shape.heads {
                    let piece = &pieces[sequence * shape.heads + index]
                        [part * size + position * head..][..head];
                    let out = &mut out[part * shape.width + index * head..][..head];
                    out.iter_mut().zip(piece).for_each(|(out, x)| *out += x);
                }
            }
        });
}

/// The output of one head, (T, d), and the logarithm of each query's sum of exponentials.
fn forward_head(shape: AttentionShape, sequence: &[f32], head: usize) -> (Vec<f32>, Vec<f32>) {
    let (d, stride, scale) = (shape.head(), 3 * shape.width, shape.scale);
    let [queries, keys, values] = shape.parts(sequence, head);
    let mut out = vec![0.0f32; shape.context * d];
    let mut logs = vec![0.0f32; shape.context];
    let mut scores = vec![0.0f32; BLOCK.min(shape.context) * shape.context];
    for (start, end) in shape.blocks() {
        let rows = end - start;
        let scores = &mut scores[..rows * end];
        product(
            Product::new(rows, d, end)
                .right_transposed()
                .strides(stride, stride, end)
                .serial(),
            &queries[start * stride..],
            keys,
            scores,
        );
        for row in 0..rows {
            logs[start + row] = softmax_row(
                &mut scores[row * end..(row + 1) * end],
                start + row + 1,
                scale,
            );
        }
        product(
            Product::new(rows, end, d).strides(end, stride, d).serial(),
            scores,
            values,
            &mut out[start * d..],
        );
    }
    (out, logs)
}

dispatched! {
    /// Makes the first `count` scores probabilities and the others 0; returns log Σ
    /// e^(scale·score).
    pub(super) fn softmax_row(row: &mut [f32], count: usize, scale: f32) -> f32 {
        let (seen, masked) = row.split_at_mut(count);
        let mut lanes = [f32::NEG_INFINITY; 16];
        for chunk in seen.chunks(16) {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = if x > *lane { x } else { *lane };
            }
        }
        let top = lanes.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for x in seen.iter_mut() {
            *x = exp((*x - top) * scale);
        }
        let total = sum_of(seen, |x| x);
        let share = (1.0 / total) as f32;
        for x in seen.iter_mut() {
            *x *= share;
        }
        masked.fill(0.0);
        top * scale + total.ln() as f32
    }
}

/// The gradients of one head's queries, keys and values, (3, T, d). `incoming` starts at the head's
/// columns of rows of C.
fn backward_head(
    shape: AttentionShape,
    sequence: &[f32],
    incoming: &[f32],
    head: usize,
    logs: &[f32],
) -> Vec<f32> {
    let (context, d, stride, scale) = (shape.context, shape.head(), 3 * shape.width, shape.scale);
    let [queries, keys, values] = shape.parts(sequence, head);
    let mut all = vec![0.0f32; 3 * context * d];
    let (into_queries, rest) = all.split_at_mut(context * d);
    let (into_keys, into_values) = rest.split_at_mut(context * d);
    let size = BLOCK.min(context) * context;
    let (mut probabilities, mut slopes) = (vec![0.0f32; size], vec![0.0f32; size]);
    for (start, end) in shape.blocks() {
        let rows = end - start;
        let (probabilities, slopes) = (&mut probabilities[..rows * end], &mut slopes[..rows * end]);
        let (queries, incoming) = (&queries[start * stride..], &incoming[start * shape.width..]);
        let scores = Product::new(rows, d, end).right_transposed().serial();
        product(
            scores.strides(stride, stride, end),
            queries,
            keys,
            probabilities,
        );
        product(
            scores.strides(shape.width, stride, end),
            incoming,
            values,
            slopes,
        );
        let pairs = probabilities
            .chunks_exact_mut(end)
            .zip(slopes.chunks_exact_mut(end));
        for (query, (scores, slopes)) in (start..end).zip(pairs) {
            backward_row(scores, slopes, query + 1, scale, logs[query]);
        }
        let outer = Product::new(end, rows, d)
            .left_transposed()
            .accumulate()
            .serial();
        product(
            outer.strides(end, shape.width, d),
            probabilities,
            incoming,
            into_values,
        );
        product(outer.strides(end, stride, d), slopes, queries, into_keys);
        product(
            Product::new(rows, end, d).strides(end, stride, d).serial(),
            slopes,
            keys,
            &mut into_queries[start * d..],
        );
    }
    all
}

dispatched! {
    /// From scores and ∂/∂p of the first `count` keys: p = e^(scale·score − log), and ∂/∂score =
    /// scale·p·(∂/∂p − Σ p·∂/∂p); 0 for the masked ones.
    fn backward_row(scores: &mut [f32], slopes: &mut [f32], count: usize, scale: f32, log: f32) {
        let (seen, masked) = scores.split_at_mut(count);
        let (slopes, masked_slopes) = slopes.split_at_mut(count);
        for x in seen.iter_mut() {
            *x = exp(*x * scale - log);
        }
        let along = sum_of_two(seen, slopes, |p, slope| p * slope) as f32;
        for (slope, p) in slopes.iter_mut().zip(seen.iter()) {
            *slope = scale * p * (*slope - along);
        }
        masked.fill(0.0);
        masked_slopes.fill(0.0);
    }
}
