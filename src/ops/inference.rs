//! The operations of generating text, on plain arrays: one token at a time is products of a vector
//! with a matrix, which stream the weights through the caches once; a prompt goes through in matrix
//! products. No tape, no device tensors. Every sum has a fixed order, whatever the number of
//! threads.

use rayon::prelude::*;

use super::activation::{self, Activation};
use super::layer_norm::{affine, standardize_row};
use super::matmul::{Product, product};
use super::vector::{self, dispatched};

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
mod tests {
    use super::*;
    use crate::random::Stream;

    fn draw(count: usize, index: u64) -> Vec<f32> {
        let mut stream = Stream::new(1, "test", index);
        (0..count).map(|_| stream.normal() as f32).collect()
    }

    fn close(found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (x, e) in found.iter().zip(expected) {
            assert!(
                (f64::from(*x) - e).abs() < 1e-5 * (1.0 + e.abs()) * 10.0,
                "{x} {e}"
            );
        }
    }

    #[test]
    fn products_equal_sums_in_f64_on_awkward_shapes() {
        for (rows, depth, columns) in [
            (1, 1, 1),
            (1, 7, 3),
            (1, 33, 300),
            (1, 258, 257),
            (3, 5, 130),
            (2, 4, 1),
        ] {
            let (x, w, b) = (
                draw(rows * depth, 0),
                draw(depth * columns, 1),
                draw(columns, 2),
            );
            let mut out = vec![f32::NAN; rows * columns];
            linear(
                &x,
                Matrix {
                    values: &w,
                    columns,
                },
                &b,
                &mut out,
            );
            let at = |i: usize, j: usize| {
                (0..depth)
                    .map(|k| f64::from(x[i * depth + k]) * f64::from(w[k * columns + j]))
                    .sum::<f64>()
                    + f64::from(b[j])
            };
            close(
                &out,
                &(0..rows * columns)
                    .map(|i| at(i / columns, i % columns))
                    .collect::<Vec<_>>(),
            );
        }
        for (rows, width) in [(1, 1), (5, 31), (300, 300), (3, 64)] {
            let (matrix, x) = (draw(rows * width, 0), draw(width, 1));
            let mut out = vec![f32::NAN; rows];
            head(&matrix, &x, &mut out);
            let at = |i: usize| {
                (0..width)
                    .map(|k| f64::from(matrix[i * width + k]) * f64::from(x[k]))
                    .sum()
            };
            close(&out, &(0..rows).map(at).collect::<Vec<f64>>());
        }
    }

    #[test]
    fn attention_of_many_rows_is_that_of_each_row() {
        let (width, heads, start, count) = (12, 3, 4, 5);
        let qkv = draw(count * 3 * width, 0);
        let (mut keys, mut values) = (draw(start * width, 1), draw(start * width, 2));
        let mut one_by_one = Vec::new();
        for row in qkv.chunks_exact(3 * width) {
            keys.extend(&row[width..2 * width]);
            values.extend(&row[2 * width..]);
            let mut out = vec![f32::NAN; width];
            attention(row, &keys, &values, width, heads, 0.3, &mut out);
            one_by_one.extend(out.into_iter().map(f64::from));
        }
        let mut out = vec![f32::NAN; count * width];
        attention(&qkv, &keys, &values, width, heads, 0.3, &mut out);
        close(&out, &one_by_one);
    }

    #[test]
    fn softmax_of_large_scores_is_finite() {
        let mut scores = [1e30f32, 1e30, -1e30];
        softmax(&mut scores);
        assert_eq!(scores[..2], [0.5, 0.5]);
        assert!(scores[2] < 1e-37);
    }

    #[test]
    fn norm_and_activation_have_their_known_values() {
        let mut out = [0.0; 4];
        layer_norm(
            &[1.0, 3.0, 1000.0, 1002.0],
            &[2.0, 1.0],
            &[0.5, 0.0],
            0.0,
            &mut out,
        );
        close(&out, &[-1.5, 1.0, -1.5, 1.0]);
        let mut x = [0.0f32, 1.0, -1.0, 30.0, -30.0];
        activate(Activation::GeluTanh, &mut x);
        close(&x, &[0.0, 0.841_191_99, -0.158_808_01, 30.0, 0.0]);
    }
}
