//! Hashes, and `checksums.toml`: what a folder's files were when they were written.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::explain;
use super::pointer::is_lfs_pointer;
use super::read::read_text;
use super::system;
use super::write::write_new;
use crate::digest;

/// The file's name.
pub const CHECKSUMS: &str = "checksums.toml";

/// More than any list of checksums needs.
const LIMIT: u64 = 16 << 20;

/// Files by relative path, with `/` between names.
pub type Checksums = BTreeMap<String, Checksum>;

/// What a file was when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    pub bytes: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

impl Checksum {
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            sha256: digest::sha256(bytes),
        }
    }

    /// That of a file, read piece by piece.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let refuse = |error| explain(error, "read", path);
        let file = system::open_read(path).map_err(refuse)?;
        let (sha256, bytes) = digest::of_reader(file, Sha256::new()).map_err(refuse)?;
        Ok(Self { bytes, sha256 })
    }
}

/// A file that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    Missing {
        file: String,
    },
    Length {
        file: String,
        expected: u64,
        found: u64,
    },
    Content {
        file: String,
    },
}

impl Mismatch {
    pub fn file(&self) -> &str {
        match self {
            Self::Missing { file } | Self::Length { file, .. } | Self::Content { file } => file,
        }
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Missing { file } => write!(out, "{file} is missing"),
            Self::Length {
                file,
                expected,
                found,
            } => write!(
                out,
                "{file} has {found} bytes where {expected} were written"
            ),
            Self::Content { file } => write!(
                out,
                "{file} does not have the content that was written (its sha256 differs)"
            ),
        }
    }
}

/// The sha256 of a file, in hexadecimal digits.
///
/// # Errors
/// A file that cannot be read.
pub fn sha256_of_file(path: &Path) -> Result<String> {
    Ok(Checksum::of_file(path)?.sha256)
}

/// The text of `checksums.toml`.
///
/// # Errors
/// None: such a list has a form in TOML.
pub fn checksums_text(checksums: &Checksums) -> Result<String> {
    toml::to_string(checksums).context("checksums cannot be written as TOML")
}

/// Hashes `files` (relative paths) of a folder and writes its `checksums.toml`, which must not be
/// there yet.
///
/// # Errors
/// A file that cannot be read, or anything the disk refuses.
pub fn write_checksums<S: AsRef<str>>(folder: &Path, files: &[S]) -> Result<Checksums> {
    let entry = |file: &S| {
        Ok((
            file.as_ref().to_owned(),
            Checksum::of_file(&folder.join(file.as_ref()))?,
        ))
    };
    let checksums: Checksums = files.iter().map(entry).collect::<Result<_>>()?;
    let text = checksums_text(&checksums)?;
    write_new(&folder.join(CHECKSUMS), text.as_bytes())?;
    Ok(checksums)
}

/// Reads a folder's `checksums.toml`.
///
/// # Errors
/// A file that is missing, cannot be read or is not a list of checksums of files below the folder.
pub fn read_checksums(folder: &Path) -> Result<Checksums> {
    let path = folder.join(CHECKSUMS);
    let checksums: Checksums = toml::from_str(&read_text(&path, LIMIT)?)
        .with_context(|| format!("{} is damaged", path.display()))?;
    for file in checksums.keys() {
        if !Path::new(file)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            bail!(
                "{} is damaged: `{file}` is not a file below its folder",
                path.display()
            );
        }
    }
    Ok(checksums)
}

/// Compares every file of `checksums.toml` with what is there; none where all is well.
///
/// # Errors
/// No readable `checksums.toml`, or a file that is there and cannot be read.
pub fn verify_checksums(folder: &Path) -> Result<Vec<Mismatch>> {
    compare_some(folder, read_checksums(folder)?, |_| true)
}

/// Compares the files of a list that are wanted with what is in the folder.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn compare_some(
    folder: &Path,
    checksums: Checksums,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Mismatch>> {
    let mut found = Vec::new();
    for (file, entry) in checksums {
        if wanted(&file) {
            found.extend(compare(&folder.join(&file), file, &entry)?);
        }
    }
    Ok(found)
}

/// How a file differs from what was written, if it does.
pub(super) fn compare(path: &Path, file: String, entry: &Checksum) -> Result<Option<Mismatch>> {
    let length = match path.metadata() {
        Ok(about) if about.is_file() => about.len(),
        Ok(_) => return Ok(Some(Mismatch::Missing { file })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Some(Mismatch::Missing { file }));
        }
        Err(error) => return Err(explain(error, "read", path)),
    };
    if length != entry.bytes {
        // What stands for a file that was not fetched is none.
        return Ok(Some(if is_lfs_pointer(path) {
            Mismatch::Missing { file }
        } else {
            Mismatch::Length {
                file,
                expected: entry.bytes,
                found: length,
            }
        }));
    }
    Ok((Checksum::of_file(path)? != *entry).then_some(Mismatch::Content { file }))
}

/// The files of `checksums.toml` that are not there, or not at their length: quick, nothing is
/// hashed.
///
/// # Errors
/// No readable `checksums.toml`.
pub fn missing_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let checksums = read_checksums(folder)?;
    let is_there = |file: &str, entry: &Checksum| {
        folder
            .join(file)
            .metadata()
            .is_ok_and(|about| about.is_file() && about.len() == entry.bytes)
    };
    Ok(checksums
        .iter()
        .filter(|(file, entry)| !is_there(file, entry))
        .map(|(file, _)| PathBuf::from(file))
        .collect())
}

#[cfg(test)]
#[path = "checksums_tests.rs"]
mod tests;
