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

/// What a processor with fused multiplications makes of a product, element by element: a chain of
/// them in order for each part of `part` products, the parts added to the result one by one.
fn in_parts(a: &[f32], b: &[f32], [m, k, n]: [usize; 3], part: usize) -> Vec<f32> {
    (0..m * n)
        .map(|i| {
            let (row, column) = (i / n, i % n);
            (0..k).step_by(part).fold(0.0, |sum, from| {
                sum + (from..k.min(from + part)).fold(0.0f32, |chain, j| {
                    a[row * k + j].mul_add(b[j * n + column], chain)
                })
            })
        })
        .collect()
}

#[test]
fn long_inner_dimensions_are_cut_by_the_shapes_alone_whatever_the_caches() {
    #[cfg(target_arch = "x86_64")]
    if !is_x86_feature_detected!("fma") {
        return;
    }
    // 1200 is cut into three of 400, 1025 into 342, 342 and 341; 512 is not cut.
    for (shape, part) in [
        ([65, 1200, 7], 400),
        ([96, 1025, 80], 342),
        ([70, 512, 33], 512),
        // Results of at most 64 by 64 are cut after every 512.
        ([64, 1200, 40], 512),
    ] {
        let [m, k, n] = shape;
        let (a, b) = (values(m * k, 7), values(k * n, 8));
        let mut out = vec![0.0; m * n];
        product(Product::new(m, k, n), &a, &b, &mut out);
        let expected = in_parts(&a, &b, shape, part);
        let differ = out.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert_eq!(differ, 0, "of {} elements, {m} × {k} × {n}", m * n);
    }
}
