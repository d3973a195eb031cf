//! The lines of a text file, packed or not, as the `datasets` library has them: a line ends with a
//! line feed, a carriage return or both, and holds neither. Memory holds one line and a block.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::archive::Archive;
use crate::plan::InputFault;

const BLOCK: usize = 256 * 1024;
/// The longest line.
const LONGEST_LINE: usize = 256 << 20;

/// A text file that is read line by line.
pub struct TextLines {
    path: PathBuf,
    archive: Archive,
    buffer: Vec<u8>,
    /// The part of the buffer that is not handed on yet.
    from: usize,
    to: usize,
    /// Bytes of the text before the buffer's first.
    before: u64,
    /// The last line ended with a carriage return, to which a line feed may belong.
    after_return: bool,
}

impl TextLines {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            archive: Archive::open(path)?,
            buffer: vec![0; BLOCK],
            from: 0,
            to: 0,
            before: 0,
            after_return: false,
        })
    }

    /// The next line; nothing at the end. What stands behind the last end of a line is a line too,
    /// unless it is nothing.
    ///
    /// # Errors
    /// A file that cannot be read or unpacked, or is not UTF-8; a line that is too long.
    pub fn next_line(&mut self) -> Result<Option<String>> {
        let mut line: Vec<u8> = Vec::new();
        let start = self.before + self.from as u64;
        let mut any = false;
        loop {
            if self.from == self.to && !self.fill()? {
                return if any {
                    self.text(line, start)
                } else {
                    Ok(None)
                };
            }
            if std::mem::take(&mut self.after_return) && self.buffer[self.from] == b'\n' {
                self.from += 1;
                continue;
            }
            any = true;
            let block = &self.buffer[self.from..self.to];
            let end = block.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            line.extend_from_slice(&block[..end.unwrap_or(block.len())]);
            if line.len() > LONGEST_LINE {
                bail!(
                    "a line of {} has more than {} MiB: is it text?",
                    self.path.display(),
                    LONGEST_LINE >> 20
                );
            }
            match end {
                Some(end) => {
                    self.after_return = block[end] == b'\r';
                    self.from += end + 1;
                    return self.text(line, start);
                }
                None => self.from = self.to,
            }
        }
    }

    fn fill(&mut self) -> Result<bool> {
        self.before += self.to as u64;
        self.to = self.archive.read(&mut self.buffer)?;
        self.from = 0;
        Ok(self.to > 0)
    }

    fn text(&self, line: Vec<u8>, start: u64) -> Result<Option<String>> {
        match String::from_utf8(line) {
            Ok(line) => Ok(Some(line)),
            Err(error) => {
                let message = format!(
                    "{} is not UTF-8: byte {}{} is no part of a character",
                    self.path.display(),
                    start + error.utf8_error().valid_up_to() as u64,
                    self.archive.of_what()
                );
                Err(InputFault::new(message, "convert the file (iconv -t UTF-8)").into())
            }
        }
    }
}

#[cfg(test)]
#[path = "text_lines_tests.rs"]
mod tests;
