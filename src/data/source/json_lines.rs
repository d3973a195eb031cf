//! One text of each row of a JSON file, packed or not.
//!
//! A row is an object; they come one after another, on lines or not, or in a list, as pyarrow and
//! the `datasets` library take them. A list may also hold the texts themselves. A row whose text is
//! null or missing has none. Memory holds one row.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::de::IoRead;

use super::archive::Archive;
use super::json_bytes::JsonBytes;
use crate::plan::InputFault;

/// The longest row; a file that needs more has no rows, or was made to fill the memory.
const LONGEST_ROW: u64 = 256 << 20;
const BLOCK: usize = 256 * 1024;
/// Names of keys that are kept for messages.
const MOST_KEYS: usize = 64;
/// The key that the items of a list of texts stand for.
const TEXT: &str = "text";

/// A JSON file that is read row by row.
pub struct JsonLines {
    path: PathBuf,
    column: String,
    json: serde_json::Deserializer<IoRead<BufReader<JsonBytes<RowBytes>>>>,
    /// Bytes read since the last row.
    taken: Arc<AtomicU64>,
    /// The keys of the rows so far.
    keys: BTreeSet<String>,
    rows: u64,
    /// Whether any row had the key that is wanted, null or not.
    has_column: bool,
}

impl JsonLines {
    /// Opens a file; `column` is the key whose texts are wanted.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: &Path, column: &str) -> Result<Self> {
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
            column: column.to_owned(),
            json: serde_json::Deserializer::from_reader(bytes),
            taken,
            keys: BTreeSet::new(),
            rows: 0,
            has_column: false,
        })
    }

    /// The text of the next row, which may have none; nothing at the end.
    ///
    /// # Errors
    /// What is no JSON or no object (with its line), a text that is none, a file none of whose rows
    /// has the key (with the keys there are).
    pub fn next_row(&mut self) -> Result<Option<Option<String>>> {
        self.taken.store(0, Ordering::Relaxed);
        // At the end there is white space alone.
        let at_end = match self.json.end() {
            Err(error) if error.is_io() => return Err(refusal(&self.path, &error)),
            found => found.is_ok(),
        };
        if at_end {
            if self.rows > 0 && !self.has_column {
                let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
                let message = format!(
                    "no row of {} has a key `{}`",
                    self.path.display(),
                    self.column
                );
                let hint = match keys.as_slice() {
                    [] => "its rows have no keys at all: name files with text".to_owned(),
                    keys => format!("write one of those there are: {}", keys.join(", ")),
                };
                return Err(InputFault::of_key("dataset.column", message, hint).into());
            }
            return Ok(None);
        }
        let row = JsonRow {
            column: &self.column,
            keys: &mut self.keys,
        };
        let found = row
            .deserialize(&mut self.json)
            .map_err(|error| refusal(&self.path, &error))?;
        self.rows += 1;
        self.has_column |= found.is_some();
        Ok(Some(found.flatten()))
    }
}

fn refusal(path: &Path, error: &serde_json::Error) -> anyhow::Error {
    if error.is_io() {
        // What reading the file says has its own words.
        return anyhow!("{}", error);
    }
    let words = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = words.strip_suffix(&place).unwrap_or(&words);
    let message = format!("{}, line {}: {words}", path.display(), error.line());
    InputFault::new(message, "mend the row, or take it out").into()
}

/// Reads a row: the text of the key, which may be null; nothing where the key is missing.
struct JsonRow<'a> {
    column: &'a str,
    keys: &'a mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for JsonRow<'_> {
    type Value = Option<Option<String>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonRow<'_> {
    type Value = Option<Option<String>>;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "an object with the key `{}`", self.column)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if self.column != TEXT {
            return Err(E::custom(format!(
                "the row is a text by itself, which is the column `{TEXT}` and not `{}`",
                self.column
            )));
        }
        Ok(Some(Some(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.column {
                if found.is_some() {
                    return Err(A::Error::custom(format!("the key `{key}` stands twice")));
                }
                found = Some(map.next_value::<JsonText>().map(|text| text.0)?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            if self.keys.len() < MOST_KEYS && !self.keys.contains(&key) {
                self.keys.insert(key);
            }
        }
        Ok(found)
    }
}

/// A text or null.
struct JsonText(Option<String>);

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(TextOrNull)
    }
}

struct TextOrNull;

impl<'de> Visitor<'de> for TextOrNull {
    type Value = JsonText;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a text or null")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<JsonText, E> {
        Ok(JsonText(Some(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<JsonText, E> {
        Ok(JsonText(Some(text)))
    }

    fn visit_unit<E: Error>(self) -> Result<JsonText, E> {
        Ok(JsonText(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<JsonText, A::Error> {
        Err(A::Error::custom("the text is a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<JsonText, A::Error> {
        Err(A::Error::custom("the text is an object"))
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

#[cfg(test)]
#[path = "json_lines_tests.rs"]
mod tests;
