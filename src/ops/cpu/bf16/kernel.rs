//! The inner loops of the bfloat16 product: one block of the result from packed operands, on the
//! processor's own instruction or on plain f32.
//!
//! The kernel is written once, over [`Lanes`]; what differs between the two sets of instructions is
//! a line each.

use super::pack::{LEFT, Panels, RIGHT};
use super::target::Target;

/// Numbers in one vector.
pub(super) const LANES: usize = 16;
/// Vectors side by side in a tile.
const VECTORS: usize = RIGHT / LANES;
/// Rows that a tile grows by, so that a few rows do not cost a full tile.
const STEP: usize = 4;

/// Sixteen f32 sums and sixteen pairs of bfloat16 numbers, and what the kernel does with them.
pub(super) trait Lanes: Copy + Send + Sync {
    type Sums: Copy;
    type Pairs: Copy;

    fn zero(self) -> Self::Sums;
    fn load(self, pairs: &[u32; LANES]) -> Self::Pairs;
    /// The same pair in every lane.
    fn broadcast(self, pair: u32) -> Self::Pairs;
    /// Adds the product of the upper halves, then that of the lower halves.
    fn dot(self, sums: Self::Sums, left: Self::Pairs, right: Self::Pairs) -> Self::Sums;
    fn store(self, sums: Self::Sums, out: &mut [f32; LANES]);
    /// [`Block::multiply`], compiled for these instructions.
    ///
    /// # Safety
    /// As there.
    unsafe fn run(self, block: Tile<'_>);
}

/// A block of the result, and its operands' panels.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    pub left: Panels<'a>,
    pub right: Panels<'a>,
    pub rows: usize,
    pub columns: usize,
    pub out: Target<'a>,
    pub scale: f32,
    /// Whether the result is added to what is there.
    pub accumulate: bool,
}

impl Tile<'_> {
    /// Tile by tile: the right panel stays in the nearest cache while the left ones pass by.
    ///
    /// # Safety
    /// The block lies inside the result, and no other thread has a part of it.
    #[inline(always)]
    pub unsafe fn multiply<L: Lanes>(self, lanes: L) {
        let mut tile = [[0.0; RIGHT]; LEFT];
        for column in (0..self.columns).step_by(RIGHT) {
            let right = self.right.panel::<RIGHT>(column);
            for row in (0..self.rows).step_by(LEFT) {
                let left = self.left.panel::<LEFT>(row);
                let (rows, columns) = (LEFT.min(self.rows - row), RIGHT.min(self.columns - column));
                // SAFETY: the tile is a part of the block, so the caller's promise covers it.
                let out = unsafe { self.out.at(row, column) };
                (0..rows).for_each(|row| out.prefetch(row));
                match rows.div_ceil(STEP) {
                    1 => sum::<L, STEP>(lanes, left, right, &mut tile),
                    2 => sum::<L, { 2 * STEP }>(lanes, left, right, &mut tile),
                    _ => sum::<L, LEFT>(lanes, left, right, &mut tile),
                }
                for (row, sums) in tile[..rows].iter().enumerate() {
                    // A whole row has a length that the compiler knows, so its loop has no rest.
                    let sums = if columns == RIGHT {
                        sums
                    } else {
                        &sums[..columns]
                    };
                    // SAFETY: as above.
                    unsafe { out.write(row, sums, self.scale, self.accumulate) };
                }
            }
        }
    }
}

/// The first rows of a tile. Its sums stay in registers: 24 for all rows, and the right operand's
/// two.
#[inline(always)]
fn sum<L: Lanes, const ROWS: usize>(
    lanes: L,
    left: &[[u32; LEFT]],
    right: &[[u32; RIGHT]],
    tile: &mut [[f32; RIGHT]; LEFT],
) {
    let mut sums = [[lanes.zero(); VECTORS]; ROWS];
    for (left, right) in left.iter().zip(right) {
        let (right, _) = right.as_chunks::<LANES>();
        let right: [L::Pairs; VECTORS] = std::array::from_fn(|vector| lanes.load(&right[vector]));
        for row in 0..ROWS {
            let left = lanes.broadcast(left[row]);
            for vector in 0..VECTORS {
                sums[row][vector] = lanes.dot(sums[row][vector], left, right[vector]);
            }
        }
    }
    for (tile, sums) in tile.iter_mut().zip(&sums) {
        let (tile, _) = tile.as_chunks_mut::<LANES>();
        (0..VECTORS).for_each(|vector| lanes.store(sums[vector], &mut tile[vector]));
    }
}

