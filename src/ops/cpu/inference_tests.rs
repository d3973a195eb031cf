//! Tests of `inference.rs`.

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
