//! Sums over the rows of a matrix, for the gradients of a critic's biases and of w.

use rayon::prelude::*;

use crate::ops::cpu::vector::dispatched;

/// Adds `scale` times the sum of the rows of `values` (rows, C) to `sums` (C), in the order of the
/// rows.
pub(super) fn add_scaled_column_sums(sums: &mut [f32], values: &[f32], scale: f32) {
    let width = sums.len();
    let columns = width.div_ceil(4).max(32);
    sums.par_chunks_mut(columns)
        .enumerate()
        .for_each(|(block, sums)| {
            let mut total = vec![0.0f32; sums.len()];
            add_rows(
                &mut total,
                &values[(block * columns).min(values.len())..],
                width,
            );
            sums.iter_mut()
                .zip(&total)
                .for_each(|(sum, total)| *sum += scale * total);
        });
}

dispatched! {
    /// sums += each row of `values` in turn; rows begin `stride` apart and may be longer than the
    /// sums.
    fn add_rows(sums: &mut [f32], values: &[f32], stride: usize) {
        for row in values.chunks(stride) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
    }
}
