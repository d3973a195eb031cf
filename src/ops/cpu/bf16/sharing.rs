//! How the work of one product is shared out over the cores.

use rayon::prelude::*;

use crate::ops::cpu::product::Product;

/// Multiplications below which a second thread costs more than it gives.
const SMALL: usize = 1 << 17;

/// Whether the product stays on the calling thread.
pub(super) fn is_serial(p: Product) -> bool {
    p.serial || p.m * p.k * p.n < SMALL
}

// Pieces are handed out one by one. Left to itself rayon halves their number, and what a core has
// begun of its half no other can take: of eight pieces of 144 rows, the last of which is smaller,
// one core does 576 rows and the other 448.

/// Calls `work` for every number below `count`.
pub(super) fn for_each_index(serial: bool, count: usize, work: impl Fn(usize) + Sync + Send) {
    if serial {
        (0..count).for_each(work)
    } else {
        (0..count).into_par_iter().with_max_len(1).for_each(work)
    }
}

/// Calls `work` for every part of `size` values, the last of which may be shorter.
pub(super) fn for_each_part<T: Send>(
    serial: bool,
    values: &mut [T],
    size: usize,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    if serial {
        let parts = values.chunks_mut(size).enumerate();
        parts.for_each(|(index, part)| work(index, part));
    } else {
        let parts = values.par_chunks_mut(size).enumerate().with_max_len(1);
        parts.for_each(|(index, part)| work(index, part));
    }
}
