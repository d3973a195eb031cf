//! Large blocks of memory that are kept from one step to the next.
//!
//! A training step asks for the same large buffers as the step before it. What the C library makes
//! of that depends on which of its arenas a thread has and on what lies beside a block: much is
//! handed back to the system and fetched again, and every fresh page costs a fault and a clearing.
//! Here a large block is of one of a few sizes, comes from one region of addresses that asks for
//! huge pages, and when it is freed it waits for the next request of its size.
//!
//! What waits is bounded: where a request finds no block and more waits than a quarter of what is
//! in use, the pages of waiting blocks go back to the system. So memory is about a quarter above
//! its need at most, and a step that repeats the one before costs no fault at all.

use std::alloc::Layout;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// The least that is a large block.
pub(super) const LEAST: usize = 256 << 10;
/// Sizes of an octave: a block is at most an eighth larger than what was asked for.
const STEPS: usize = 8;
const OCTAVES: usize = 22;
/// The page of the processor; more than this is no block's alignment.
const PAGE: usize = 4096;
/// What may wait whatever is in use.
const ALWAYS_KEPT: usize = 64 << 20;

/// Free blocks of one size: a list through the blocks themselves.
struct Waiting(*mut FreeBlock);

// SAFETY: the pointers are to memory that nobody else has, and the list is used behind a lock.
unsafe impl Send for Waiting {}

/// What stands at the beginning of a block that waits.
struct FreeBlock {
    next: *mut Self,
    /// Whether all its pages but the first are the system's.
    is_cold: bool,
}

/// The region and its blocks.
pub(super) struct KeptBlocks {
    /// Addresses to ask for.
    reserve: usize,
    reserved: Once,
    /// Where the region begins; 0 where there is none.
    base: AtomicUsize,
    /// Bytes of the region that were ever handed out.
    used: AtomicUsize,
    sizes: [Mutex<Waiting>; STEPS * OCTAVES],
    /// Bytes of blocks in use.
    live: AtomicUsize,
    /// Bytes of blocks that wait with their pages.
    waiting: AtomicUsize,
}

/// The place of a size in the list of sizes, and the size; none of a block too large to be kept.
fn size_class(bytes: usize) -> Option<(usize, usize)> {
    let octave = bytes.ilog2();
    let step = 1 << (octave - STEPS.ilog2());
    let steps = bytes.div_ceil(step);
    let class = (octave - LEAST.ilog2()) as usize * STEPS + (steps - STEPS);
    (class < STEPS * OCTAVES).then_some((class, steps * step))
}

