//! What a matrix product is of: shapes, transpositions, distances between rows, precision.

use crate::ops::Precision;

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
    pub(super) precision: Precision,
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

    /// Rows and columns of the left matrix as stored.
    pub fn left_stored(self) -> (usize, usize) {
        if self.left_transposed {
            (self.k, self.m)
        } else {
            (self.m, self.k)
        }
    }

    /// Rows and columns of the right matrix as stored.
    pub fn right_stored(self) -> (usize, usize) {
        if self.right_transposed {
            (self.n, self.k)
        } else {
            (self.k, self.n)
        }
    }

    /// Whether no element of the result is a sum of products. The result is complete then: empty,
    /// or zeros, or what it was if it is accumulated.
    pub fn is_done_without_sums(self, out: &mut [f32]) -> bool {
        if self.m == 0 || self.n == 0 {
            return true;
        }
        if self.k == 0 && !self.accumulate {
            (0..self.m).for_each(|row| out[row * self.strides[2]..][..self.n].fill(0.0));
        }
        self.k == 0
    }
}
