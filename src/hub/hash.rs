//! The hashes that name files: sha256 of those in large-file storage, git's blob hash of the
//! others.

use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result};
use sha1::Sha1;
use sha2::{Digest, Sha256};

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
            Self::Sha256(_) => digest(path, Sha256::new())?,
            Self::Git(_) => digest(path, Sha1::new_with_prefix(format!("blob {length}\0")))?,
        };
        Ok(found == self.digits())
    }
}

fn digest<D: Digest>(path: &Path, mut hash: D) -> Result<String> {
    let refuse = || format!("cannot read {}", path.display());
    let mut file = std::fs::File::open(path).with_context(refuse)?;
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => hash.update(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).with_context(refuse),
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
