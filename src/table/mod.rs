//! Tables on disk: the only reader and writer of parquet.
//!
//! A [`Table`] is a list of named columns. The same table gives the same bytes; a foreign or broken file is an error, found before anything of its claimed size is allocated.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use polars::prelude::*;

/// Rows that are read at most.
const MOST_ROWS: usize = 200_000_000;

/// A column's values; a missing one is `None`.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Numbers(Vec<Option<f64>>),
    Counts(Vec<u64>),
    Texts(Vec<Option<String>>),
}

/// Named columns of one length, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub columns: Vec<(String, Values)>,
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Counts(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    fn column(&self, name: &str) -> Result<&Values> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, values)| values).with_context(|| format!("the table has no column {name}"))
    }

    /// A column of numbers; counts are numbers too.
    ///
    /// # Errors
    /// No such column, or one of texts.
    pub fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>> {
        match self.column(name)? {
            Values::Numbers(values) => Ok(values.clone()),
            Values::Counts(values) => Ok(values.iter().map(|&value| Some(value as f64)).collect()),
            Values::Texts(_) => bail!("column {name} holds texts, not numbers"),
        }
    }

    /// A column of counts.
    ///
    /// # Errors
    /// No such column, or one of another kind.
    pub fn counts(&self, name: &str) -> Result<&[u64]> {
        match self.column(name)? {
            Values::Counts(values) => Ok(values),
            Values::Numbers(_) | Values::Texts(_) => bail!("column {name} does not hold whole numbers"),
        }
    }

    /// A column of texts.
    ///
    /// # Errors
    /// No such column, or one of another kind.
    pub fn texts(&self, name: &str) -> Result<&[Option<String>]> {
        match self.column(name)? {
            Values::Texts(values) => Ok(values),
            Values::Numbers(_) | Values::Counts(_) => bail!("column {name} does not hold texts"),
        }
    }

    /// As a polars frame.
    ///
    /// # Errors
    /// Columns of different length or of one name.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let columns = self.columns.iter().map(|(name, values)| match values {
            Values::Numbers(values) => Column::new(name.as_str().into(), values),
            Values::Counts(values) => Column::new(name.as_str().into(), values),
            Values::Texts(values) => Column::new(name.as_str().into(), values),
        });
        DataFrame::new(self.rows(), columns.collect()).context("columns of one length and different names")
    }

    /// From a polars frame; integers become counts, floats numbers.
    ///
    /// # Errors
    /// A column of another type, named.
    pub fn from_frame(frame: &DataFrame) -> Result<Self> {
        let mut table = Self::default();
        for column in frame.columns() {
            let series = column.as_materialized_series();
            let values = match series.dtype() {
                DataType::Float64 | DataType::Float32 => {
                    let cast = series.cast(&DataType::Float64)?;
                    Values::Numbers(cast.f64()?.iter().collect())
                }
                dtype if dtype.is_integer() => {
                    ensure!(series.null_count() == 0, "column {} has missing whole numbers", series.name());
                    let cast = series.strict_cast(&DataType::UInt64).with_context(|| format!("column {} has negative numbers", series.name()))?;
                    Values::Counts(cast.u64()?.iter().flatten().collect())
                }
                DataType::String => Values::Texts(series.str()?.iter().map(|text| text.map(str::to_owned)).collect()),
                other => bail!("column {} has type {other}, which is not read here", series.name()),
            };
            table.columns.push((series.name().to_string(), values));
        }
        Ok(table)
    }

    /// The bytes of a parquet file: one row group, zstd.
    ///
    /// # Errors
    /// Columns of different length.
    pub fn to_parquet(&self) -> Result<Vec<u8>> {
        let mut frame = self.to_frame()?;
        let mut bytes = Vec::new();
        let rows = self.rows().max(1);
        let writer = ParquetWriter::new(&mut bytes).with_compression(ParquetCompression::Zstd(None)).with_statistics(StatisticsOptions::empty());
        writer.with_row_group_size(Some(rows)).set_parallel(false).finish(&mut frame).context("the table cannot be written as parquet")?;
        Ok(bytes)
    }

    /// The bytes of a CSV file with a header; numbers in the shortest form that reads back, missing ones empty, texts quoted where they need it.
    ///
    /// # Errors
    /// Columns of different length.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        ensure!(self.columns.iter().all(|(_, values)| values.len() == self.rows()), "columns of one length");
        let line = |cells: Vec<String>| cells.join(",") + "\n";
        let mut text = line(self.columns.iter().map(|(name, _)| quoted(name)).collect());
        for row in 0..self.rows() {
            let cell = |(_, values): &(String, Values)| match values {
                Values::Numbers(values) => values[row].map_or_else(String::new, |value| value.to_string()),
                Values::Counts(values) => values[row].to_string(),
                Values::Texts(values) => values[row].as_deref().map_or_else(String::new, quoted),
            };
            text.push_str(&line(self.columns.iter().map(cell).collect()));
        }
        Ok(text.into_bytes())
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Reads a parquet file that this project wrote.
///
/// # Errors
/// A file that is missing, not parquet, broken, or of types that are not read here; the path is named.
pub fn read(path: &Path) -> Result<Table> {
    let frame = read_frame(path, None)?;
    Table::from_frame(&frame).with_context(|| format!("in {}", path.display()))
}

