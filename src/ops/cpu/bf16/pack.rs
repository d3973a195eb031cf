//! Operands of the bfloat16 product, rounded and laid out as the kernel reads them.
//!
//! Lines are the rows of the left and the columns of the right operand; depth runs along the
//! dimension that is summed over. A panel holds a few lines: for each two steps of depth one pair
//! per line, the earlier step in the lower half. Lines and steps that are missing are zeros on both
//! sides, so they meet only each other and never turn an infinity into a NaN.

use std::ops::Range;

use super::operand::{Operand, bf16_bits, prefetch};
use crate::ops::cpu::vector::dispatched;

/// Lines of the left operand in a panel: the rows of a tile.
pub(super) const LEFT: usize = 12;
/// Lines of the right operand in a panel: the columns of a tile.
pub(super) const RIGHT: usize = 32;
/// Lines that are packed together, at most: their parts of a stored row lie side by side.
pub(super) const GROUP: usize = 144;
/// Pairs of one line that are rounded before they are spread over the panel: an even power of two,
/// since they go there and back between two arrays.
const PAIRS: usize = 16;
const _: () = assert!(PAIRS.is_power_of_two() && PAIRS.ilog2().is_multiple_of(2));

/// A packed operand, panel after panel.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub pairs: &'a [u32],
    /// Pairs in a line.
    pub depth: usize,
}

impl<'a> Panels<'a> {
    /// The panel that begins with this line.
    #[inline(always)]
    pub fn panel<const LINES: usize>(self, line: usize) -> &'a [[u32; LINES]] {
        self.pairs[line * self.depth..][..LINES * self.depth]
            .as_chunks()
            .0
    }

    /// From this line on, the first one of a panel.
    pub fn from(self, line: usize) -> Self {
        Self {
            pairs: &self.pairs[line * self.depth..],
            ..self
        }
    }
}

#[inline(always)]
fn pair(first: f32, second: f32) -> u32 {
    bf16_bits(second) | bf16_bits(first) >> 16
}

dispatched! {
    /// Packs up to [`GROUP`] rows of the left operand.
    pub(super) fn pack_left(
        operand: Operand<'_>,
        lines: Range<usize>,
        depth: Range<usize>,
        out: &mut [u32],
    ) {
        pack::<LEFT>(operand, lines, depth, out)
    }
}

dispatched! {
    /// Packs up to [`GROUP`] columns of the right operand.
    pub(super) fn pack_right(
        operand: Operand<'_>,
        lines: Range<usize>,
        depth: Range<usize>,
        out: &mut [u32],
    ) {
        pack::<RIGHT>(operand, lines, depth, out)
    }
}

#[inline(always)]
fn pack<const LINES: usize>(
    operand: Operand<'_>,
    lines: Range<usize>,
    depth: Range<usize>,
    out: &mut [u32],
) {
    if operand.by_line {
        for (panel, out) in out
            .chunks_exact_mut(LINES * depth.len().div_ceil(2))
            .enumerate()
        {
            let first = lines.start + panel * LINES;
            transpose::<LINES>(
                operand,
                first..lines.end.min(first + LINES),
                depth.clone(),
                out.as_chunks_mut().0,
            );
        }
    } else {
        interleave::<LINES>(operand, lines, depth, out);
    }
}

/// The even elements, then the odd ones: the lowest bit of every index becomes its highest.
/// Arguments cannot overlap, so the compiler sees vectors.
#[inline(always)]
fn shuffle(from: &[u32], to: &mut [u32]) {
    let half = from.len() / 2;
    for i in 0..half {
        to[i] = from[2 * i];
        to[half + i] = from[2 * i + 1];
    }
}

/// Packs lines that are stored as rows, [`PAIRS`] of each at a time.
#[inline(always)]
fn transpose<const LINES: usize>(
    operand: Operand<'_>,
    lines: Range<usize>,
    depth: Range<usize>,
    out: &mut [[u32; LINES]],
) {
    let size = LINES.next_power_of_two() * PAIRS;
    let (mut block, mut next) = ([0; RIGHT * PAIRS], [0; RIGHT * PAIRS]);
    for (start, out) in depth.clone().step_by(2 * PAIRS).zip(out.chunks_mut(PAIRS)) {
        let mut filled = block[..size].as_chunks_mut::<PAIRS>().0.iter_mut();
        for (line, out) in lines.clone().zip(filled.by_ref()) {
            let steps =
                &operand.values[line * operand.stride..][start..depth.end.min(start + 2 * PAIRS)];
            // These are more lines than the processor follows by itself: without, a large operand
            // takes twice as long.
            prefetch(
                operand
                    .values
                    .as_ptr()
                    .wrapping_add(line * operand.stride + start + 2 * PAIRS),
                2 * PAIRS,
            );
            match <&[f32; 2 * PAIRS]>::try_from(steps) {
                Ok(steps) => (0..PAIRS).for_each(|i| out[i] = pair(steps[2 * i], steps[2 * i + 1])),
                Err(_) => {
                    let mut padded = [0.0; 2 * PAIRS];
                    padded[..steps.len()].copy_from_slice(steps);
                    (0..PAIRS).for_each(|i| out[i] = pair(padded[2 * i], padded[2 * i + 1]));
                }
            }
        }
        filled.for_each(|out| *out = [0; PAIRS]);
        // Once for each bit of a pair's place in its line, and the lines, not the pairs, lie side
        // by side.
        for _ in 0..PAIRS.ilog2() / 2 {
            shuffle(&block[..size], &mut next[..size]);
            shuffle(&next[..size], &mut block[..size]);
        }
        for (out, pairs) in out.iter_mut().zip(block.chunks(LINES.next_power_of_two())) {
            out.copy_from_slice(&pairs[..LINES]);
        }
    }
}

/// Packs lines that are stored as columns, two stored rows at a time: rounded along the rows, whose
/// length is no panel's, and only then cut into panels.
#[inline(always)]
fn interleave<const LINES: usize>(
    operand: Operand<'_>,
    lines: Range<usize>,
    depth: Range<usize>,
    out: &mut [u32],
) {
    let panel = LINES * depth.len().div_ceil(2);
    let step = |step: usize| {
        if step < depth.end {
            &operand.values[step * operand.stride..][lines.clone()]
        } else {
            &[0.0; GROUP][..lines.len()]
        }
    };
    // Lines that are missing from the last panel stay 0.
    let mut pairs = [0; GROUP + RIGHT];
    for (place, start) in depth.clone().step_by(2).enumerate() {
        let rows = step(start).iter().zip(step(start + 1));
        for (pair_of, (&first, &second)) in pairs.iter_mut().zip(rows) {
            *pair_of = pair(first, second);
        }
        for (pairs, out) in pairs.chunks_exact(LINES).zip(out.chunks_exact_mut(panel)) {
            out[place * LINES..][..LINES].copy_from_slice(pairs);
        }
    }
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
