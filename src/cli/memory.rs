//! How the process holds on to memory.

/// Keeps freed memory for the next allocation, where the C library's allocator would hand it back to the system and fetch it again at every step: a step frees and asks for the same
/// buffers, and each fresh page costs a fault and a clearing.
///
/// What a process holds at its peak it holds to its end. Elsewhere than on Linux with glibc this does nothing.
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Blocks above it are mapped on their own, and given back at once.
        const MAPPED: i32 = 1 << 30;
        // SAFETY: `mallopt` only sets numbers of the allocator, and is called before any thread is started. A refused value changes nothing but speed.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
            libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        }
    }
}
