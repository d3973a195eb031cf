//! From rows of text to documents: every row is one, or all are lines of one.

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;

use super::document::{DocumentAction, PieceVisitor};
use super::json_lines::JsonLines;
use super::line_joiner::LineJoiner;
use super::parquet::TextColumn;
use super::segments::Segments;
use super::text_lines::TextLines;
use crate::plan::run::Rows;

/// Whether more is wanted.
type Flow = ControlFlow<()>;

/// The files of a split, each asked for when its turn comes.
pub type FilesInTurn<'a> = dyn Iterator<Item = Result<PathBuf>> + 'a;

/// Takes rows in order and hands on documents.
struct RowDocuments<'a, 'v> {
    rows: Rows,
    segments: Segments,
    choose: &'a mut dyn FnMut(&str) -> DocumentAction,
    visitor: &'a mut PieceVisitor<'v>,
    lines: LineJoiner,
}

impl RowDocuments<'_, '_> {
    fn row(&mut self, text: &str) -> Result<Flow> {
        match (self.choose)(text) {
            DocumentAction::Take => {}
            DocumentAction::Skip => return Ok(Flow::Continue(())),
            DocumentAction::Stop => return Ok(Flow::Break(())),
        }
        if self.rows == Rows::Documents {
            let flow = self.segments.push(text, self.visitor)?;
            return if flow.is_break() {
                Ok(flow)
            } else {
                self.segments.end(self.visitor)
            };
        }
        let joint = "\n".repeat(self.lines.ends_before(text));
        let flow = self.segments.push(&joint, self.visitor)?;
        if flow.is_break() {
            return Ok(flow);
        }
        self.segments.push(text, self.visitor)
    }

    fn end(mut self) -> Result<()> {
        if self.rows == Rows::Lines {
            let _: Flow = self.segments.end(self.visitor)?;
        }
        Ok(())
    }
}

/// Hands the rows of JSON files that `choose` takes to the visitor, as the column says.
///
/// # Errors
/// As [`JsonLines`]; what asking for a file and the visitor give.
pub fn visit_json(
    files: &mut FilesInTurn,
    column: &TextColumn,
    choose: &mut dyn FnMut(&str) -> DocumentAction,
    visitor: &mut PieceVisitor,
) -> Result<()> {
    visit(files, column, choose, visitor, &|path, receive| {
        let mut rows = JsonLines::open(path, &column.name)?;
        while let Some(row) = rows.next_row()? {
            let Some(text) = row else { continue };
            if receive(&text)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    })
}

/// Hands the lines of text files that `choose` takes to the visitor, as the column says.
///
/// # Errors
/// As [`TextLines`]; what asking for a file and the visitor give.
pub fn visit_text(
    files: &mut FilesInTurn,
    column: &TextColumn,
    choose: &mut dyn FnMut(&str) -> DocumentAction,
    visitor: &mut PieceVisitor,
) -> Result<()> {
    visit(files, column, choose, visitor, &|path, receive| {
        let mut lines = TextLines::open(path)?;
        while let Some(line) = lines.next_line()? {
            if receive(&line)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    })
}

/// Reads one file, row by row.
type ReadRows<'a> =
    dyn Fn(&std::path::Path, &mut dyn FnMut(&str) -> Result<Flow>) -> Result<Flow> + 'a;

fn visit(
    files: &mut FilesInTurn,
    column: &TextColumn,
    choose: &mut dyn FnMut(&str) -> DocumentAction,
    visitor: &mut PieceVisitor,
    read: &ReadRows,
) -> Result<()> {
    let mut documents = RowDocuments {
        rows: column.rows,
        segments: Segments::new(column.detokenize),
        choose,
        visitor,
        lines: LineJoiner::default(),
    };
    for path in files {
        if read(&path?, &mut |text| documents.row(text))?.is_break() {
            return Ok(());
        }
    }
    documents.end()
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
