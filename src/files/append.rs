//! A file that grows at its end.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::fault;
use super::write::{create_folder, explain};

/// Appends whole pieces; what is not synced may be lost, and a torn piece at the end is the reader's to recognise.
#[derive(Debug)]
pub struct Append {
    file: File,
    path: PathBuf,
}

impl Append {
    /// Opens or makes the file, and cuts it to `length` bytes.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    pub fn open(path: &Path, length: u64) -> Result<Self> {
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let open = || {
            fault::point()?;
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.set_len(length)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(|error| explain(error, "open", path))?;
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// Adds a piece with one call of the operating system.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    pub fn append(&mut self, piece: &[u8]) -> Result<()> {
        fault::point().and_then(|()| self.file.write_all(piece)).map_err(|error| explain(error, "append to", &self.path))
    }

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// What the operating system says, with the path.
    pub fn sync(&mut self) -> Result<()> {
        fault::point().and_then(|()| self.file.sync_all()).map_err(|error| explain(error, "sync", &self.path))
    }
}
