//! Rows of several columns, as the items of tasks have them: parquet, JSON or lines of text.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::config_splits::listed;
use super::data_formats::DataFormat;
use super::json_rows::JsonRows;
use super::text_lines::TextLines;
use crate::plan::InputFault;
use crate::table::Texts;

/// What the columns of a task's files may take in memory: more than any set of this kind has, and
/// less than a small file that was made to grow would ask for.
pub const MOST_BYTES: u64 = 256 << 20;
/// What a cell takes beside its text.
const CELL: u64 = 32;
/// Names of columns that are kept for messages.
const MOST_NAMES: usize = 64;

/// A row: its columns that are read, as far as it has them.
pub type ItemRow = Map<String, Value>;

/// The columns that are read.
#[derive(Debug, Clone, Copy)]
pub struct ItemColumns {
    /// A row without one of them is no item.
    pub needed: &'static [&'static str],
    /// What is read where it is there.
    pub others: &'static [&'static str],
}

/// Receives the rows, each with its number, from 1.
pub type ItemReceiver<'a> = dyn FnMut(u64, &ItemRow) -> Result<()> + 'a;

impl ItemColumns {
    /// Every column.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.needed.iter().chain(self.others).copied()
    }

    /// A file, or a row of it, that lacks a column that is needed.
    fn missing(&self, place: &str, there: &[String]) -> Option<InputFault> {
        let has = |name: &str| there.iter().any(|known| known == name);
        let lacking = self.needed.iter().find(|name| !has(name))?;
        let has = match there {
            [] => "it has none at all".to_owned(),
            there => format!("it has {}", listed(there)),
        };
        Some(InputFault::new(
            format!("{place} has no column `{lacking}`; {has}"),
            format!(
                "name a dataset whose rows have {}",
                self.needed.join(" and ")
            ),
        ))
    }
}

/// Hands the rows of a file on, in order; `name` is what messages call it, and what its columns
/// take is taken from what is `left`.
///
/// # Errors
/// A file that is broken or of another kind; a column that is needed and missing, with those there
/// are; what the receiver returns.
pub fn visit(
    format: DataFormat,
    path: &Path,
    name: &str,
    columns: &ItemColumns,
    left: &mut u64,
    receive: &mut ItemReceiver,
) -> Result<()> {
    match format {
        DataFormat::Parquet => visit_parquet(path, name, columns, left, receive),
        DataFormat::Json => visit_json(path, name, columns, left, receive),
        DataFormat::Text => visit_lines(path, name, columns, left, receive),
    }
}

/// The columns are read one after another, then put together row by row.
fn visit_parquet(
    path: &Path,
    name: &str,
    columns: &ItemColumns,
    left: &mut u64,
    receive: &mut ItemReceiver,
) -> Result<()> {
    let mut rows = 0;
    let mut read = Vec::new();
    for column in columns.all() {
        match Texts::open(path, column)? {
            Ok(mut texts) => {
                rows = texts.rows();
                read.push((column, cells(&mut texts, name, left)?));
            }
            Err(refused) if columns.needed.contains(&column) => {
                let hint = match refused.others.as_slice() {
                    [] => "no other column of the file is text".to_owned(),
                    _ => format!(
                        "name a dataset whose rows have {}",
                        columns.needed.join(" and ")
                    ),
                };
                let message = format!("{name} {}", refused.reason);
                return Err(InputFault::new(message, hint).into());
            }
            // One that is no text says nothing of what an item is about.
            Err(_) => {}
        }
    }
    for row in 0..rows {
        let cell = |(column, cells): &(&str, Vec<Option<String>>)| {
            // A column of nothing but nulls has no cells.
            let text = cells.get(row).cloned().flatten();
            ((*column).to_owned(), text.map_or(Value::Null, Value::from))
        };
        receive(row as u64 + 1, &read.iter().map(cell).collect())?;
    }
    Ok(())
}

/// The texts of a column; what they take is taken from what is left.
fn cells(texts: &mut Texts, name: &str, left: &mut u64) -> Result<Vec<Option<String>>> {
    let mut cells = Vec::new();
    let mut of_row = |text: Option<&str>| {
        take(left, text.map_or(0, str::len), name)?;
        cells.push(text.map(str::to_owned));
        Ok(ControlFlow::Continue(()))
    };
    while let ControlFlow::Continue(true) = texts.next_rows(&mut of_row)? {}
    Ok(cells)
}

fn visit_json(
    path: &Path,
    name: &str,
    columns: &ItemColumns,
    left: &mut u64,
    receive: &mut ItemReceiver,
) -> Result<()> {
    let mut rows = JsonRows::of_the_hub(path, name)?;
    let mut number = 0;
    while let Some((row, keys)) = rows.next_row(ItemObject { columns })? {
        number += 1;
        let texts = row.values().filter_map(Value::as_str);
        take(left, texts.map(str::len).sum(), name)?;
        if let Some(fault) = columns.missing(&format!("row {number} of {name}"), &keys) {
            return Err(fault.into());
        }
        receive(number, &row)?;
    }
    Ok(())
}

/// Every line is a row with the one column `text`; those without anything are none.
fn visit_lines(
    path: &Path,
    name: &str,
    columns: &ItemColumns,
    left: &mut u64,
    receive: &mut ItemReceiver,
) -> Result<()> {
    const TEXT: &str = "text";
    if let Some(fault) = columns.missing(name, &[TEXT.to_owned()]) {
        return Err(fault.into());
    }
    let mut lines = TextLines::open(path)?;
    let mut number = 0;
    while let Some(line) = lines.next_line()? {
        number += 1;
        take(left, line.len(), name)?;
        if !line.trim().is_empty() {
            receive(
                number,
                &ItemRow::from_iter([(TEXT.to_owned(), line.into())]),
            )?;
        }
    }
    Ok(())
}

fn take(left: &mut u64, bytes: usize, name: &str) -> Result<()> {
    match left.checked_sub(bytes as u64 + CELL) {
        Some(rest) => *left = rest,
        None => {
            let message = format!(
                "the columns of all that is named, up to {name}, take more than {} MiB, which no \
                 task has",
                MOST_BYTES >> 20
            );
            let hint = "name another split, or fewer configurations";
            return Err(InputFault::new(message, hint).into());
        }
    }
    Ok(())
}

/// Reads a row of JSON: its columns, and the names of all that it has.
struct ItemObject<'a> {
    columns: &'a ItemColumns,
}

impl<'de> DeserializeSeed<'de> for ItemObject<'_> {
    type Value = (ItemRow, Vec<String>);

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemObject<'_> {
    type Value = (ItemRow, Vec<String>);

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "an object with {}", self.columns.needed.join(" and "))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut row, mut keys) = (ItemRow::new(), Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            let is_wanted = self.columns.all().any(|column| column == key);
            if is_wanted {
                if row.contains_key(&key) {
                    return Err(A::Error::custom(format!("the key `{key}` stands twice")));
                }
                row.insert(key.clone(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            if is_wanted || keys.len() < MOST_NAMES {
                keys.push(key);
            }
        }
        Ok((row, keys))
    }
}

#[cfg(test)]
#[path = "item_rows_tests.rs"]
mod tests;
