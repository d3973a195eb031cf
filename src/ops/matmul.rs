//! Matrix products on slices, by the gemm crate. Its sums have an order that does not depend on the
//! number of threads (held by a test).

use std::cell::Cell;

use gemm::Parallelism;

use super::Precision;
use super::bf16::product_bf16;

thread_local! {
    /// Whether this thread has its own part of the work, so that products need not be shared out.
    static APART: Cell<bool> = const { Cell::new(false) };
}

/// Runs work whose products stay on this thread. That is a matter of speed alone: their bits do not
/// depend on it.
#[cfg(not(feature = "cuda"))]
pub(super) fn apart<R>(work: impl FnOnce() -> R) -> R {
    struct Restored(bool);
    impl Drop for Restored {
        fn drop(&mut self) {
            APART.set(self.0);
        }
    }
    let _restored = Restored(APART.replace(true));
    work()
}

/// A product of an (m, k) and a (k, n) matrix, all row-major.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) left_transposed: bool,
    pub(super) right_transposed: bool,
    pub(super) scale: f32,
    pub(super) accumulate: bool,
    /// Distance between rows as stored: of the left, the right and the result.
    pub(super) strides: [usize; 3],
    pub(super) serial: bool,
    precision: Precision,
}

impl Product {
    pub fn new(m: usize, k: usize, n: usize) -> Self {
        Self {
            m,
            k,
            n,
            left_transposed: false,
            right_transposed: false,
            scale: 1.0,
            accumulate: false,
            strides: [k, n, n],
            serial: false,
            precision: Precision::F32,
        }
    }

    /// The left matrix is stored as (k, m).
    pub fn left_transposed(mut self) -> Self {
        self.left_transposed = true;
        self.strides[0] = self.m;
        self
    }

    /// The right matrix is stored as (n, k).
    pub fn right_transposed(mut self) -> Self {
        self.right_transposed = true;
        self.strides[1] = self.k;
        self
    }

    /// The product is multiplied by a number.
    pub fn scale(self, scale: f32) -> Self {
        Self { scale, ..self }
    }

    /// The product is added to the result.
    pub fn accumulate(self) -> Self {
        Self {
            accumulate: true,
            ..self
        }
    }

    /// Rows as stored lie so far apart, for parts of wider matrices; after the transpositions.
    pub fn strides(self, left: usize, right: usize, out: usize) -> Self {
        Self {
            strides: [left, right, out],
            ..self
        }
    }

    /// Of numbers rounded to it.
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// On the calling thread alone, for many small products side by side.
    pub fn serial(self) -> Self {
        Self {
            serial: true,
            ..self
        }
    }
}

/// out = scale·left·right, or out += scale·left·right.
pub(super) fn product(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    let p = Product {
        serial: p.serial || APART.get(),
        ..p
    };
    if p.precision == Precision::Bf16 {
        return product_bf16(p.precision(Precision::F32), left, right, out);
    }
    let Product {
        m,
        k,
        n,
        scale,
        accumulate,
        strides,
        ..
    } = p;
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        if !accumulate {
            (0..m).for_each(|row| out[row * strides[2]..][..n].fill(0.0));
        }
        return;
    }
    let stored = |rows: usize, columns: usize, stride: usize| {
        assert!(stride >= columns, "rows of {columns} do not overlap");
        (rows - 1) * stride + columns
    };
    let (left_rows, left_columns) = if p.left_transposed { (k, m) } else { (m, k) };
    let (right_rows, right_columns) = if p.right_transposed { (n, k) } else { (k, n) };
    assert!(
        left.len() >= stored(left_rows, left_columns, strides[0]),
        "the left matrix is too small"
    );
    assert!(
        right.len() >= stored(right_rows, right_columns, strides[1]),
        "the right matrix is too small"
    );
    assert!(
        out.len() >= stored(m, n, strides[2]),
        "the result is too small"
    );
    let steps = |transposed: bool, stride: usize| {
        if transposed {
            (1, stride as isize)
        } else {
            (stride as isize, 1)
        }
    };
    let (left_row, left_column) = steps(p.left_transposed, strides[0]);
    let (right_row, right_column) = steps(p.right_transposed, strides[1]);
    let parallelism = if p.serial {
        Parallelism::None
    } else {
        Parallelism::Rayon(0)
    };
    // SAFETY: every element that gemm touches lies inside its slice, which the assertions above
    // hold, and `out` is borrowed mutably, so it overlaps neither of the others.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            strides[2] as isize,
            accumulate,
            left.as_ptr(),
            left_column,
            left_row,
            right.as_ptr(),
            right_column,
            right_row,
            1.0,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
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
}
