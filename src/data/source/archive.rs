//! Text files as they are and as gzip or zstandard pack them, read alike.
//!
//! What is unpacked is handed on block by block, so memory depends on neither the file nor what it
//! unpacks to (a frame of zstandard may ask for a window of up to 2 GiB). A file is known by its
//! first bytes ([`super::contents`]), and so is what is unpacked from one; the name counts only
//! where a file that should be packed is neither that nor text.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};

use super::contents::{self, FileContents, TextPacking};
use super::gzip::GzipMembers;
use crate::plan::InputFault;

/// Bytes of the packed file that are read at a time.
const BLOCK: usize = 64 * 1024;
/// The largest window that a frame of zstandard can have, as `zstd --long=31` makes it.
const LARGEST_WINDOW: u32 = 31;

/// A file that is read from front to back.
pub struct Archive {
    path: PathBuf,
    content: Box<dyn Read>,
    packed_by: Option<TextPacking>,
}

impl Archive {
    /// Opens a file of text, packed or not.
    ///
    /// # Errors
    /// A file that cannot be opened, or holds something else than text: what, and what makes text
    /// of it.
    pub fn open(path: &Path) -> Result<Self> {
        #[cfg(test)]
        super::file_reads::note(path);
        Self::look_into(path)
    }

    /// The same for a file of which no more than the beginning is wanted.
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn look_into(path: &Path) -> Result<Self> {
        let cannot_read = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut file = BufReader::with_capacity(BLOCK, file);
        let head = contents::head(&mut file).with_context(cannot_read)?;
        let contents = FileContents::of(&head);
        let packed_by = match contents {
            FileContents::Packed(packing) => Some(packing),
            FileContents::Text if !is_text(&head) => TextPacking::of_name(path),
            FileContents::Text | FileContents::Other(_) => None,
        };
        let file = Cursor::new(head).chain(file);
        let Some(packing) = packed_by else {
            refuse(path, None, contents)?;
            return Ok(Self {
                path: path.to_owned(),
                content: Box::new(file),
                packed_by,
            });
        };
        let mut archive = Self {
            path: path.to_owned(),
            content: unpacker(file, packing).with_context(cannot_read)?,
            packed_by,
        };
        let inside = contents::head(&mut archive.content)
            .map_err(|error| archive.explained(error, packing))?;
        refuse(path, packed_by, FileContents::of(&inside))?;
        archive.content = Box::new(Cursor::new(inside).chain(archive.content));
        Ok(archive)
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
                (Err(error), Some(packing)) => Err(self.explained(error, packing)),
                (Err(error), None) => {
                    Err(error).with_context(|| format!("cannot read {}", self.path.display()))
                }
            };
        }
    }

    /// What an error is that came while something was unpacked: what the system says has a number,
    /// the rest is the archive's fault.
    fn explained(&self, error: std::io::Error, packing: TextPacking) -> Error {
        let path = self.path.display();
        if error.raw_os_error().is_some() {
            return Error::new(error).context(format!("cannot read {path}"));
        }
        let message = format!("{path} is no whole {} archive ({error})", packing.name());
        InputFault::new(message, "fetch or pack it again").into()
    }

    pub fn is_packed(&self) -> bool {
        self.packed_by.is_some()
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

fn unpacker(
    file: impl BufRead + 'static,
    packing: TextPacking,
) -> std::io::Result<Box<dyn Read + 'static>> {
    Ok(match packing {
        TextPacking::Gzip => Box::new(GzipMembers::new(file)),
        TextPacking::Zstandard => {
            let mut decoder = zstd::Decoder::with_buffer(file)?;
            decoder.window_log_max(LARGEST_WINDOW)?;
            Box::new(decoder)
        }
    })
}

fn refuse(path: &Path, packed_by: Option<TextPacking>, contents: FileContents) -> Result<()> {
    match contents::refusal(path, packed_by, contents, "text") {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

/// Whether these bytes are UTF-8 but for a character that they cut.
fn is_text(head: &[u8]) -> bool {
    !head.is_empty()
        && std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true)
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
