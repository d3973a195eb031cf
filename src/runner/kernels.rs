//! Kernels of a card, compiled once and kept in the cache: a file for what they were made of, which
//! begins with its own checksum. What is not as it was is made again.

use std::path::PathBuf;

use super::cache::{CacheLayout, cache_folder};
use crate::digest::sha256;
use crate::files::{create_folders, read_limited, write_atomically};
use crate::ops::cuda::KernelStore;

/// More than the kernels of any card take.
const LIMIT: u64 = 64 << 20;

/// The folder that they are in; none where there is no cache.
pub(super) struct KeptKernels(Option<PathBuf>);

impl KeptKernels {
    pub fn new() -> Self {
        let cache = cache_folder().ok();
        Self(cache.map(|root| CacheLayout::new(&root).kernels()))
    }

    fn file(&self, made_of: &str) -> Option<PathBuf> {
        let name = sha256(made_of.as_bytes());
        Some(self.0.as_ref()?.join(format!("{}.cubin", &name[..16])))
    }
}

impl KernelStore for KeptKernels {
    fn kept(&self, made_of: &str) -> Option<Vec<u8>> {
        let bytes = read_limited(&self.file(made_of)?, LIMIT).ok()?;
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let image = &bytes[end + 1..];
        (bytes[..end] == *first_line(made_of, image).as_bytes()).then(|| image.to_vec())
    }

    fn keep(&self, made_of: &str, image: &[u8]) {
        let Some(file) = self.file(made_of) else {
            return;
        };
        let bytes = [first_line(made_of, image).as_bytes(), b"\n", image].concat();
        // A start that cannot keep them compiles them again.
        let _ = file
            .parent()
            .map_or(Ok(()), create_folders)
            .and_then(|()| write_atomically(&file, &bytes));
    }
}

/// The checksum of what they were made of and of themselves.
fn first_line(made_of: &str, image: &[u8]) -> String {
    format!("{} {}", sha256(made_of.as_bytes()), sha256(image))
}

#[cfg(test)]
#[path = "kernels_tests.rs"]
mod tests;
