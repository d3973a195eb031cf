//! Parquet files with a column of text.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::document::{DocumentAction, Part, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::input_files::InputFiles;
use super::segments::Segments;
use crate::data::recipe::Recipe;
use crate::plan::run::{Detokenize, Rows};
use crate::table::Texts;

/// What is read of parquet files, and how.
#[derive(Debug, Clone)]
pub struct TextColumn {
    pub name: String,
    pub rows: Rows,
    pub detokenize: Detokenize,
}

impl TextColumn {
    pub fn new(name: &str, rows: Rows, detokenize: Detokenize) -> Self {
        Self {
            name: name.to_owned(),
            rows,
            detokenize,
        }
    }
}

/// Parquet files on this machine.
pub struct ParquetSource {
    pub files: InputFiles,
    pub column: TextColumn,
}

impl DocumentSource for ParquetSource {
    fn add_to(&self, recipe: &mut Recipe) {
        recipe
            .add("source", "parquet")
            .add("column", &self.column.name)
            .add_rows(self.column.rows);
        self.files.add_to(recipe);
        recipe.add_detokenize(self.column.detokenize);
    }

    fn visit(&self, part: Part, _: ReadLimit, visitor: &mut PieceVisitor) -> Result<()> {
        let files = self.files.paths(part).map(Path::to_owned).map(Ok);
        visit(files, &self.column, &mut |_| DocumentAction::Take, visitor)
    }

    fn empty_remedy(&self, part: Part) -> String {
        format!("name files with text in dataset.{}", part.name())
    }
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
    column: &TextColumn,
    choose: &mut dyn FnMut(&str) -> DocumentAction,
    visitor: &mut PieceVisitor,
) -> Result<()> {
    let mut segments = Segments::new(column.detokenize);
    for path in files {
        let mut reader = Texts::open(&path?, &column.name)?;
        while let Some(texts) = reader.next_rows()? {
            for text in texts.iter().flatten() {
                match choose(text) {
                    DocumentAction::Take => {}
                    DocumentAction::Skip => continue,
                    DocumentAction::Stop => return Ok(()),
                }
                let mut flow = segments.push(text, visitor)?;
                if column.rows == Rows::Documents && flow.is_continue() {
                    flow = segments.end(visitor)?;
                }
                if flow.is_break() {
                    return Ok(());
                }
            }
        }
    }
    if column.rows == Rows::Lines {
        let _: ControlFlow<()> = segments.end(visitor)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
