//! How the process holds on to memory. Elsewhere than on Linux with glibc nothing here does anything.

/// Keeps freed memory for the next allocation, where the C library's allocator would hand it back to the system and fetch it again at every step: a step frees and asks for the same
/// buffers, and each fresh page costs a fault and a clearing. To be called before any thread is started.
pub fn keep_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Blocks above it are mapped on their own, and given back at once.
        const MAPPED: i32 = 1 << 30;
        // SAFETY: `mallopt` only sets numbers of the allocator. A refused value changes nothing but speed.
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
