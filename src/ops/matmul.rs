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
#[path = "matmul_tests.rs"]
mod tests;