impl KeptBlocks {
    /// No region yet; `reserve` addresses are asked for at the first request.
    pub const fn new(reserve: usize) -> Self {
        Self {
            reserve,
            reserved: Once::new(),
            base: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            sizes: [const { Mutex::new(Waiting(null_mut())) }; STEPS * OCTAVES],
            live: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether it takes blocks of this layout.
    pub fn takes(&self, layout: Layout) -> bool {
        layout.size() >= LEAST && layout.align() <= PAGE
    }

    /// Whether it handed the block out.
    pub fn holds(&self, block: *mut u8) -> bool {
        let base = self.base.load(Ordering::Acquire);
        base != 0 && (base..base + self.reserve).contains(&block.addr())
    }

    /// A block of at least `size` bytes, which is at least [`LEAST`], and whether it is all zeros;
    /// null where the region has no room.
    pub fn take(&self, size: usize) -> (*mut u8, bool) {
        let Some((class, capacity)) = size_class(size) else {
            return (null_mut(), false);
        };
        let mut list = self.list(class);
        let block = list.0;
        if !block.is_null() {
            // SAFETY: a block in the list is free and begins with its entry.
            let FreeBlock { next, is_cold } = unsafe { block.read() };
            list.0 = next;
            drop(list);
            if !is_cold {
                self.waiting.fetch_sub(capacity, Ordering::Relaxed);
            }
            self.live.fetch_add(capacity, Ordering::Relaxed);
            return (block.cast(), false);
        }
        drop(list);
        let live = self.live.load(Ordering::Relaxed);
        if self.waiting.load(Ordering::Relaxed) > ALWAYS_KEPT + live / 4 {
            self.give_back();
        }
        let block = self.fresh(capacity);
        if !block.is_null() {
            self.live.fetch_add(capacity, Ordering::Relaxed);
        }
        (block, true)
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// `block` was handed out by [`KeptBlocks::take`] for `size` bytes, and nobody has it any more.
    pub unsafe fn put(&self, block: *mut u8, size: usize) {
        let Some((class, capacity)) = size_class(size) else {
            return;
        };
        let block: *mut FreeBlock = block.cast();
        let mut list = self.list(class);
        // SAFETY: the block is whole pages that are nobody's, so its entry fits and is aligned.
        unsafe {
            block.write(FreeBlock {
                next: list.0,
                is_cold: false,
            });
        }
        list.0 = block;
        drop(list);
        self.live.fetch_sub(capacity, Ordering::Relaxed);
        self.waiting.fetch_add(capacity, Ordering::Relaxed);
    }

    /// Whether a block for `old` bytes holds `new` as well, as one of its size.
    pub fn is_of_one_size(&self, old: usize, new: usize) -> bool {
        new >= LEAST && size_class(old) == size_class(new)
    }

    /// Gives the pages of all blocks that wait back to the system, but for the first of each.
    pub fn give_back(&self) {
        for (class, list) in self.sizes.iter().enumerate() {
            let steps = class % STEPS + STEPS;
            let capacity = (LEAST << (class / STEPS)) / STEPS * steps;
            let list = locked(list);
            let mut block = list.0;
            while !block.is_null() {
                // SAFETY: blocks in the list are free, whole pages long, and stay in it while the
                // lock is held.
                unsafe {
                    if !(*block).is_cold {
                        discard(block.cast::<u8>().add(PAGE), capacity - PAGE);
                        (*block).is_cold = true;
                        self.waiting.fetch_sub(capacity, Ordering::Relaxed);
                    }
                    block = (*block).next;
                }
            }
        }
    }

    fn list(&self, class: usize) -> MutexGuard<'_, Waiting> {
        locked(&self.sizes[class])
    }

    /// Bytes of the region that nobody had yet.
    fn fresh(&self, capacity: usize) -> *mut u8 {
        self.reserved.call_once(|| {
            let base = reserved(self.reserve);
            self.base.store(base, Ordering::Release);
        });
        let base = self.base.load(Ordering::Acquire);
        let room = |used: usize| Some(used + capacity).filter(|end| *end <= self.reserve);
        if base == 0 {
            return null_mut();
        }
        let order = Ordering::Relaxed;
        match self.used.fetch_update(order, order, room) {
            Ok(used) => std::ptr::with_exposed_provenance_mut(base + used),
            Err(_) => null_mut(),
        }
    }
}

/// A lock that no panic can leave half-way: nothing behind it panics.
fn locked(list: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Addresses without memory behind them, which asks for huge pages once it is there; 0 where the
/// system gives none.
fn reserved(bytes: usize) -> usize {
    const HUGE: usize = 2 << 20;
    // SAFETY: a new mapping, which nobody else has; advice changes no contents.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let start = libc::mmap(null_mut(), bytes + HUGE, access, flags, -1, 0);
        if start == libc::MAP_FAILED {
            return 0;
        }
        let base = start.expose_provenance().next_multiple_of(HUGE);
        libc::madvise(
            std::ptr::with_exposed_provenance_mut(base),
            bytes,
            libc::MADV_HUGEPAGE,
        );
        base
    }
}

/// Hands pages back to the system; they are zeros when they are touched again.
///
/// # Safety
/// The pages are nobody's.
unsafe fn discard(start: *mut u8, bytes: usize) {
    // SAFETY: as the caller promised.
    unsafe {
        libc::madvise(start.cast(), bytes, libc::MADV_DONTNEED);
    }
}

#[cfg(test)]
#[path = "kept_blocks_tests.rs"]
mod tests;