/// Reads one column of texts from a parquet file of anybody's.
///
/// # Errors
/// A file that is missing, not parquet or broken, or that has no such column of texts; the path is named.
pub fn read_texts(path: &Path, column: &str) -> Result<Vec<Option<String>>> {
    let frame = read_frame(path, Some(column))?;
    let read = || -> Result<Vec<Option<String>>> {
        let series = frame.column(column)?.as_materialized_series().clone();
        Ok(series.str().with_context(|| format!("column {column} has type {}, not text", series.dtype()))?.iter().map(|text| text.map(str::to_owned)).collect())
    };
    read().with_context(|| format!("in {}", path.display()))
}

fn read_frame(path: &Path, column: Option<&str>) -> Result<DataFrame> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    frame_of(&bytes, column).with_context(|| format!("{} cannot be used", path.display()))
}

/// Looks at the frame of a file before its content is believed.
fn frame_of(bytes: &[u8], column: Option<&str>) -> Result<DataFrame> {
    let count = bytes.len();
    ensure!(count >= 12 && bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "it is not a parquet file, or was cut short");
    let footer = u32::from_le_bytes([bytes[count - 8], bytes[count - 7], bytes[count - 6], bytes[count - 5]]) as usize;
    ensure!(footer + 12 <= count, "its footer claims more bytes than the file has");
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let about = reader.get_metadata().context("its footer is broken")?;
    ensure!(about.num_rows <= MOST_ROWS, "it claims {} rows, more than the {MOST_ROWS} that are read", about.num_rows);
    // A row takes some bytes even when compressed well; a claim far beyond that is a bomb.
    ensure!(about.num_rows <= count.saturating_mul(10_000), "it claims {} rows in {count} bytes", about.num_rows);
    if let Some(name) = column {
        let schema = reader.schema().context("its schema is broken")?;
        let names: Vec<&str> = schema.iter_names().map(|name| name.as_str()).collect();
        ensure!(names.contains(&name), "it has no column {name}; its columns are {}", names.join(", "));
        reader = reader.with_columns(Some(vec![name.to_owned()]));
    }
    reader.finish().context("its content is broken")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            columns: vec![
                ("step".to_owned(), Values::Counts(vec![0, 1, 2])),
                ("loss".to_owned(), Values::Numbers(vec![Some(1.5), None, Some(0.1 + 0.2)])),
                ("text".to_owned(), Values::Texts(vec![Some("a,\"b\"".to_owned()), None, Some(String::new())])),
            ],
        }
    }

    #[test]
    fn a_table_reads_back_and_has_the_same_bytes_every_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let bytes = table().to_parquet().unwrap();
        assert_eq!(bytes, table().to_parquet().unwrap());
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read(&path).unwrap(), table());
        assert_eq!(read_texts(&path, "text").unwrap()[0].as_deref(), Some("a,\"b\""));
        let error = format!("{:#}", read_texts(&path, "txet").unwrap_err());
        assert!(error.ends_with("it has no column txet; its columns are step, loss, text"), "{error}");
    }

    #[test]
    fn csv_keeps_every_digit_and_quotes_what_needs_it() {
        let text = String::from_utf8(table().to_csv().unwrap()).unwrap();
        assert_eq!(text, "step,loss,text\n0,1.5,\"a,\"\"b\"\"\"\n1,,\n2,0.30000000000000004,\n");
    }

    #[test]
    fn truncated_and_foreign_files_are_errors() {
        let bytes = table().to_parquet().unwrap();
        for length in 0..bytes.len() {
            assert!(frame_of(&bytes[..length], None).is_err(), "{length} bytes");
        }
        let mut claim = bytes.clone();
        let at = claim.len() - 8;
        claim[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(frame_of(&claim, None).unwrap_err().to_string(), "its footer claims more bytes than the file has");
        assert!(frame_of(b"PAR1PAR1PAR1PAR1", None).is_err());
    }
}
