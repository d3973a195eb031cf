//! Tests of the three forms of the product.

use super::blocks::{COLUMNS, DEPTH, PIECE, ROWS, multiply};
use super::copies::product_of_copies;
use super::kernel::Portable;
use super::*;
use crate::random::Stream;

type Multiply = fn(Product, &[f32], &[f32], &mut [f32]);

/// The forms of the product: on packed operands, on copies, and the one that this machine takes.
const FORMS: [Multiply; 3] = [
    |p, left, right, out| multiply(Portable, p, left, right, out),
    product_of_copies,
    product_bf16,
];

fn values(count: usize, index: u64) -> Vec<f32> {
    let mut stream = Stream::new(0, "test.bf16", index);
    (0..count).map(|_| stream.normal() as f32).collect()
}

/// Numbers whose products sum up exactly.
fn integers(count: usize, index: u64) -> Vec<f32> {
    let mut stream = Stream::new(0, "test.bf16", index);
    (0..count)
        .map(|_| (stream.bits() % 17) as f32 - 8.0)
        .collect()
}

/// A matrix as it is stored: transposed or not, in rows that lie further apart than they are
/// long, between numbers that must not be read.
fn stored(x: &[f32], rows: usize, columns: usize, transposed: bool, gap: usize) -> Vec<f32> {
    let (stored_rows, stored_columns) = if transposed {
        (columns, rows)
    } else {
        (rows, columns)
    };
    let mut out = vec![f32::NAN; stored_rows * (stored_columns + gap)];
    for (i, x) in x.iter().enumerate() {
        let (row, column) = if transposed {
            (i % columns, i / columns)
        } else {
            (i / columns, i % columns)
        };
        out[row * (stored_columns + gap) + column] = *x;
    }
    out
}

/// Runs a product in every layout and form, and hands each result on.
fn in_every_layout(
    m: usize,
    k: usize,
    n: usize,
    a: &[f32],
    b: &[f32],
    before: &[f32],
    check: impl Fn(&[f32], f32, bool),
) {
    for layout in 0..4 {
        let (left_transposed, right_transposed) = (layout & 1 == 1, layout & 2 == 2);
        let (left, right) = (
            stored(a, m, k, left_transposed, layout),
            stored(b, k, n, right_transposed, 2 * layout),
        );
        let mut p = Product::new(m, k, n);
        let mut scale = 1.0;
        if left_transposed {
            p = p.left_transposed().serial();
        }
        if right_transposed {
            scale = 0.5;
            p = p.right_transposed().scale(scale);
        }
        let accumulate = layout == 1 || layout == 2;
        if accumulate {
            p = p.accumulate();
        }
        let stride = n + 3 * layout;
        let p = p.strides(
            if left_transposed { m } else { k } + layout,
            if right_transposed { k } else { n } + 2 * layout,
            stride,
        );
        for multiply in FORMS {
            let mut out = stored(before, m, n, false, 3 * layout);
            multiply(p, &left, &right, &mut out);
            let outside = |i: usize| i % stride >= n;
            assert!(
                out.iter()
                    .enumerate()
                    .all(|(i, x)| !outside(i) || x.is_nan()),
                "written outside the result"
            );
            let found: Vec<f32> = out
                .iter()
                .enumerate()
                .filter(|(i, _)| !outside(*i))
                .map(|(_, x)| *x)
                .collect();
            check(&found, scale, accumulate);
        }
    }
}

/// The sums of products of rounded numbers, and of their magnitudes.
fn by_definition(k: usize, n: usize, a: &[f32], b: &[f32], i: usize) -> (f64, f64) {
    let products =
        (0..k).map(|j| f64::from(round(a[i / n * k + j])) * f64::from(round(b[j * n + i % n])));
    products.fold((0.0, 0.0), |(sum, size), product| {
        (sum + product, size + product.abs())
    })
}

