//! The hashes that name files: sha256 of those in large-file storage, git's blob hash of the
//! others.

use std::path::Path;

use anyhow::{Context, Result};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::digest;

/// The hash of a file's content, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hash {
    Sha256(String),
    /// sha1 over `blob LENGTH`, a zero byte and the content.
    Git(String),
}

impl Hash {
    /// Reads 64 or 40 lower-case hexadecimal digits, which say by their number what they are.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        match text.len() {
            64 if digits => Some(Self::Sha256(text.to_owned())),
            40 if digits => Some(Self::Git(text.to_owned())),
            _ => None,
        }
    }

    /// The digits: the name of the file's blob in the cache.
    pub fn digits(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::Git(digits) => digits,
        }
    }

    /// Whether a file of `length` bytes has this hash.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn is_of(&self, path: &Path, length: u64) -> Result<bool> {
        let found = match self {
            Self::Sha256(_) => hash_file(path, Sha256::new())?,
            Self::Git(_) => hash_file(path, Sha1::new_with_prefix(format!("blob {length}\0")))?,
        };
        Ok(found == self.digits())
    }
}

fn hash_file<D: Digest>(path: &Path, hash: D) -> Result<String> {
    let refuse = || format!("cannot read {}", path.display());
    let file = std::fs::File::open(path).with_context(refuse)?;
    let (digits, _) = digest::of_reader(file, hash).with_context(refuse)?;
    Ok(digits)
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
