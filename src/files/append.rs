//! A file that grows, and whose torn end can be cut off.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::error::explain;
use super::folders::{create_folders, split, sync_folder};
use super::system;
use super::write::write_new;

/// A file to append to. What was appended is durable after [`Append::sync`].
///
/// A write that fails half-way is cut off before the next one. After a failed flush nothing more is
/// accepted: the system may count the lost bytes as written, so only writing them again, from the
/// start, would be safe.
#[derive(Debug)]
pub struct Append {
    path: PathBuf,
    file: File,
    /// Bytes that were written whole.
    length: u64,
    /// Whether there may be more than `length` bytes.
    torn: bool,
    /// Whether a flush failed.
    lost: bool,
}

impl Append {
    /// Opens a file (made where it is missing) and keeps its first `keep` bytes.
    ///
    /// # Errors
    /// Anything the disk refuses, and a file that is shorter.
    pub fn open(path: &Path, keep: u64) -> Result<Self> {
        if !path.exists() {
            let folder = split(path).0;
            create_folders(folder)?;
            write_new(path, &[])?;
            sync_folder(folder)?;
        }
        let refuse = |error| explain(error, "open", path);
        let file = system::open_append(path).map_err(refuse)?;
        let found = file.metadata().map_err(refuse)?.len();
        if found < keep {
            bail!(
                "{} has {found} bytes where {keep} are needed",
                path.display()
            );
        }
        let mut append = Self {
            path: path.to_owned(),
            file,
            length: keep,
            torn: found > keep,
            lost: false,
        };
        append.cut()?;
        Ok(append)
    }

    /// Bytes written so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends bytes as a whole.
    ///
    /// # Errors
    /// Anything the disk refuses; the file then counts as unchanged.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.cut()?;
        self.torn = true;
        system::write(&mut self.file, &self.path, bytes)
            .map_err(|error| explain(error, "write", &self.path))?;
        self.torn = false;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes what was appended durable.
    ///
    /// # Errors
    /// Anything the disk refuses; every later call is then an error.
    pub fn sync(&mut self) -> Result<()> {
        self.cut()?;
        self.lost = true;
        system::sync_file(&self.file, &self.path)
            .map_err(|error| explain(error, "flush", &self.path))?;
        self.lost = false;
        Ok(())
    }

    /// Keeps the first `length` bytes.
    ///
    /// # Errors
    /// Anything the disk refuses, and a file that is shorter.
    pub fn truncate(&mut self, length: u64) -> Result<()> {
        if length > self.length {
            bail!(
                "{} has {} bytes where {length} are needed",
                self.path.display(),
                self.length
            );
        }
        self.torn |= length < self.length;
        self.length = length;
        self.cut()
    }

    fn cut(&mut self) -> Result<()> {
        if self.lost {
            bail!(
                "{} could not be flushed before, so its end may be lost; run the same command \
                 again",
                self.path.display()
            );
        }
        if self.torn {
            system::truncate(&self.file, &self.path, self.length)
                .map_err(|error| explain(error, "truncate", &self.path))?;
            self.torn = false;
        }
        Ok(())
    }
}
