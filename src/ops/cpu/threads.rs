//! Independent work over the cores.

use rayon::prelude::*;

use super::matmul::on_this_thread;

/// Runs work on one of the threads that share an operation: from outside of them, every operation
/// would have to wake one and wait for it.
pub fn on_a_worker<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// Runs independent work on every item, over the cores.
pub fn side_by_side<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
    items.par_iter_mut().for_each(work);
}

/// What `work` makes of every item, over the cores, each item on a core of its own if there are
/// enough of them.
pub fn in_parts<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    let one_core_each = items.len() >= rayon::current_num_threads();
    items
        .into_par_iter()
        .with_max_len(1)
        .map(|item| {
            if one_core_each {
                on_this_thread(|| work(item))
            } else {
                work(item)
            }
        })
        .collect()
}
