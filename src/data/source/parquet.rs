//! Parquet files with a column of text.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result};

use super::contents::{self, FileContents};
use super::file_hash::FileFacts;
use super::text_column::TextColumn;
use crate::plan::InputFault;
use crate::table::Texts;

/// Looks whether a file is parquet and has the column.
///
/// # Errors
/// A file that is none, or lacks the column.
pub fn check_file(path: &Path, facts: &FileFacts, column: &TextColumn) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let head =
        contents::head(&mut file).with_context(|| format!("cannot read {}", path.display()))?;
    let contents = FileContents::of(&head);
    if !contents.is_parquet() {
        let fault = contents::refusal(path, None, contents, "parquet").unwrap_or_else(|| {
            let (what, hint) = if facts.not_utf8_at.is_none() {
                ("is text", "write dataset.source = \"text\"")
            } else {
                (
                    "is another kind of file",
                    "fetch it again, or write it as parquet",
                )
            };
            InputFault::new(format!("{} {what}, not parquet", path.display()), hint)
        });
        return Err(fault.into());
    }
    check_column(path, column)
}

/// Looks whether a file has the column, and it is one of text.
///
/// # Errors
/// A file that is no parquet; a column that is missing or no text.
pub fn check_column(path: &Path, column: &TextColumn) -> Result<()> {
    open(path, column).map(drop)
}

/// Opens a file; what is wrong with its column belongs to the key that names the column, and the
/// rest to the file.
fn open(path: &Path, column: &TextColumn) -> Result<Texts> {
    match Texts::open(path, &column.name)? {
        Ok(texts) => Ok(texts),
        Err(refused) => {
            let others = if refused.others.is_empty() {
                "no other column of the file is text".to_owned()
            } else {
                format!(
                    "write one of its columns of text: {}",
                    refused.others.join(", ")
                )
            };
            let message = format!("{} {}", path.display(), refused.reason);
            Err(InputFault::of_key("dataset.column", message, others).into())
        }
    }
}

/// Hands the texts of a file to the receiver, row by row. Null rows have no text.
///
/// # Errors
/// A file that is no parquet or is broken, a column that is missing (with those there are) or is
/// not text; what the receiver gives.
pub fn read(
    path: &Path,
    column: &TextColumn,
    receive: &mut dyn FnMut(&str) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut reader = open(path, column)?;
    let mut of_row = |text: Option<&str>| text.map_or(Ok(ControlFlow::Continue(())), &mut *receive);
    loop {
        match reader.next_rows(&mut of_row)? {
            ControlFlow::Continue(true) => {}
            ControlFlow::Continue(false) => return Ok(ControlFlow::Continue(())),
            ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
        }
    }
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
