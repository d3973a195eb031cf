//! How the process holds on to memory: large blocks that are kept on Linux
//! ([`super::kept_blocks`]), all that is freed on Linux with glibc. Elsewhere nothing here does
//! anything.

use std::alloc::{GlobalAlloc, Layout, System};

#[cfg(target_os = "linux")]
use super::kept_blocks::KeptBlocks;

/// Addresses for large blocks: more than any machine's memory that this runs on. They cost nothing
/// until they are used.
#[cfg(target_os = "linux")]
const ADDRESSES: usize = 1 << 42;
#[cfg(target_os = "linux")]
static LARGE_BLOCKS: KeptBlocks = KeptBlocks::new(ADDRESSES);

/// The system's allocator, but for large blocks, which are kept for the next request of their size
/// (Linux), and ask for huge pages: a fault then brings 2 MiB where it brought 4 KiB, and a product
/// that walks down the columns of a large matrix touches few pages. Linux grants them where
/// `/sys/kernel/mm/transparent_hugepage/enabled` says `madvise` or `always`.
#[derive(Debug)]
pub struct LargeBlocks;

// SAFETY: a block comes from the system's allocator or from `LARGE_BLOCKS`, and goes back to where
// it came from, which its address tells. Both give blocks that are large enough, aligned and
// nobody else's; advice on pages changes neither their contents nor whether they may be used.
unsafe impl GlobalAlloc for LargeBlocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        #[cfg(target_os = "linux")]
        if LARGE_BLOCKS.takes(layout) {
            let (block, _) = LARGE_BLOCKS.take(layout.size());
            if !block.is_null() {
                return block;
            }
        }
        // SAFETY: as the caller promised.
        advised(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        #[cfg(target_os = "linux")]
        if LARGE_BLOCKS.takes(layout) {
            let (block, is_zero) = LARGE_BLOCKS.take(layout.size());
            if !block.is_null() {
                if !is_zero {
                    // SAFETY: the block has that size.
                    unsafe { block.write_bytes(0, layout.size()) };
                }
                return block;
            }
        }
        // SAFETY: as the caller promised.
        advised(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        #[cfg(target_os = "linux")]
        {
            let is_kept = LARGE_BLOCKS.holds(block);
            if is_kept && LARGE_BLOCKS.is_of_one_size(layout.size(), size) {
                return block;
            }
            let wanted = Layout::from_size_align(size, layout.align());
            if let Ok(wanted) = wanted
                && (is_kept || LARGE_BLOCKS.takes(wanted))
            {
                // SAFETY: both blocks have the bytes that are copied, and the old one is freed as
                // it was made.
                unsafe {
                    let moved = self.alloc(wanted);
                    if !moved.is_null() {
                        moved.copy_from_nonoverlapping(block, size.min(layout.size()));
                        self.dealloc(block, layout);
                    }
                    return moved;
                }
            }
        }
        // SAFETY: as the caller promised.
        advised(unsafe { System.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        #[cfg(target_os = "linux")]
        if LARGE_BLOCKS.holds(block) {
            // SAFETY: the block was handed out for this layout, and the caller gives it away.
            unsafe { LARGE_BLOCKS.put(block, layout.size()) };
            return;
        }
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The block, its whole huge pages asked for.
#[inline]
fn advised(block: *mut u8, size: usize) -> *mut u8 {
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 2 << 20;
        /// Smaller blocks hold too few whole pages.
        const LARGE: usize = 2 * PAGE;
        if size >= LARGE && !block.is_null() {
            let before = block.addr().next_multiple_of(PAGE) - block.addr();
            // SAFETY: the range lies inside the block. A kernel that refuses leaves everything as
            // it was.
            unsafe {
                libc::madvise(
                    block.add(before).cast(),
                    (size - before) / PAGE * PAGE,
                    libc::MADV_HUGEPAGE,
                );
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = size;
    block
}

/// Keeps freed memory for the next allocation, where the C library's allocator would hand it back
/// to the system and fetch it again at every step: a step frees and asks for the same buffers, and
/// each fresh page costs a fault and a clearing. To be called before any thread is started.
pub fn keep_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Blocks above it are mapped on their own, and given back at once.
        const MAPPED: i32 = 1 << 30;
        // SAFETY: `mallopt` only sets numbers of the allocator. A refused value changes nothing but
        // speed.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
            libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        }
    }
}

/// Gives back what is free: what loading took is of no use to the steps.
pub(super) fn give_back_memory() {
    #[cfg(target_os = "linux")]
    LARGE_BLOCKS.give_back();
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` takes the allocator's own locks, and moves nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
