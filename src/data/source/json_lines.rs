//! One text of each row of a JSON file, packed or not.
//!
//! A row is an object; they come one after another, on lines or not, or in a list, as pyarrow and
//! the `datasets` library take them. A list may also hold the texts themselves. A row whose text is
//! null or missing has none. Memory holds one row.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::Result;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::json_rows::{IN_PARTS, JsonRows};
use crate::plan::InputFault;

/// Names of keys that are kept for messages.
const MOST_KEYS: usize = 64;
/// The key that the items of a list of texts stand for.
const TEXT: &str = "text";

/// A JSON file that is read row by row.
pub struct JsonLines {
    rows: JsonRows,
    column: String,
    /// The keys of the rows so far.
    keys: BTreeSet<String>,
    any: bool,
    /// Whether any row had the key that is wanted, null or not.
    has_column: bool,
}

impl JsonLines {
    /// Opens a file; `column` is the key whose texts are wanted.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: &Path, column: &str) -> Result<Self> {
        Ok(Self {
            rows: JsonRows::open(path)?,
            column: column.to_owned(),
            keys: BTreeSet::new(),
            any: false,
            has_column: false,
        })
    }

    /// The text of the next row, which may have none; nothing at the end.
    ///
    /// # Errors
    /// What is no JSON or no object (with its line), a text that is none, a file none of whose rows
    /// has the key (with the keys there are).
    pub fn next_row(&mut self) -> Result<Option<Option<String>>> {
        let row = JsonRow {
            column: &self.column,
            keys: &mut self.keys,
        };
        let Some(found) = self.rows.next_row(row)? else {
            if self.any && !self.has_column {
                return Err(self.no_column().into());
            }
            return Ok(None);
        };
        self.any = true;
        self.has_column |= found.is_some();
        Ok(Some(found.flatten()))
    }

    fn no_column(&self) -> InputFault {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let message = format!(
            "no row of {} has a key `{}`",
            self.rows.path().display(),
            self.column
        );
        let hint = match keys.as_slice() {
            [] => "its rows have no keys at all: name files with text".to_owned(),
            keys => format!("write one of those there are: {}", keys.join(", ")),
        };
        InputFault::of_key("dataset.column", message, hint)
    }
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
        Err(A::Error::custom(format!("{IN_PARTS}: a list")))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<JsonText, A::Error> {
        Err(A::Error::custom(format!("{IN_PARTS}: an object")))
    }
}

#[cfg(test)]
#[path = "json_lines_tests.rs"]
mod tests;
