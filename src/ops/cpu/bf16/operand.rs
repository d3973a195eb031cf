//! Operands as they are stored, and the rounding of their numbers.

use crate::ops::cpu::product::Product;

/// An operand as it is stored.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    pub values: &'a [f32],
    pub stride: usize,
    /// A stored row is a line; otherwise it is one step of every line.
    pub by_line: bool,
}

/// The left and the right operand of a product.
pub(super) fn operands<'a>(
    p: Product,
    left: &'a [f32],
    right: &'a [f32],
) -> (Operand<'a>, Operand<'a>) {
    let left = Operand {
        values: left,
        stride: p.strides[0],
        by_line: !p.left_transposed,
    };
    let right = Operand {
        values: right,
        stride: p.strides[1],
        by_line: p.right_transposed,
    };
    (left, right)
}

/// The bits of the nearest bfloat16, ties to even, in the upper half. A NaN stays one.
#[inline(always)]
pub(super) fn bf16_bits(x: f32) -> u32 {
    const UPPER: u32 = 0xffff_0000;
    const QUIET: u32 = 0x0040_0000;
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    (if x.is_nan() { bits | QUIET } else { nearest }) & UPPER
}

/// The nearest bfloat16, ties to even. A NaN stays one.
#[inline(always)]
pub(in crate::ops) fn round(x: f32) -> f32 {
    f32::from_bits(bf16_bits(x))
}

/// Brings so many values, which need not exist, to the second cache; in the first, rows a power of
/// two apart would drive each other out.
#[inline(always)]
pub(super) fn prefetch(first: *const f32, count: usize) {
    #[cfg(target_arch = "x86_64")]
    for place in (0..count).step_by(64 / size_of::<f32>()) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch never faults, wherever it points.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(first.wrapping_add(place).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (first, count);
}
