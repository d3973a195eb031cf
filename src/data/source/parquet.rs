//! Parquet files with a column of text.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::contents::{self, FileContents};
use super::document::{DocumentAction, Part, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::file_hash::FileFacts;
use super::input_files::InputFiles;
use super::line_joiner::LineJoiner;
use super::segments::Segments;
use crate::data::recipe::Recipe;
use crate::plan::InputFault;
use crate::plan::path::InputPath;
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

impl ParquetSource {
    /// Finds the files, and looks whether they are parquet and have the column.
    ///
    /// # Errors
    /// As [`InputFiles::find`]; files that are not parquet, columns that are missing or no text.
    pub fn find(
        train: &[InputPath],
        validation: &[InputPath],
        test: &[InputPath],
        column: TextColumn,
    ) -> Result<Self> {
        let check = |path: &Path, facts: &FileFacts| check_parquet(path, facts, &column);
        let files = InputFiles::find(train, validation, test, &check)?;
        Ok(Self { files, column })
    }
}

fn check_parquet(path: &Path, facts: &FileFacts, column: &TextColumn) -> Result<()> {
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

impl DocumentSource for ParquetSource {
    fn add_to(&self, recipe: &mut Recipe) {
        recipe
            .add("source", "parquet")
            .add("column", &self.column.name)
            .add_rows(self.column.rows);
        self.files.add_to(recipe);
        recipe.add_detokenize(self.column.detokenize);
    }

    fn visit(&self, part: Part, _: ReadLimit, _: &str, visitor: &mut PieceVisitor) -> Result<()> {
        let files = self.files.of(part).iter().map(|file| Ok(file.path.clone()));
        visit(files, &self.column, &mut |_| DocumentAction::Take, visitor)
            .map_err(|error| InputFault::at_key(error, &format!("dataset.{}", part.name())))
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
    let mut lines = LineJoiner::default();
    for path in files {
        let mut reader = open(&path?, column)?;
        let mut receive = |text: Option<&str>| {
            let Some(text) = text else {
                return Ok(ControlFlow::Continue(()));
            };
            match choose(text) {
                DocumentAction::Take => {}
                DocumentAction::Skip => return Ok(ControlFlow::Continue(())),
                DocumentAction::Stop => return Ok(ControlFlow::Break(())),
            }
            let flow = match column.rows {
                Rows::Lines => {
                    let joint = "\n".repeat(lines.ends_before(text));
                    match segments.push(&joint, visitor)? {
                        ControlFlow::Continue(()) => segments.push(text, visitor)?,
                        ControlFlow::Break(()) => ControlFlow::Break(()),
                    }
                }
                Rows::Documents => match segments.push(text, visitor)? {
                    ControlFlow::Continue(()) => segments.end(visitor)?,
                    ControlFlow::Break(()) => ControlFlow::Break(()),
                },
            };
            Ok(flow)
        };
        loop {
            match reader.next_rows(&mut receive)? {
                ControlFlow::Continue(true) => {}
                ControlFlow::Continue(false) => break,
                ControlFlow::Break(()) => return Ok(()),
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
