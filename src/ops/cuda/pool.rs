//! The pool that a card's memory is taken from, and what it tells of itself.

use std::ffi::c_int;

use super::api::{self, checked};
use super::compile::Handle;
use super::functions;

/// The driver's own numbers for what is asked of a pool.
const RELEASE_THRESHOLD: u32 = 4;
const RESERVED_NOW: u32 = 5;
const USED_NOW: u32 = 7;
const USED_AT_MOST: u32 = 8;

/// The pool of a card.
pub(super) struct MemoryPool(Handle);

impl MemoryPool {
    /// Has the card keep freed memory for the next allocation: a step frees and asks for the same
    /// buffers. None where the driver has no pools.
    pub fn of_card(ordinal: usize) -> Result<Option<Self>, String> {
        let needed = [
            "cuDeviceGetDefaultMemPool",
            "cuMemPoolSetAttribute",
            "cuMemPoolGetAttribute",
        ];
        if !needed.into_iter().all(functions::has) {
            return Ok(None);
        }
        let (mut pool, mut threshold) = (std::ptr::null_mut(), u64::MAX);
        // SAFETY: a place for a handle, and one for the number that this attribute takes.
        unsafe {
            checked(api::cuDeviceGetDefaultMemPool(
                &raw mut pool,
                ordinal as c_int,
            ))?;
            checked(api::cuMemPoolSetAttribute(
                pool,
                RELEASE_THRESHOLD,
                (&raw mut threshold).cast(),
            ))?;
        }
        Ok(Some(Self(Handle(pool))))
    }

    /// Bytes that it keeps and nobody uses.
    pub fn kept(&self) -> u64 {
        match (self.number(RESERVED_NOW), self.number(USED_NOW)) {
            (Some(reserved), Some(used)) => reserved.saturating_sub(used),
            _ => 0,
        }
    }

    /// The most bytes that were in use at a time.
    pub fn most_in_use(&self) -> Option<u64> {
        self.number(USED_AT_MOST)
    }

    fn number(&self, attribute: u32) -> Option<u64> {
        let mut value = 0u64;
        // SAFETY: a pool that lives as long as the process, and a place for these attributes' kind.
        let code =
            unsafe { api::cuMemPoolGetAttribute(self.0.0, attribute, (&raw mut value).cast()) };
        (code == 0).then_some(value)
    }
}
