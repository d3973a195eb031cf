//! Files on this machine whose rows are texts: parquet or JSON.

use std::path::Path;

use anyhow::Result;

use super::archive::Archive;
use super::data_formats::DataFormat;
use super::document::{Part, PieceVisitor, ReadLimit};
use super::document_source::DocumentSource;
use super::file_hash::FileFacts;
use super::found_faults::FoundFaults;
use super::input_files::InputFiles;
use super::json_lines::JsonLines;
use super::text_column::TextColumn;
use super::{parquet, rows};
use crate::data::recipe::Recipe;
use crate::plan::InputFault;
use crate::plan::run::SplitPaths;

/// Files with rows.
pub struct RowFiles {
    files: InputFiles,
    format: DataFormat,
    column: TextColumn,
}

impl RowFiles {
    /// Finds the files, and looks whether they are of the kind and have the column: of JSON the
    /// first row is read.
    ///
    /// # Errors
    /// As [`InputFiles::find`]; files of another kind, columns that are missing or no text.
    pub fn find(paths: &SplitPaths, format: DataFormat, column: TextColumn) -> Result<Self> {
        let check = |path: &Path, facts: &FileFacts| match format {
            DataFormat::Parquet => parquet::check_file(path, facts, &column),
            DataFormat::Json | DataFormat::Text => check_json(path, &column),
        };
        let files = InputFiles::find(paths, &check)?;
        Ok(Self::of(files, format, column))
    }

    /// Files that are found.
    pub fn of(files: InputFiles, format: DataFormat, column: TextColumn) -> Self {
        Self {
            files,
            format,
            column,
        }
    }

    /// The name of the source.
    fn source(&self) -> &'static str {
        match self.format {
            DataFormat::Parquet => "parquet",
            DataFormat::Json | DataFormat::Text => "jsonl",
        }
    }
}

impl DocumentSource for RowFiles {
    fn add_to(&self, recipe: &mut Recipe) {
        recipe
            .add("source", self.source())
            .add("column", &self.column.name)
            .add_rows(self.column.rows);
        self.files.add_to(recipe);
        recipe.add_detokenize(self.column.detokenize);
    }

    fn visit(
        &self,
        part: Part,
        reach: ReadLimit,
        _: &str,
        visitor: &mut PieceVisitor,
    ) -> Result<()> {
        let (files, mut cutter) = self
            .files
            .cutter(part, reach, self.column.detokenize, visitor);
        let mut in_turn = files
            .iter()
            .filter(|file| !file.is_empty())
            .map(|file| Ok(file.path.clone()));
        rows::visit(self.format, &mut in_turn, &self.column, &mut cutter)
            .and_then(|()| cutter.finish())
            .map_err(|error| InputFault::at_key(error, &format!("dataset.{}", part.name())))
    }

    /// The rows of JSON files; the column of parquet files is known already.
    fn check_rows(&self) -> Result<()> {
        let mut faults = FoundFaults::default();
        let files = Part::ALL.into_iter().flat_map(|part| self.files.of(part));
        for file in files.filter(|file| !file.is_empty()) {
            if let Err(error) = rows::check(self.format, &file.path, &self.column) {
                faults.add_error(error, &file.key);
            }
        }
        faults.none_or_error()
    }

    fn size(&self, part: Part) -> Option<u64> {
        Some(self.files.size(part))
    }

    fn empty_remedy(&self, part: Part) -> String {
        self.files.empty_remedy(part)
    }
}

/// Looks whether a file begins with a row of JSON, packed or not.
fn check_json(path: &Path, column: &TextColumn) -> Result<()> {
    if !begins_a_row(path)? {
        let message = format!("{} holds no JSON", path.display());
        let hint = "write dataset.source = \"text\" if it is text, or name files of JSON";
        return Err(InputFault::new(message, hint).into());
    }
    JsonLines::open(path, &column.name)?.next_row().map(drop)
}

/// Whether the first character that is no white space opens an object or a list. A file of white
/// space alone has no rows, and no fault.
fn begins_a_row(path: &Path) -> Result<bool> {
    let mut archive = Archive::look_into(path)?;
    let mut head = [0; 4096];
    loop {
        let count = archive.read(&mut head)?;
        let seen = head[..count].trim_ascii_start();
        let seen = seen.strip_prefix(b"\xef\xbb\xbf").unwrap_or(seen);
        match seen.first() {
            Some(first) => return Ok(matches!(first, b'{' | b'[')),
            None if count == 0 => return Ok(true),
            None => {}
        }
    }
}

#[cfg(test)]
#[path = "row_files_tests.rs"]
mod tests;
