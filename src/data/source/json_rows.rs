//! The values of a JSON file, packed or not, one row after another: on lines or not, or in a list,
//! as pyarrow and the `datasets` library take them. Memory holds one row.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow};
use serde::de::DeserializeSeed;
use serde_json::de::IoRead;

use super::archive::Archive;
use super::json_bytes::JsonBytes;
use crate::plan::InputFault;

/// The longest row; a file that needs more has no rows, or was made to fill the memory.
const LONGEST_ROW: u64 = 256 << 20;
const BLOCK: usize = 256 * 1024;

/// How the words of a seed begin that found parts where a text is wanted: usually all rows are so.
pub const IN_PARTS: &str = "the text is in parts";

/// A JSON file that is read row by row.
pub struct JsonRows {
    path: PathBuf,
    /// What messages call it where its rows are not the user's to mend.
    hub_name: Option<String>,
    json: serde_json::Deserializer<IoRead<BufReader<JsonBytes<RowBytes>>>>,
    /// Bytes read since the last row.
    taken: Arc<AtomicU64>,
}

impl JsonRows {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let bytes = RowBytes {
            path: path.to_owned(),
            archive: Archive::open(path)?,
            taken: Arc::clone(&taken),
            head: FileStart::Unread,
        };
        let bytes = BufReader::with_capacity(BLOCK, JsonBytes::new(bytes));
        Ok(Self {
            path: path.to_owned(),
            hub_name: None,
            json: serde_json::Deserializer::from_reader(bytes),
            taken,
        })
    }

    /// Opens a file of a dataset of the hub, which messages call by this name.
    ///
    /// # Errors
    /// As of [`JsonRows::open`].
    pub fn of_the_hub(path: &Path, name: &str) -> Result<Self> {
        Ok(Self {
            hub_name: Some(name.to_owned()),
            ..Self::open(path)?
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What `row` makes of the next value; nothing at the end.
    ///
    /// # Errors
    /// What is no JSON, and what the seed refuses, with the line.
    pub fn next_row<S, V>(&mut self, row: S) -> Result<Option<V>>
    where
        S: for<'de> DeserializeSeed<'de, Value = V>,
    {
        self.taken.store(0, Ordering::Relaxed);
        // At the end there is white space alone.
        let at_end = match self.json.end() {
            Err(error) if error.is_io() => return Err(self.refusal(&error)),
            found => found.is_ok(),
        };
        if at_end {
            return Ok(None);
        }
        let found = row.deserialize(&mut self.json);
        found.map(Some).map_err(|error| self.refusal(&error))
    }

    fn refusal(&self, error: &serde_json::Error) -> anyhow::Error {
        if error.is_io() {
            // What reading the file says has its own words.
            return anyhow!("{}", error);
        }
        let words = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let words = words.strip_suffix(&place).unwrap_or(&words);
        let hint = match &self.hub_name {
            Some(_) => "name another dataset, or mend a copy of it",
            None if words.starts_with(IN_PARTS) => {
                "write what is to be read of every row into a key of its own, as one text"
            }
            None => "mend the row, or take it out",
        };
        let name = self.hub_name.clone();
        let name = name.unwrap_or_else(|| self.path.display().to_string());
        InputFault::new(format!("{name}, line {}: {words}", error.line()), hint).into()
    }
}

/// Whether the mark of UTF-8 at the beginning was looked for.
enum FileStart {
    Unread,
    /// Bytes of the beginning that are none of the mark.
    Held(Vec<u8>),
    Done,
}

/// The bytes of a file, no more of them between two rows than a row may have.
struct RowBytes {
    path: PathBuf,
    archive: Archive,
    taken: Arc<AtomicU64>,
    head: FileStart,
}

impl Read for RowBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let other = |error: anyhow::Error| io::Error::other(format!("{error:#}"));
        if matches!(self.head, FileStart::Unread) {
            let mut head = vec![0; 3];
            let mut length = 0;
            while length < head.len() {
                match self.archive.read(&mut head[length..]).map_err(other)? {
                    0 => break,
                    count => length += count,
                }
            }
            head.truncate(length);
            if head == [0xef, 0xbb, 0xbf] {
                head.clear();
            }
            self.head = FileStart::Held(head);
        }
        if let FileStart::Held(head) = &mut self.head {
            let count = head.len().min(buffer.len());
            buffer[..count].copy_from_slice(&head[..count]);
            head.drain(..count);
            if head.is_empty() {
                self.head = FileStart::Done;
            }
            if count > 0 {
                return Ok(count);
            }
        }
        let count = self.archive.read(buffer).map_err(other)?;
        let taken = self.taken.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        if taken > LONGEST_ROW {
            return Err(io::Error::other(format!(
                "a row of {} has more than {} MiB: is every row an object by itself?",
                self.path.display(),
                LONGEST_ROW >> 20
            )));
        }
        Ok(count)
    }
}
