//! The bfloat16 product for a few rows, as in decoding: every number of the right operand is used
//! so few times that packing it would cost more than it saves.

use super::operand::{Operand, operands, round};
use super::sharing::{for_each_index, is_serial};
use super::target::Target;
use crate::ops::cpu::product::Product;
use crate::ops::cpu::vector::dispatched;

/// Rows up to which this pays.
pub(super) const ROWS: usize = 4;
/// Columns of the result that one piece of work covers.
const COLUMNS: usize = 256;
/// Lanes of a sum along a line.
const LANES: usize = 32;

/// See [`super::product_bf16`].
pub(super) fn multiply_few_rows(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    let Product { m, k, n, .. } = p;
    let Some(out) = Target::of(p, out) else {
        return;
    };
    let (left, right) = operands(p, left, right);
    let value = |row: usize, step: usize| {
        if left.by_line {
            row * left.stride + step
        } else {
            step * left.stride + row
        }
    };
    let left: Vec<f32> = (0..m * k)
        .map(|i| round(left.values[value(i / k, i % k)]))
        .collect();
    for_each_index(is_serial(p), n.div_ceil(COLUMNS), |piece| {
        let first = piece * COLUMNS;
        let columns = COLUMNS.min(n - first);
        let mut sums = [[0.0; COLUMNS]; ROWS];
        add_products(&left, right, k, first, &mut sums, columns);
        for (row, sums) in sums[..m].iter().enumerate() {
            // SAFETY: these columns lie inside the result and are this piece's alone.
            unsafe {
                out.at(0, first)
                    .write(row, &sums[..columns], p.scale, p.accumulate)
            };
        }
    });
}

dispatched! {
    /// The sums of some rows against up to [`COLUMNS`] columns from `first` on. `left` holds
    /// rounded rows of length `depth`.
    fn add_products(
        left: &[f32],
        right: Operand<'_>,
        depth: usize,
        first: usize,
        sums: &mut [[f32; COLUMNS]],
        columns: usize,
    ) {
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
                        Ok(line) => (0..COLUMNS).for_each(|i| sums[i] += factor * round(line[i])),
                        Err(_) => {
                            let pairs = sums.iter_mut().zip(line);
                            pairs.for_each(|(sum, &x)| *sum += factor * round(x));
                        }
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
        (0..LANES).for_each(|lane| sums[lane] += a[lane] * round(b[lane]));
    }
    for (sum, (a, &b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a * round(b);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        (0..width).for_each(|lane| sums[lane] += sums[lane + width]);
    }
    sums[0]
}
