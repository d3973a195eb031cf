//! Tests of `matmul.rs`.

use super::*;
use crate::random::Stream;

fn values(count: usize, index: u64) -> Vec<f32> {
    let mut stream = Stream::new(0, "test.matmul", index);
    (0..count).map(|_| stream.normal() as f32).collect()
}

fn transposed(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns * rows)
        .map(|i| x[(i % rows) * columns + i / rows])
        .collect()
}

#[test]
fn products_are_those_of_the_definition_for_every_layout() {
    for (m, k, n) in [(1, 1, 1), (5, 7, 3), (33, 65, 17), (64, 1, 64)] {
        let (a, b, before) = (values(m * k, 0), values(k * n, 1), values(m * n, 2));
        let expected: Vec<f64> = (0..m * n)
            .map(|i| {
                (0..k)
                    .map(|j| f64::from(a[i / n * k + j]) * f64::from(b[j * n + i % n]))
                    .sum::<f64>()
                    * 0.5
                    + f64::from(before[i])
            })
            .collect();
        let (at, bt) = (transposed(&a, m, k), transposed(&b, k, n));
        let p = Product::new(m, k, n).scale(0.5).accumulate();
        let layouts = [
            (p, &a, &b),
            (p.left_transposed(), &at, &b),
            (p.right_transposed(), &a, &bt),
            (p.left_transposed().right_transposed().serial(), &at, &bt),
        ];
        for (p, left, right) in layouts {
            let mut out = before.clone();
            product(p, left, right, &mut out);
            for (found, expected) in out.iter().zip(&expected) {
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-4,
                    "{found} against {expected}"
                );
            }
        }
    }
}

#[test]
fn parts_of_wider_matrices_are_multiplied_in_place() {
    let (a, b) = (values(4 * 10, 3), values(3 * 8, 4));
    let mut out = [9.0; 4 * 6];
    product(
        Product::new(4, 3, 2).strides(10, 8, 6),
        &a[5..],
        &b[1..],
        &mut out[2..],
    );
    for row in 0..4 {
        for column in 0..2 {
            let expected: f32 = (0..3)
                .map(|j| a[5 + row * 10 + j] * b[1 + j * 8 + column])
                .sum();
            assert!((out[2 + row * 6 + column] - expected).abs() < 1e-5);
        }
        assert_eq!([out[row * 6], out[row * 6 + 1]], [9.0, 9.0]);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (m, k, n) in [(200, 300, 170), (512, 96, 384), (64, 2048, 64)] {
        let (a, b) = (values(m * k, 5), values(k * n, 6));
        let on = |threads: usize| {
            let mut out = vec![0.0; m * n];
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| product(Product::new(m, k, n), &a, &b, &mut out));
            out
        };
        let one = on(1);
        assert!((2..=4).all(|threads| on(threads) == one));
    }
}
