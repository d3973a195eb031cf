//! Matrix products of numbers rounded to bfloat16 and summed in f32.
//!
//! There are three forms. On processors with AVX512-BF16, [`blocks`] packs both operands and runs
//! their instruction. A few rows, as in decoding, are multiplied from the operands as they are
//! stored ([`few_rows`]), on any machine: every number of the right one is used too few times for
//! packing or copying it. Elsewhere [`copies`] hands rounded copies to the f32 product, which sums
//! in another order: the last bits differ between machines with and without the instruction. The
//! instruction takes subnormal numbers for zero and gives zero for them; it rounds each sum to the
//! nearest. The other forms keep subnormal numbers.

// Without the instruction, the packed form is compiled for its tests alone.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

mod blocks;
mod copies;
mod few_rows;
mod instructions;
mod kernel;
mod operand;
mod pack;
mod sharing;
mod target;

use super::product::Product;
pub(in crate::ops) use instructions::instructions;
#[cfg(test)]
pub(in crate::ops) use operand::round;

/// out = scale·left·right, or out += scale·left·right, of operands rounded to bfloat16.
pub(super) fn product_bf16(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    if p.m <= few_rows::ROWS {
        return few_rows::multiply_few_rows(p, left, right, out);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = kernel::Avx512::detect() {
        return blocks::multiply(lanes, p, left, right, out);
    }
    copies::product_of_copies(p, left, right, out);
}

#[cfg(test)]
#[path = "product_tests.rs"]
mod tests;
