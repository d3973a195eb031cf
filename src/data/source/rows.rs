//! From rows of text to documents: every row is one, or all are lines of one.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::cutter::Cutter;
use super::data_formats::DataFormat;
use super::document::Flow;
use super::json_lines::JsonLines;
use super::line_joiner::LineJoiner;
use super::parquet;
use super::text_column::TextColumn;
use super::text_lines::TextLines;
use crate::plan::run::Rows;

/// The files of a split, each asked for when its turn comes.
pub type FilesInTurn<'a> = dyn Iterator<Item = Result<PathBuf>> + 'a;

/// Receives the texts of rows.
pub type RowTexts<'a> = dyn FnMut(&str) -> Result<Flow> + 'a;

/// Hands the rows of files of one kind to the cutter, each as a document or all as lines of one.
/// Rows without a text are none. The next file is asked for when the one before is read to its end.
///
/// # Errors
/// A file that is broken or of another kind, a column that is missing (with those there are) or is
/// not text; what asking for a file and the cutter give.
pub fn visit(
    format: DataFormat,
    files: &mut FilesInTurn,
    column: &TextColumn,
    cutter: &mut Cutter,
) -> Result<()> {
    let mut lines = LineJoiner::default();
    let are_lines = match column.rows {
        Rows::Lines => true,
        Rows::Articles => {
            cutter.cut_articles();
            true
        }
        Rows::Documents => false,
    };
    let mut receive = |text: &str| -> Result<Flow> {
        if are_lines {
            let joint = "\n".repeat(lines.ends_before(text));
            return match cutter.push(&joint)? {
                // A blank line that the table gives as a row without text.
                Flow::Continue(()) if text.is_empty() => cutter.blank_line(),
                Flow::Continue(()) => cutter.push(text),
                Flow::Break(()) => Ok(Flow::Break(())),
            };
        }
        match cutter.push(text)? {
            Flow::Continue(()) => cutter.end(),
            Flow::Break(()) => Ok(Flow::Break(())),
        }
    };
    for path in files {
        if read(format, &path?, column, &mut receive)?.is_break() {
            return Ok(());
        }
    }
    if are_lines {
        let _: Flow = cutter.end()?;
    }
    Ok(())
}

/// Reads one file, row by row.
fn read(
    format: DataFormat,
    path: &Path,
    column: &TextColumn,
    receive: &mut RowTexts,
) -> Result<Flow> {
    match format {
        DataFormat::Parquet => return parquet::read(path, column, receive),
        DataFormat::Json => {
            let mut rows = JsonLines::open(path, &column.name)?;
            while let Some(row) = rows.next_row()? {
                let Some(text) = row else { continue };
                if receive(&text)?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
        }
        DataFormat::Text => {
            let mut lines = TextLines::open(path)?;
            while let Some(line) = lines.next_line()? {
                if receive(&line)?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
        }
    }
    Ok(Flow::Continue(()))
}

/// Reads a file for what is wrong with it: of parquet the column, of the others all rows.
///
/// # Errors
/// As [`visit`].
pub fn check(format: DataFormat, path: &Path, column: &TextColumn) -> Result<()> {
    match format {
        DataFormat::Parquet => parquet::check_column(path, column),
        DataFormat::Json | DataFormat::Text => {
            read(format, path, column, &mut |_| Ok(Flow::Continue(()))).map(drop)
        }
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
