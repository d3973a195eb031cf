//! Matrix products on slices, in the precision asked for. Their sums have an order that does not
//! depend on the number of threads (held by a test).

use std::cell::Cell;

use super::bf16::product_bf16;
use super::gemm::product_f32;
use super::product::Product;
use crate::ops::Precision;

thread_local! {
    /// Whether this thread has its own part of the work, so that products need not be shared out.
    static ON_THIS_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Runs work whose products stay on this thread. That is a matter of speed alone: their bits do not
/// depend on it.
pub fn on_this_thread<R>(work: impl FnOnce() -> R) -> R {
    struct Restored(bool);
    impl Drop for Restored {
        fn drop(&mut self) {
            ON_THIS_THREAD.set(self.0);
        }
    }
    let _restored = Restored(ON_THIS_THREAD.replace(true));
    work()
}

/// out = scale·left·right, or out += scale·left·right: `left` (m, k), `right` (k, n), `out` (m,
/// n), each stored as `p` says.
pub(super) fn product(p: Product, left: &[f32], right: &[f32], out: &mut [f32]) {
    let p = Product {
        serial: p.serial || ON_THIS_THREAD.get(),
        ..p
    };
    match p.precision {
        Precision::F32 => product_f32(p, left, right, out),
        Precision::Bf16 => product_bf16(p, left, right, out),
        Precision::Tf32 => unreachable!("a plan refuses tf32 on the processor"),
    }
}

#[cfg(test)]
#[path = "matmul_tests.rs"]
mod tests;