#[test]
fn products_are_those_of_the_definition_for_every_layout() {
    let shapes = [
        (1, 1, 1),
        (1, 64, 300),
        (300, 64, 1),
        (5, 7, 3),
        (4, 9, 5),
        (9, 1, 9),
        (33, 65, 17),
        (12, 32, 32),
        (200, 300, 170),
    ];
    for (m, k, n) in shapes {
        let (a, b, before) = (values(m * k, 0), values(k * n, 1), values(m * n, 2));
        let expected: Vec<(f64, f64)> =
            (0..m * n).map(|i| by_definition(k, n, &a, &b, i)).collect();
        in_every_layout(m, k, n, &a, &b, &before, |out, scale, accumulate| {
            for (i, (found, (sum, size))) in out.iter().zip(&expected).enumerate() {
                let before = if accumulate {
                    f64::from(before[i])
                } else {
                    0.0
                };
                let expected = sum * f64::from(scale) + before;
                let bound = (size + before.abs()) * (k + 2) as f64 * f64::from(f32::EPSILON);
                assert!(
                    (f64::from(*found) - expected).abs() <= bound,
                    "{m}x{k}x{n}: {found} against {expected}"
                );
            }
        });
    }
}

#[test]
fn blocks_cover_every_element_once() {
    for (m, k, n) in [
        (ROWS + 14, 5, 33),
        (13, 2 * DEPTH + 3, COLUMNS + 40),
        (PIECE.0 + 1, DEPTH + 1, PIECE.1 + 1),
        // The left operand of one block of columns is there for the next; not where steps change.
        (200, 7, 2 * COLUMNS + 1),
        (200, DEPTH + 9, COLUMNS + 33),
    ] {
        let (a, b, before) = (integers(m * k, 3), integers(k * n, 4), integers(m * n, 5));
        let mut expected = vec![0.0; m * n];
        for (i, expected) in expected.chunks_mut(n).enumerate() {
            for j in 0..k {
                expected
                    .iter_mut()
                    .zip(&b[j * n..])
                    .for_each(|(sum, b)| *sum += a[i * k + j] * b);
            }
        }
        in_every_layout(m, k, n, &a, &b, &before, |out, scale, accumulate| {
            let before = |i: usize| if accumulate { before[i] } else { 0.0 };
            assert!(
                (0..m * n).all(|i| out[i] == scale * expected[i] + before(i)),
                "{m}x{k}x{n}"
            );
        });
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (m, k, n) in [
        (200, 300, 170),
        (512, 96, 384),
        (64, 2048, 64),
        (3, 900, 700),
        (256, 96, 2100),
        (1024, 64, 768),
        (128, 1024, 128),
    ] {
        let (a, b) = (values(m * k, 6), values(k * n, 7));
        for multiply in FORMS {
            let on = |threads: usize, p: Product| {
                let mut out = vec![0.0; m * n];
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                pool.install(|| multiply(p, &a, &b, &mut out));
                out
            };
            let one = on(1, Product::new(m, k, n).serial());
            assert!(
                [1, 2, 3, 4, 8]
                    .into_iter()
                    .all(|threads| on(threads, Product::new(m, k, n)) == one)
            );
        }
    }
}

#[test]
fn infinities_and_nans_reach_their_row_and_column_alone() {
    for (m, k, n) in [(14, 33, 37), (2, 33, 37)] {
        let (mut a, mut b) = (vec![1.0; m * k], vec![1.0; k * n]);
        a[k + 32] = f32::INFINITY;
        b[32 * n + 35] = f32::NAN;
        b[32 * n + 5] = f32::MAX;
        in_every_layout(m, k, n, &a, &b, &vec![0.0; m * n], |out, scale, _| {
            for (i, &x) in out.iter().enumerate() {
                match (i / n, i % n) {
                    (_, 35) => assert!(x.is_nan()),
                    (1, _) | (_, 5) => assert_eq!(x, f32::INFINITY),
                    _ => assert_eq!(x, scale * k as f32),
                }
            }
        });
    }
}

#[test]
fn nothing_to_sum_gives_zeros_or_what_was_there() {
    for multiply in FORMS {
        let mut out = [7.0; 12];
        multiply(Product::new(0, 3, 4), &[], &[1.0; 12], &mut out);
        multiply(Product::new(3, 2, 0), &[1.0; 6], &[], &mut out);
        multiply(Product::new(3, 0, 4).accumulate(), &[], &[], &mut out);
        assert_eq!(out, [7.0; 12]);
        multiply(Product::new(2, 0, 3).strides(0, 3, 5), &[], &[], &mut out);
        assert_eq!(
            out,
            [0.0, 0.0, 0.0, 7.0, 7.0, 0.0, 0.0, 0.0, 7.0, 7.0, 7.0, 7.0]
        );
    }
}
