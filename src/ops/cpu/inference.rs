//! The operations of generating text, on plain arrays: one token at a time is products of a vector
//! with a matrix, which stream the weights through the caches once; a prompt goes through in matrix
//! products. No tape, no device tensors. Every sum has a fixed order, whatever the number of
//! threads.

use rayon::prelude::*;

use super::activation;
use super::layer_norm::{affine, standardize_row};
use super::matmul::product;
use super::product::Product;
pub use super::threads::on_a_worker;
use super::vector::{self, dispatched};
use crate::ops::Activation;

/// Multiply-adds below which a second thread costs more than it brings.
const PARALLEL: usize = 1 << 16;
/// Columns of a product that one task computes at least, or rows of the head.
const COLUMNS: usize = 128;
/// Independent sums of a dot product.
const LANES: usize = 32;

/// A row-major matrix, (values / columns, columns).
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    pub values: &'a [f32],
    pub columns: usize,
}

/// `out` = x·W + b for x (n, in), W (in, out), b (out).
pub fn linear(x: &[f32], weight: Matrix, bias: &[f32], out: &mut [f32]) {
    let columns = weight.columns;
    let depth = weight.values.len() / columns;
    let rows = x.len() / depth;
    if rows == 1 {
        // Long pieces of rows are read faster than short ones. No column's sum depends on how many
        // a task has.
        let share = columns
            .div_ceil(2 * rayon::current_num_threads())
            .next_multiple_of(LANES)
            .max(COLUMNS);
        for_each_chunk(out, share, weight.values.len(), |(chunk, out)| {
            let from = chunk * share;
            out.copy_from_slice(&bias[from..from + out.len()]);
            add_rows(x, &weight.values[from..], columns, out);
        });
    } else {
        out.chunks_exact_mut(columns)
            .for_each(|row| row.copy_from_slice(bias));
        product(
            Product::new(rows, depth, columns).accumulate(),
            x,
            weight.values,
            out,
        );
    }
}

/// `out[i]` = row i of `matrix` · x: the head, whose embeddings lie row by row.
pub fn head(matrix: &[f32], x: &[f32], out: &mut [f32]) {
    let width = x.len();
    for_each_chunk(out, COLUMNS, matrix.len(), |(chunk, out)| {
        dots(&matrix[chunk * COLUMNS * width..], width, x, out)
    });
}

/// Layer norm of every row of x (n, C).
pub fn layer_norm(x: &[f32], gain: &[f32], bias: &[f32], epsilon: f64, out: &mut [f32]) {
    let width = gain.len();
    let mut standard = vec![0.0; width];
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        standard.copy_from_slice(x);
        standardize_row(&mut standard, epsilon);
        affine(out, &standard, gain, bias);
    }
}

/// Activates in place.
pub fn activate(activation: Activation, x: &mut [f32]) {
    let cost = 16 * x.len();
    for_each_chunk(x, 8 * COLUMNS, cost, |(_, x)| {
        activation::activate(activation, x)
    });
}

/// x += y.
pub fn add(x: &mut [f32], y: &[f32]) {
    vector::add(x, y);
}

/// Causal attention of new rows over cached keys and values.
///
/// `qkv` (n, 3C) holds the new rows' queries, keys and values side by side; `keys` and `values`
/// (start + n, C) end with the new ones. Row i sees the positions up to start + i. Scores are
/// multiplied by `scale`. `out` is (n, C).
pub fn attention(
    qkv: &[f32],
    keys: &[f32],
    values: &[f32],
    width: usize,
    heads: usize,
    scale: f32,
    out: &mut [f32],
) {
    let size = width / heads;
    let (count, visible) = (out.len() / width, keys.len() / width);
    if count == 1 {
        let query = &qkv[..width];
        for_each_chunk(out, size, 2 * keys.len(), |(head, out)| {
            attend(query, keys, values, head * size, scale, out)
        });
        return;
    }
    let start = visible - count;
    let mut scores = vec![0.0; count * visible];
    for head in (0..width).step_by(size) {
        let against = Product::new(count, size, visible)
            .right_transposed()
            .scale(scale)
            .strides(3 * width, width, visible);
        product(against, &qkv[head..], &keys[head..], &mut scores);
        for_each_chunk(&mut scores, visible, 8 * count * visible, |(i, row)| {
            let (seen, unseen) = row.split_at_mut(start + i + 1);
            softmax(seen);
            unseen.fill(0.0);
        });
        product(
            Product::new(count, visible, size).strides(visible, width, width),
            &scores,
            &values[head..],
            &mut out[head..],
        );
    }
}

/// One head of one query.
fn attend(query: &[f32], keys: &[f32], values: &[f32], head: usize, scale: f32, out: &mut [f32]) {
    let (width, size) = (query.len(), out.len());
    let mut scores = vec![0.0; keys.len() / width];
    dots(&keys[head..], width, &query[head..head + size], &mut scores);
    scores.iter_mut().for_each(|score| *score *= scale);
    softmax(&mut scores);
    out.fill(0.0);
    add_rows(&scores, &values[head..], width, out);
}

/// Replaces scores by their softmax.
fn softmax(scores: &mut [f32]) {
    let largest = vector::max(scores);
    let before = scores.to_vec();
    let inverse = (1.0 / vector::exp_into(scores, &before, largest, 1.0)) as f32;
    scores.iter_mut().for_each(|score| *score *= inverse);
}

/// Calls `work(i, chunk)` on the chunks of `out`, in parallel if `cost` multiply-adds are worth it.
fn for_each_chunk(
    out: &mut [f32],
    size: usize,
    cost: usize,
    work: impl Fn((usize, &mut [f32])) + Sync + Send,
) {
    if cost < PARALLEL {
        out.chunks_mut(size).enumerate().for_each(work);
    } else {
        out.par_chunks_mut(size).enumerate().for_each(work);
    }
}

dispatched! {
    /// `out` += Σₖ x[k] · (the first columns of row k), the rows `stride` apart, four at a time.
    fn add_rows(x: &[f32], rows: &[f32], stride: usize, out: &mut [f32]) {
        let count = out.len();
        let row = |k: usize| &rows[k * stride..][..count];
        let fours = x.len() / 4 * 4;
        for k in (0..fours).step_by(4) {
            let (w0, w1, w2, w3) = (row(k), row(k + 1), row(k + 2), row(k + 3));
            let (x0, x1, x2, x3) = (x[k], x[k + 1], x[k + 2], x[k + 3]);
            for j in 0..count {
                out[j] += (x0 * w0[j] + x1 * w1[j]) + (x2 * w2[j] + x3 * w3[j]);
            }
        }
        for k in fours..x.len() {
            out.iter_mut().zip(row(k)).for_each(|(o, w)| *o += x[k] * w);
        }
    }
}

dispatched! {
    /// `out[i]` = the first columns of row i · x, the rows `stride` apart.
    fn dots(rows: &[f32], stride: usize, x: &[f32], out: &mut [f32]) {
        out.iter_mut().enumerate().for_each(|(i, o)| *o = dot(&rows[i * stride..][..x.len()], x));
    }
}

/// Σ aᵢbᵢ in 32 interleaved sums, which are added in pairs: a plain sum of them would be one long
/// chain.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0] + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
#[path = "inference_tests.rs"]
mod tests;
