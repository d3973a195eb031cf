//! One column of text of a parquet file, group by group: memory is that of a group, whatever the
//! file's size.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use polars::prelude::{DataType, FileMetadata, ParallelStrategy, ParquetReader, SerReader};

use super::guard::{self, Limits, decode};
use super::parquet::{refusal, texts_of};

/// A column of text, read from its beginning, some rows at a time.
#[derive(Debug)]
pub struct Texts {
    path: PathBuf,
    column: String,
    metadata: Arc<FileMetadata>,
    group: usize,
    /// Rows of the groups before, and of this one, that were read.
    before: usize,
    read: usize,
}

/// What a whole dataset's file may ask for; memory is bounded by its groups of rows.
const LIMITS: Limits = Limits {
    file: u64::MAX,
    values: 1 << 36,
    bytes: 1 << 40,
};
/// Text may be this many times its compressed size, and [`SPARE`] bytes more: beyond that the file
/// was made to exhaust the memory.
const EXPANSION: u64 = 256;
const SPARE: u64 = 64 << 20;
/// Rows that are decoded at a time.
const ROWS: usize = 1 << 18;

impl Texts {
    /// Opens a file and checks what it says of itself.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged, or a column that is missing (with those there are)
    /// or not text.
    pub fn open(path: &Path, column: &str) -> Result<Self> {
        Self::open_checked(path, column).with_context(|| refusal(path))
    }

    fn open_checked(path: &Path, column: &str) -> Result<Self> {
        let mut file = File::open(path)?;
        let metadata = guard::metadata(file.try_clone()?)?;
        let mut reader = ParquetReader::new(file.try_clone()?);
        reader.set_metadata(metadata.clone());
        let schema = decode(|| reader.schema())?;
        match schema.get(column) {
            None => bail!(
                "it has no column `{column}`; it has {}",
                schema
                    .iter_names()
                    .map(|name| name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Some(field) if DataType::from_arrow_field(field) != DataType::String => {
                bail!(
                    "the column `{column}` is {}, not text",
                    DataType::from_arrow_field(field)
                );
            }
            Some(_) => {}
        }
        decode(|| guard::check(&mut file, &metadata, Some(column), &LIMITS))?;
        for group in &metadata.row_groups {
            let (mut packed, mut unpacked) = (0u64, 0u64);
            for chunk in group.columns_under_root_iter(column).into_iter().flatten() {
                packed = packed.saturating_add(u64::try_from(chunk.compressed_size())?);
                unpacked = unpacked.saturating_add(u64::try_from(chunk.uncompressed_size())?);
            }
            if unpacked > most(packed) {
                bail!(
                    "a group of its rows would grow from {packed} to {unpacked} bytes; write the \
                     file again with smaller groups"
                );
            }
        }
        Ok(Self {
            path: path.to_owned(),
            column: column.to_owned(),
            metadata,
            group: 0,
            before: 0,
            read: 0,
        })
    }

    /// Rows of the whole file.
    pub fn rows(&self) -> usize {
        self.metadata.num_rows
    }

    /// The next rows, in order; nothing at the end. A row may have no text, which is not an empty
    /// one.
    ///
    /// # Errors
    /// A file that is damaged.
    pub fn next_rows(&mut self) -> Result<Option<Vec<Option<String>>>> {
        while let Some(group) = self.metadata.row_groups.get(self.group) {
            let rows = group.num_rows();
            if self.read < rows {
                let count = ROWS.min(rows - self.read);
                let packed = group
                    .columns_under_root_iter(&self.column)
                    .into_iter()
                    .flatten()
                    .map(|chunk| chunk.compressed_size().max(0) as u64)
                    .sum();
                let texts = self
                    .decode(count, most(packed))
                    .with_context(|| refusal(&self.path))?;
                self.read += count;
                return Ok(Some(texts));
            }
            self.before += rows;
            (self.group, self.read) = (self.group + 1, 0);
        }
        Ok(None)
    }

    fn decode(&self, count: usize, limit: u64) -> Result<Vec<Option<String>>> {
        let mut reader = ParquetReader::new(File::open(&self.path)?);
        reader.set_metadata(self.metadata.clone());
        let slice = (self.before + self.read, count);
        let reader = reader
            .with_columns(Some(vec![self.column.clone()]))
            .with_slice(Some(slice))
            .read_parallel(ParallelStrategy::None);
        let frame = decode(|| reader.finish())?;
        let texts = texts_of(frame.column(&self.column)?.as_materialized_series(), limit)?;
        if texts.len() != count {
            bail!("it has {} rows where {count} were announced", texts.len());
        }
        Ok(texts)
    }
}

fn most(packed: u64) -> u64 {
    packed.saturating_mul(EXPANSION).saturating_add(SPARE)
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
