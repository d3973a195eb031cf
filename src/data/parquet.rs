//! Parquet files with a column of text.

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;

use super::sources::{PieceVisitor, Segments};
use crate::plan::run::{Detokenize, Rows};
use crate::table::Texts;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowAction {
    Take,
    Skip,
    /// Neither this row nor any after it.
    Stop,
}

/// Hands the rows of the files that `choose` takes to the visitor: all of them as one document, or
/// every row as a document. Null rows have no text. The next file is asked for when the one before
/// is read to its end.
///
/// # Errors
/// A file that is no parquet or is broken, a column that is missing (with those there are) or is
/// not text; what asking for a file gives.
pub fn visit(
    files: impl Iterator<Item = Result<PathBuf>>,
    column: &str,
    rows: Rows,
    detokenize: Detokenize,
    choose: &mut dyn FnMut(&str) -> RowAction,
    visitor: &mut PieceVisitor,
) -> Result<()> {
    let mut segments = Segments::new(detokenize);
    for path in files {
        let mut reader = Texts::open(&path?, column)?;
        while let Some(texts) = reader.next_rows()? {
            for text in texts.iter().flatten() {
                match choose(text) {
                    RowAction::Take => {}
                    RowAction::Skip => continue,
                    RowAction::Stop => return Ok(()),
                }
                let mut flow = segments.push(text, visitor)?;
                if rows == Rows::Documents && flow.is_continue() {
                    flow = segments.end(visitor)?;
                }
                if flow.is_break() {
                    return Ok(());
                }
            }
        }
    }
    if rows == Rows::Lines {
        let _: ControlFlow<()> = segments.end(visitor)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
