//! How the process holds on to memory: huge pages on Linux, kept memory on Linux with glibc.
//! Elsewhere nothing here does anything.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, whose large blocks ask for huge pages: a fault then brings 2 MiB where
/// it brought 4 KiB, and a product that walks down the columns of a large matrix touches few pages.
/// Linux grants them where `/sys/kernel/mm/transparent_hugepage/enabled` says `madvise` or
/// `always`.
#[derive(Debug)]
pub struct HugePages;

// SAFETY: every call goes to the system's allocator unchanged, and advice on pages changes neither
// their contents nor whether they may be used.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        advised(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        advised(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promised.
        advised(unsafe { System.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
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
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` takes the allocator's own locks, and moves nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
