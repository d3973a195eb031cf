//! Arrays of all critics that are trained together, and how a kernel or a product does the part of
//! each.

use cudarc::driver::CudaSlice;

use crate::ops::Precision;
use crate::ops::cuda::api::Address;
use crate::ops::cuda::card::{Argument, at, card, size, word};
use crate::ops::cuda::product::CardProduct;

/// Rows that a block of kernels with a warp a row takes.
const WARPS: usize = 8;

/// Where arrays of all critics are: each has its own so many numbers behind those of the one
/// before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrays {
    numbers: Address,
    /// The same, rounded to bfloat16; 0 where no product takes them so.
    rounded: Address,
    stride: usize,
}

impl Arrays {
    pub fn new(numbers: Address, stride: usize) -> Self {
        Self {
            numbers,
            rounded: 0,
            stride,
        }
    }

    pub fn rounded_at(self, rounded: Address) -> Self {
        Self { rounded, ..self }
    }

    /// Those that begin so many numbers later.
    pub fn from(self, offset: usize) -> Self {
        let later = |address: Address, bytes: usize| match address {
            0 => 0,
            address => address + (offset * bytes) as u64,
        };
        Self {
            numbers: later(self.numbers, size_of::<f32>()),
            rounded: later(self.rounded, size_of::<u16>()),
            ..self
        }
    }

    /// Address and stride, as kernels take them.
    pub fn arguments(self) -> [Argument; 2] {
        [word(self.numbers), size(self.stride)]
    }

    fn operand(self, precision: Precision) -> (Address, usize) {
        match precision {
            Precision::F32 | Precision::Tf32 => (self.numbers, self.stride),
            Precision::Bf16 => (self.rounded, self.stride),
        }
    }
}

/// Numbers of all critics, with a rounded copy where products take that.
#[derive(Debug)]
pub(super) struct CriticNumbers {
    all: CudaSlice<f32>,
    rounded: Option<CudaSlice<u16>>,
}

impl CriticNumbers {
    pub fn new(count: usize, precision: Precision) -> Self {
        let is_rounded = match precision {
            Precision::F32 | Precision::Tf32 => false,
            Precision::Bf16 => true,
        };
        Self {
            all: card().scratch(count),
            rounded: is_rounded.then(|| card().scratch(count)),
        }
    }

    pub fn arrays(&self, stride: usize) -> Arrays {
        let rounded = self.rounded.as_ref().map_or(0, at);
        Arrays::new(at(&self.all), stride).rounded_at(rounded)
    }

    /// Rounds the first `count` numbers, where a product takes them so.
    ///
    /// # Safety
    /// There is room for as many.
    pub unsafe fn round(&self, count: usize) {
        let Some(rounded) = &self.rounded else { return };
        let arguments = [size(count), word(at(&self.all)), word(at(rounded))];
        // SAFETY: as the caller promised.
        unsafe { card().launch_each("round_all", count, &arguments) };
    }
}

/// So many critics, whose work is asked for at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Together(pub usize);

impl Together {
    /// A thread for each of `count` elements of every critic.
    ///
    /// # Safety
    /// As [`crate::ops::cuda::card::GpuCard::launch`].
    pub unsafe fn each(self, kernel: &str, count: usize, rest: &[Argument]) {
        let arguments = [&[size(count)], rest].concat();
        // SAFETY: as the caller promised.
        unsafe { card().launch(kernel, (count.div_ceil(256), self.0), 256, &arguments) };
    }

    /// A warp for each of `rows` rows of every critic.
    ///
    /// # Safety
    /// As above.
    pub unsafe fn rows(self, kernel: &str, rows: usize, arguments: &[Argument]) {
        let blocks = (rows.div_ceil(WARPS), self.0);
        // SAFETY: as the caller promised.
        unsafe { card().launch(kernel, blocks, 32 * WARPS, arguments) };
    }

    /// A block for every critic.
    ///
    /// # Safety
    /// As above.
    pub unsafe fn blocks(self, kernel: &str, arguments: &[Argument]) {
        // SAFETY: as the caller promised.
        unsafe { card().launch(kernel, (1, self.0), 256, arguments) };
    }

    /// A product of every critic's own matrices.
    ///
    /// # Safety
    /// Every critic has matrices as `p` says.
    pub unsafe fn product(self, p: CardProduct, left: Arrays, right: Arrays, out: Arrays) {
        let all = [
            left.operand(p.precision),
            right.operand(p.precision),
            (out.numbers, out.stride),
        ];
        // SAFETY: as the caller promised.
        unsafe { card().even_products(p, self.0, all) };
    }
}
