//! Products of matrices on the card, all of them cuBLAS's.

use std::ffi::{c_int, c_longlong, c_void};

use super::api::{self, Address};
use super::card::{GpuCard, blas_checked, fail};
use crate::ops::Precision;

/// cuBLAS's own numbers for what is asked of it.
const TYPE_F32: u32 = 0;
const TYPE_BF16: u32 = 14;
const COMPUTE_F32: u32 = 68;
const COMPUTE_TF32: u32 = 77;
const DEFAULT_ALGORITHM: c_int = -1;

/// A product of an (m, k) and a (k, n) matrix, row-major in f32, which cuBLAS may round to
/// TF32 where that is asked for, or rounded to bfloat16; sums and the result are f32.
#[derive(Debug, Clone, Copy)]
pub(super) struct CardProduct {
    pub m: usize,
    pub k: usize,
    pub n: usize,
    /// Whether the left matrix is stored as (k, m), the right one as (n, k).
    pub transposed: [bool; 2],
    /// Distances between rows as stored: of the left, the right and the result.
    pub strides: [usize; 3],
    pub accumulate: bool,
    /// What the product is multiplied with.
    pub scale: f32,
    pub precision: Precision,
}

impl CardProduct {
    pub fn new([m, k, n]: [usize; 3], transposed: [bool; 2], precision: Precision) -> Self {
        let [left, right] = transposed;
        Self {
            m,
            k,
            n,
            transposed,
            strides: [if left { m } else { k }, if right { k } else { n }, n],
            accumulate: false,
            scale: 1.0,
            precision,
        }
    }

    /// The product is added to the result.
    pub fn accumulate(self) -> Self {
        Self {
            accumulate: true,
            ..self
        }
    }

    /// The product is multiplied with this.
    pub fn scale(self, scale: f32) -> Self {
        Self { scale, ..self }
    }

    /// Rows as stored lie so far apart, for parts of wider matrices.
    pub fn strides(self, strides: [usize; 3]) -> Self {
        Self { strides, ..self }
    }

    fn operand_type(self) -> u32 {
        match self.precision {
            Precision::F32 | Precision::Tf32 => TYPE_F32,
            Precision::Bf16 => TYPE_BF16,
        }
    }

    fn compute_type(self) -> u32 {
        match self.precision {
            Precision::F32 | Precision::Bf16 => COMPUTE_F32,
            Precision::Tf32 => COMPUTE_TF32,
        }
    }
}

impl GpuCard {
    /// out = left·right, or out += left·right.
    ///
    /// # Safety
    /// The addresses lead to matrices as `p` says.
    pub unsafe fn product(&self, p: CardProduct, left: Address, right: Address, out: Address) {
        let (alpha, beta) = (p.scale, if p.accumulate { 1.0f32 } else { 0.0 });
        let _calls_of_blas_are_one_at_a_time = self.board();
        self.bind();
        // cuBLAS sees each row-major matrix as its transpose: outᵀ = rightᵀ·leftᵀ.
        // SAFETY: as the caller promised.
        let code = unsafe {
            api::cublasGemmEx(
                self.blas.0,
                u32::from(p.transposed[1]),
                u32::from(p.transposed[0]),
                p.n as c_int,
                p.m as c_int,
                p.k as c_int,
                (&raw const alpha).cast(),
                right as *const c_void,
                p.operand_type(),
                p.strides[1] as c_int,
                left as *const c_void,
                p.operand_type(),
                p.strides[0] as c_int,
                (&raw const beta).cast(),
                out as *mut c_void,
                TYPE_F32,
                p.strides[2] as c_int,
                p.compute_type(),
                DEFAULT_ALGORITHM,
            )
        };
        if let Err(why) = blas_checked(code) {
            fail("a product", &why);
        }
    }

    /// The same for `count` products of one shape, whose addresses lie on the card.
    ///
    /// # Safety
    /// Each address leads to `count` addresses, and those to matrices as `p` says.
    pub unsafe fn products(&self, p: CardProduct, count: usize, all: [Address; 3]) {
        let (alpha, beta) = (p.scale, if p.accumulate { 1.0f32 } else { 0.0 });
        let _calls_of_blas_are_one_at_a_time = self.board();
        self.bind();
        // SAFETY: as the caller promised.
        let code = unsafe {
            api::cublasGemmBatchedEx(
                self.blas.0,
                u32::from(p.transposed[1]),
                u32::from(p.transposed[0]),
                p.n as c_int,
                p.m as c_int,
                p.k as c_int,
                (&raw const alpha).cast(),
                all[1] as *const c_void,
                p.operand_type(),
                p.strides[1] as c_int,
                all[0] as *const c_void,
                p.operand_type(),
                p.strides[0] as c_int,
                (&raw const beta).cast(),
                all[2] as *mut c_void,
                TYPE_F32,
                p.strides[2] as c_int,
                count as c_int,
                p.compute_type(),
                DEFAULT_ALGORITHM,
            )
        };
        if let Err(why) = blas_checked(code) {
            fail("a product", &why);
        }
    }

    /// The same for `count` products of one shape, whose matrices lie at equal distances, in
    /// numbers, from an address each.
    ///
    /// # Safety
    /// Every address, and so many behind it, leads to a matrix as `p` says.
    pub unsafe fn even_products(&self, p: CardProduct, count: usize, all: [(Address, usize); 3]) {
        let (alpha, beta) = (p.scale, if p.accumulate { 1.0f32 } else { 0.0 });
        let _calls_of_blas_are_one_at_a_time = self.board();
        self.bind();
        // SAFETY: as the caller promised.
        let code = unsafe {
            api::cublasGemmStridedBatchedEx(
                self.blas.0,
                u32::from(p.transposed[1]),
                u32::from(p.transposed[0]),
                p.n as c_int,
                p.m as c_int,
                p.k as c_int,
                (&raw const alpha).cast(),
                all[1].0 as *const c_void,
                p.operand_type(),
                p.strides[1] as c_int,
                all[1].1 as c_longlong,
                all[0].0 as *const c_void,
                p.operand_type(),
                p.strides[0] as c_int,
                all[0].1 as c_longlong,
                (&raw const beta).cast(),
                all[2].0 as *mut c_void,
                TYPE_F32,
                p.strides[2] as c_int,
                all[2].1 as c_longlong,
                count as c_int,
                p.compute_type(),
                DEFAULT_ALGORITHM,
            )
        };
        if let Err(why) = blas_checked(code) {
            fail("a product", &why);
        }
    }
}
