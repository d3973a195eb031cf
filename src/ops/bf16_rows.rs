//! The bfloat16 product for a few rows, as in decoding: every number of the right operand is used
//! so few times that packing it would cost more than it saves.

#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

use super::bf16_pack::{Operand, upper};
use super::vector::dispatched;

/// Rows up to which this pays.
pub(super) const ROWS: usize = 4;
/// Columns of the result that one piece of work covers.
pub(super) const COLUMNS: usize = 256;
/// Lanes of a sum along a line.
const LANES: usize = 32;

#[inline(always)]
fn rounded(x: f32) -> f32 {
    f32::from_bits(upper(x))
}

dispatched! {
    /// The sums of some rows against up to [`COLUMNS`] columns from `first` on. `left` holds
    /// rounded rows of length `depth`.
    pub(super) fn sums(left: &[f32], right: Operand<'_>, depth: usize, first: usize, sums: &mut [[f32; COLUMNS]], columns: usize) {
        let rows = left.chunks_exact(depth);
        if right.by_line {
            for column in 0..columns {
                let line = &right.values[(first + column) * right.stride..][..depth];
                for (row, sums) in rows.clone().zip(sums.iter_mut()) {
                    sums[column] = dot(row, line);
                }
            }
        } else {
            for step in 0..depth {
                let line = &right.values[step * right.stride..][first..first + columns];
                for (row, sums) in rows.clone().zip(sums.iter_mut()) {
                    let factor = row[step];
                    match <&[f32; COLUMNS]>::try_from(line) {
                        Ok(line) => (0..COLUMNS).for_each(|i| sums[i] += factor * rounded(line[i])),
                        Err(_) => sums.iter_mut().zip(line).for_each(|(sum, &x)| *sum += factor * rounded(x)),
                    }
                }
            }
        }
    }
}

/// Σ a·b in lanes, b rounded on the way.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        (0..LANES).for_each(|lane| sums[lane] += a[lane] * rounded(b[lane]));
    }
    for (sum, (a, &b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a * rounded(b);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        (0..width).for_each(|lane| sums[lane] += sums[lane + width]);
    }
    sums[0]
}