/// Plain f32 arithmetic, for tests on any machine. The product of two bfloat16 numbers is exact in
/// f32, so each sum is rounded where the instruction rounds it.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(super) struct Portable;

#[cfg(test)]
impl Lanes for Portable {
    type Sums = [f32; LANES];
    type Pairs = [u32; LANES];

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        [0.0; LANES]
    }

    #[inline(always)]
    fn load(self, pairs: &[u32; LANES]) -> Self::Pairs {
        *pairs
    }

    #[inline(always)]
    fn broadcast(self, pair: u32) -> Self::Pairs {
        [pair; LANES]
    }

    #[inline(always)]
    fn dot(self, mut sums: Self::Sums, left: Self::Pairs, right: Self::Pairs) -> Self::Sums {
        const UPPER: u32 = 0xffff_0000;
        for lane in 0..LANES {
            sums[lane] += f32::from_bits(left[lane] & UPPER) * f32::from_bits(right[lane] & UPPER);
            sums[lane] += f32::from_bits(left[lane] << 16) * f32::from_bits(right[lane] << 16);
        }
        sums
    }

    #[inline(always)]
    fn store(self, sums: Self::Sums, out: &mut [f32; LANES]) {
        *out = sums;
    }

    unsafe fn run(self, block: Tile<'_>) {
        // SAFETY: the caller's promise.
        unsafe { block.multiply(self) }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::Avx512;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LANES, Lanes, Tile};
    use std::arch::x86_64::*;

    /// AVX512-BF16. A value is the proof that this machine has the instructions, so the methods may
    /// use them.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512(());

    impl Avx512 {
        pub fn detect() -> Option<Self> {
            let known = is_x86_feature_detected!("avx512bf16")
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq");
            known.then_some(Self(()))
        }
    }

    // Each method is inlined into `run`'s inner function, the only place where the compiler may use
    // the instructions.
    impl Lanes for Avx512 {
        type Sums = __m512;
        type Pairs = __m512bh;

        #[inline(always)]
        fn zero(self) -> __m512 {
            // SAFETY: the machine has these instructions.
            unsafe { _mm512_setzero_ps() }
        }

        #[inline(always)]
        fn load(self, pairs: &[u32; LANES]) -> __m512bh {
            // SAFETY: the machine has these instructions; the array is as long as the vector, and
            // both are plain bits.
            unsafe { std::mem::transmute(_mm512_loadu_si512(pairs.as_ptr().cast())) }
        }

        #[inline(always)]
        fn broadcast(self, pair: u32) -> __m512bh {
            // SAFETY: the machine has these instructions, and both vectors are plain bits.
            unsafe { std::mem::transmute(_mm512_set1_epi32(pair as i32)) }
        }

        #[inline(always)]
        fn dot(self, sums: __m512, left: __m512bh, right: __m512bh) -> __m512 {
            // SAFETY: the machine has these instructions.
            unsafe { _mm512_dpbf16_ps(sums, left, right) }
        }

        #[inline(always)]
        fn store(self, sums: __m512, out: &mut [f32; LANES]) {
            // SAFETY: the machine has these instructions; the array is as long as the vector.
            unsafe { _mm512_storeu_ps(out.as_mut_ptr(), sums) }
        }

        unsafe fn run(self, block: Tile<'_>) {
            #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx512bf16")]
            unsafe fn with_avx512(lanes: Avx512, block: Tile<'_>) {
                // SAFETY: the caller's promise.
                unsafe { block.multiply(lanes) }
            }
            // SAFETY: the machine has these instructions; the rest is the caller's promise.
            unsafe { with_avx512(self, block) }
        }
    }
}
