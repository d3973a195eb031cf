//! One column of text of a parquet file, group by group: memory is that of a group, whatever the file's size.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use polars::prelude::{DataType, FileMetadata, ParallelStrategy, ParquetReader, SerReader};

use super::guard;
use super::parquet::{Limits, calmly, texts_of};

/// A column of text, read from its beginning.
#[derive(Debug)]
pub struct Texts {
    path: PathBuf,
    column: String,
    metadata: std::sync::Arc<FileMetadata>,
    group: usize,
    row: usize,
}

/// What a whole dataset's file may ask for; memory is bounded by its groups of rows.
const LIMITS: Limits = Limits { file: u64::MAX, values: 1 << 36, bytes: 1 << 40 };
/// What one group of rows may take once it is decompressed.
const GROUP_BYTES: u64 = 8 << 30;

impl Texts {
    /// Opens a file and checks what it says of itself.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged, or a column that is missing or not text.
    pub fn open(path: &Path, column: &str) -> Result<Self> {
        Self::open_checked(path, column).with_context(|| format!("{} cannot be read as parquet", path.display()))
    }

    fn open_checked(path: &Path, column: &str) -> Result<Self> {
        let mut file = File::open(path)?;
        guard::check_ends(&mut file)?;
        let mut reader = ParquetReader::new(file.try_clone()?);
        let metadata = calmly(|| reader.get_metadata().cloned())?;
        let schema = calmly(|| reader.schema())?;
        match schema.get(column) {
            None => bail!(
                "there is no column `{column}`; the columns are {}",
                schema.iter_names().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
            ),
            Some(field) if DataType::from_arrow_field(field) != DataType::String => {
                bail!("the column `{column}` holds values of type {}, not text", DataType::from_arrow_field(field));
            }
            Some(_) => {}
        }
        calmly(|| guard::check(&mut file, &metadata, Some(column), &LIMITS))?;
        if let Some(group) = metadata.row_groups.iter().find(|group| group.total_byte_size() as u64 > GROUP_BYTES) {
            bail!("a group of its rows takes {} bytes; write the file with smaller groups", group.total_byte_size());
        }
        Ok(Self { path: path.to_owned(), column: column.to_owned(), metadata, group: 0, row: 0 })
    }

    /// Rows of the whole file.
    pub fn rows(&self) -> usize {
        self.metadata.num_rows
    }

    /// The rows of the next group; nothing at the end. A row without text is empty.
    ///
    /// # Errors
    /// A file that is damaged.
    pub fn next_group(&mut self) -> Result<Option<Vec<String>>> {
        let Some(group) = self.metadata.row_groups.get(self.group) else { return Ok(None) };
        let rows = group.num_rows();
        let texts = self.read(rows).with_context(|| format!("{} cannot be read as parquet", self.path.display()))?;
        self.group += 1;
        self.row += rows;
        Ok(Some(texts))
    }

    fn read(&self, rows: usize) -> Result<Vec<String>> {
        let mut reader = ParquetReader::new(File::open(&self.path)?);
        reader.set_metadata(self.metadata.clone());
        let reader =
            reader.with_columns(Some(vec![self.column.clone()])).with_slice(Some((self.row, rows))).read_parallel(ParallelStrategy::None);
        let frame = calmly(|| reader.finish())?;
        texts_of(frame.column(&self.column)?.as_materialized_series(), GROUP_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Column, Table, to_parquet};
    use super::*;

    #[test]
    fn texts_come_in_order_and_other_columns_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let texts: Vec<String> = (0..5).map(|row| format!("row {row} ä\n")).collect();
        let table = Table::new().with("id", Column::U64((0..5).collect())).with("text", Column::Text(texts.clone()));
        std::fs::write(&path, to_parquet(&table).unwrap()).unwrap();
        let mut reader = Texts::open(&path, "text").unwrap();
        assert_eq!(reader.rows(), 5);
        assert_eq!(reader.next_group().unwrap(), Some(texts));
        assert_eq!(reader.next_group().unwrap(), None);
        let message = |column| format!("{:#}", Texts::open(&path, column).unwrap_err());
        assert!(message("id").ends_with("the column `id` holds values of type u64, not text"), "{}", message("id"));
        assert!(message("body").ends_with("there is no column `body`; the columns are id, text"), "{}", message("body"));
    }
}
