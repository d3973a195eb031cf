//! Where the sums of a product go.

use std::marker::PhantomData;

use super::operand::prefetch;
use super::pack::RIGHT;
use crate::ops::cpu::product::Product;

/// The result from some element on, for threads that write different parts of it.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    first: *mut f32,
    stride: usize,
    result: PhantomData<&'a [f32]>,
}

// SAFETY: it only writes, and `write` asks its caller for a part that no other thread has.
unsafe impl Send for Target<'_> {}
// SAFETY: as above.
unsafe impl Sync for Target<'_> {}

impl<'a> Target<'a> {
    /// The whole result of `p`; `None` if there is nothing to multiply, and the result is complete.
    pub fn of(p: Product, out: &'a mut [f32]) -> Option<Self> {
        if p.is_done_without_sums(out) {
            return None;
        }
        let stride = p.strides[2];
        assert!(
            stride >= p.n && out.len() >= (p.m - 1) * stride + p.n,
            "the result is too small"
        );
        Some(Self {
            first: out.as_mut_ptr(),
            stride,
            result: PhantomData,
        })
    }

    /// The part that begins at this row and column.
    ///
    /// # Safety
    /// That element lies inside.
    pub unsafe fn at(self, row: usize, column: usize) -> Self {
        // SAFETY: the caller's promise.
        Self {
            first: unsafe { self.first.add(row * self.stride + column) },
            ..self
        }
    }

    /// Asks for a tile's part of a row.
    #[inline(always)]
    pub fn prefetch(self, row: usize) {
        prefetch(self.first.wrapping_add(row * self.stride), RIGHT);
    }

    /// Writes scaled sums to the beginning of a row, or adds them to what is there.
    ///
    /// # Safety
    /// That part of the row lies inside, and no other thread has it.
    #[inline(always)]
    pub unsafe fn write(self, row: usize, sums: &[f32], scale: f32, accumulate: bool) {
        // SAFETY: the caller's promise.
        let out = unsafe {
            std::slice::from_raw_parts_mut(self.first.add(row * self.stride), sums.len())
        };
        if accumulate {
            out.iter_mut()
                .zip(sums)
                .for_each(|(out, sum)| *out += scale * sum);
        } else {
            out.iter_mut()
                .zip(sums)
                .for_each(|(out, sum)| *out = scale * sum);
        }
    }
}
