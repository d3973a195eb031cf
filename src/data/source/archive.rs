//! Text files as they are and as gzip or zstandard pack them, read alike.
//!
//! What is unpacked is handed on block by block, so memory depends on neither the file nor what it
//! unpacks to. A packed file is known by its first bytes, which begin no UTF-8 text (zstandard's
//! skippable frames do: there, and where a file is packed by its name alone, the name decides).

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::bufread::MultiGzDecoder;

/// Bytes of the packed file that are read at a time.
const BLOCK: usize = 64 * 1024;

/// A file that is read from front to back.
pub struct Archive {
    path: PathBuf,
    content: Box<dyn Read>,
    /// `gzip` or `zstandard`.
    packed_by: Option<&'static str>,
}

impl Archive {
    /// Opens a file, packed or not.
    ///
    /// # Errors
    /// A file that cannot be opened, or is called `.gz` or `.zst` and is empty.
    pub fn open(path: &Path) -> Result<Self> {
        #[cfg(test)]
        super::file_reads::note(path);
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut file = BufReader::with_capacity(BLOCK, file);
        let first = file
            .fill_buf()
            .with_context(|| format!("cannot read {}", path.display()))?;
        let packed_by = packed_by(path, first);
        if let (Some(packer), true) = (packed_by, first.is_empty()) {
            bail!(
                "{} is named as a {packer} archive and is empty; pack it again, or name it as \
                 plain text",
                path.display()
            );
        }
        let content: Box<dyn Read> = match packed_by {
            Some("gzip") => Box::new(MultiGzDecoder::new(file)),
            Some(_) => Box::new(
                zstd::Decoder::with_buffer(file)
                    .with_context(|| format!("cannot unpack {}", path.display()))?,
            ),
            None => Box::new(file),
        };
        Ok(Self {
            path: path.to_owned(),
            content,
            packed_by,
        })
    }

    /// Reads some bytes of the text; 0 at its end.
    ///
    /// # Errors
    /// A file that cannot be read; an archive that is damaged or cut short.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            return match (self.content.read(buffer), self.packed_by) {
                (Ok(count), _) => Ok(count),
                (Err(error), _) if error.kind() == ErrorKind::Interrupted => continue,
                // What the system says has a number; the rest comes from unpacking.
                (Err(error), Some(packer)) if error.raw_os_error().is_none() => {
                    bail!(
                        "{} is no whole {packer} archive ({error}); fetch or pack it again",
                        self.path.display()
                    )
                }
                (Err(error), _) => {
                    Err(error).with_context(|| format!("cannot read {}", self.path.display()))
                }
            };
        }
    }

    /// What a place in the text is a place of.
    pub fn of_what(&self) -> &'static str {
        if self.packed_by.is_some() {
            " of the unpacked text"
        } else {
            ""
        }
    }
}

fn packed_by(path: &Path, first: &[u8]) -> Option<&'static str> {
    let name = path
        .extension()
        .and_then(|ending| ending.to_str())
        .map(str::to_ascii_lowercase);
    if first.starts_with(&[0x1f, 0x8b]) || name.as_deref() == Some("gz") {
        Some("gzip")
    } else if first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || matches!(name.as_deref(), Some("zst" | "zstd"))
    {
        Some("zstandard")
    } else {
        None
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
