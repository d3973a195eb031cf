//! The few operations of inference on plain arrays. Every sum has a fixed order, whatever the number of threads.

use rayon::prelude::*;

use crate::ops::matmul::{Product, product};

/// Multiply-adds below which a second thread costs more than it brings.
const PARALLEL: usize = 1 << 16;
/// Columns of a product that one task computes.
const COLUMNS: usize = 128;
/// Independent sums of a dot product.
const LANES: usize = 32;

/// A row-major matrix, (values / columns, columns).
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    pub values: &'a [f32],
    pub columns: usize,
}

/// Calls `work(i, chunk)` on the chunks of `out`, in parallel if `cost` multiply-adds are worth it.
pub fn for_each_chunk(out: &mut [f32], size: usize, cost: usize, work: impl Fn((usize, &mut [f32])) + Sync + Send) {
    if cost < PARALLEL {
        out.chunks_mut(size).enumerate().for_each(work);
    } else {
        out.par_chunks_mut(size).enumerate().for_each(work);
    }
}

/// `out` = x·W + b for x (n, in), W (in, out), b (out).
pub fn linear(x: &[f32], weight: Matrix, bias: &[f32], out: &mut [f32]) {
    let columns = weight.columns;
    let depth = weight.values.len() / columns;
    let rows = x.len() / depth;
    if rows == 1 {
        vector_matrix(x, weight, bias, out);
    } else {
        product(Product::new(rows, depth, columns), x, weight.values, out);
        out.chunks_exact_mut(columns).for_each(|row| row.iter_mut().zip(bias).for_each(|(o, b)| *o += b));
    }
}

/// One row times a matrix: each task streams its columns of the weights once.
fn vector_matrix(x: &[f32], weight: Matrix, bias: &[f32], out: &mut [f32]) {
    for_each_chunk(out, COLUMNS, weight.values.len(), |(chunk, out)| {
        let from = chunk * COLUMNS;
        out.copy_from_slice(&bias[from..from + out.len()]);
        add_rows(x, &weight.values[from..], weight.columns, out);
    });
}

/// `out[i]` = row i of `matrix` · x: the tied head, whose embeddings lie row by row.
pub fn rows_dot(matrix: &[f32], x: &[f32], out: &mut [f32]) {
    let width = x.len();
    for_each_chunk(out, COLUMNS, matrix.len(), |(chunk, out)| dots(&matrix[chunk * COLUMNS * width..], x, out));
}

/// Compiles a function twice, for the instructions that every processor of the target has and for AVX2, and calls what this machine can run. Both give the same bits: the order of the
/// sums is written down, and products are not fused with sums.
macro_rules! widened {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) $body:block) => {
        $(#[$doc])*
        fn $name($($argument: $type),*) {
            #[inline(always)]
            fn body($($argument: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($argument: $type),*) {
                    body($($argument),*);
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the function is safe but for the instructions that were just detected.
                    return unsafe { wide($($argument),*) };
                }
            }
            body($($argument),*);
        }
    };
}

widened! {
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

widened! {
    /// `out[i]` = row i · x.
    fn dots(rows: &[f32], x: &[f32], out: &mut [f32]) {
        out.iter_mut().zip(rows.chunks_exact(x.len())).for_each(|(o, row)| *o = dot(row, x));
    }
}

/// Σ aᵢbᵢ in 32 interleaved sums.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    // Pairs, then pairs of pairs: the compiler may not reorder a plain sum, and it would be one long chain.
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0] + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// Layer norm of every row of x (n, C), with statistics in f64.
pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f64, out: &mut [f32]) {
    let width = weight.len();
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / width as f64;
        let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / width as f64;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        for j in 0..width {
            out[j] = ((f64::from(x[j]) - mean) * inverse) as f32 * weight[j] + bias[j];
        }
    }
}

/// GPT-2's GELU, ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
pub fn gelu(x: &mut [f32]) {
    const SLOPE: f32 = 0.797_884_6;
    let cost = 16 * x.len();
    for_each_chunk(x, 4 * COLUMNS, cost, |(_, x)| {
        x.iter_mut().for_each(|x| *x = 0.5 * *x * (1.0 + (SLOPE * (*x + 0.044_715 * *x * *x * *x)).tanh()));
    });
}

/// Replaces scores by their softmax.
pub fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0f32;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        total += *score;
    }
    let inverse = 1.0 / total;
    scores.iter_mut().for_each(|score| *score *= inverse);
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
            assert!((f64::from(*x) - e).abs() < 1e-5 * (1.0 + e.abs()) * 10.0, "{x} {e}");
        }
    }

    #[test]
    fn products_equal_sums_in_f64_on_awkward_shapes() {
        for (rows, depth, columns) in [(1, 1, 1), (1, 7, 3), (1, 33, 300), (1, 258, 257), (3, 5, 130), (2, 4, 1)] {
            let (x, w, b) = (draw(rows * depth, 0), draw(depth * columns, 1), draw(columns, 2));
            let mut out = vec![f32::NAN; rows * columns];
            linear(&x, Matrix { values: &w, columns }, &b, &mut out);
            let at = |i: usize, j: usize| {
                (0..depth).map(|k| f64::from(x[i * depth + k]) * f64::from(w[k * columns + j])).sum::<f64>() + f64::from(b[j])
            };
            close(&out, &(0..rows * columns).map(|i| at(i / columns, i % columns)).collect::<Vec<_>>());
        }
        for (rows, width) in [(1, 1), (5, 31), (300, 300), (3, 64)] {
            let (matrix, x) = (draw(rows * width, 0), draw(width, 1));
            let mut out = vec![f32::NAN; rows];
            rows_dot(&matrix, &x, &mut out);
            let at = |i: usize| (0..width).map(|k| f64::from(matrix[i * width + k]) * f64::from(x[k])).sum();
            close(&out, &(0..rows).map(at).collect::<Vec<f64>>());
        }
    }

    #[test]
    fn softmax_of_large_scores_is_finite() {
        let mut scores = [1e30f32, 1e30, -1e30];
        softmax(&mut scores);
        assert_eq!(scores, [0.5, 0.5, 0.0]);
    }

    #[test]
    fn norm_and_gelu_have_their_known_values() {
        let mut out = [0.0; 4];
        layer_norm(&[1.0, 3.0, 1000.0, 1002.0], &[2.0, 1.0], &[0.5, 0.0], 0.0, &mut out);
        assert_eq!(out, [-1.5, 1.0, -1.5, 1.0]);
        let mut x = [0.0f32, 1.0, -1.0, 30.0, -30.0];
        gelu(&mut x);
        close(&x, &[0.0, 0.841_191_99, -0.158_808_01, 30.0, 0.0]);
    }
}
