//! Tables to parquet and back.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use polars::prelude::{
    BatchedWriter, DataFrame, DataType, IntoColumn, NamedFrom, ParallelStrategy,
    ParquetCompression, ParquetReader, ParquetWriter, PlSmallStr, SerReader, Series,
    StatisticsOptions,
};

use super::column::{Column, Table};
use super::guard::{self, Limits, decode};
use crate::files;

/// The bytes of a parquet file: one group of rows, compressed with Zstandard at a fixed level, with
/// the least and greatest value of every column. Equal tables give equal bytes.
///
/// # Errors
/// None that a valid table can cause; the encoder's own.
pub fn to_parquet(table: &Table) -> Result<Vec<u8>> {
    let mut groups = ParquetGroups::new(table)?;
    groups.push(table)?;
    groups.finish()
}

/// A parquet file that is written group of rows by group of rows: a long table need not be in
/// memory at once. Equal groups give equal bytes.
pub struct ParquetGroups {
    columns: Table,
    bytes: SharedBytes,
    writer: BatchedWriter<SharedBytes>,
}

impl ParquetGroups {
    /// Begins a file with the columns of `like`, which every group has: their names, kinds and
    /// order.
    ///
    /// # Errors
    /// None that a valid table can cause; the encoder's own.
    pub fn new(like: &Table) -> Result<Self> {
        let bytes = SharedBytes::default();
        let writer = ParquetWriter::new(bytes.clone())
            .with_compression(ParquetCompression::Zstd(None))
            .with_statistics(StatisticsOptions {
                min_value: true,
                max_value: true,
                distinct_count: false,
                null_count: true,
                ..StatisticsOptions::empty()
            })
            .with_data_page_size(Some(1 << 20))
            .set_parallel(false)
            .batched(frame_of(like)?.schema())
            .context("the table cannot be encoded as parquet")?;
        Ok(Self {
            columns: like.clone(),
            bytes,
            writer,
        })
    }

    /// Adds a group of rows; a table without rows adds none.
    ///
    /// # Errors
    /// Other columns than the file's; the encoder's own.
    pub fn push(&mut self, table: &Table) -> Result<()> {
        let kinds = |table: &Table| -> Vec<(String, std::mem::Discriminant<Column>)> {
            let columns = table.columns().iter();
            columns
                .map(|(name, column)| (name.clone(), std::mem::discriminant(column)))
                .collect()
        };
        ensure!(
            kinds(table) == kinds(&self.columns),
            "a group of rows has other columns than its file"
        );
        self.writer
            .write_batch(&frame_of(table)?)
            .context("the table cannot be encoded as parquet")
    }

    /// The whole file.
    ///
    /// # Errors
    /// The encoder's own.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.writer
            .finish()
            .context("the table cannot be encoded as parquet")?;
        Ok(self.bytes.take())
    }
}

/// The encoder keeps its output to itself; this is the other end of it.
#[derive(Clone, Default)]
struct SharedBytes(Arc<Mutex<Vec<u8>>>);

impl SharedBytes {
    fn take(&self) -> Vec<u8> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut bytes)
    }
}

impl Write for SharedBytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn frame_of(table: &Table) -> Result<DataFrame> {
    let columns = table.columns().iter().map(|(name, column)| {
        let name = PlSmallStr::from_str(name);
        match column {
            Column::F64(values) => Series::new(name, values),
            Column::Sparse(values) => Series::new(name, values),
            Column::U32(values) => Series::new(name, values),
            Column::U64(values) => Series::new(name, values),
            Column::Counts(values) => Series::new(name, values),
            Column::I64(values) => Series::new(name, values),
            Column::Flags(values) => Series::new(name, values),
            Column::Text(values) => Series::new(name, values),
        }
        .into_column()
    });
    DataFrame::new(table.rows(), columns.collect()).context("the table is not one")
}

/// Reads a parquet file with the default limits.
///
/// # Errors
/// A file that cannot be read, is damaged, asks for more than the limits, or has columns of a kind
/// that [`Column`] does not know.
pub fn read(path: &Path) -> Result<Table> {
    read_with(path, &Limits::default())
}

/// Reads a parquet file.
///
/// # Errors
/// As [`read`].
pub fn read_with(path: &Path, limits: &Limits) -> Result<Table> {
    let bytes = files::read_limited(path, limits.file)?;
    from_parquet(bytes, limits).with_context(|| refusal(path))
}

/// Reads the bytes of a parquet file.
///
/// # Errors
/// As [`read`], apart from the disk's.
pub fn from_parquet(bytes: Vec<u8>, limits: &Limits) -> Result<Table> {
    let metadata = guard::metadata(Cursor::new(bytes.as_slice()))?;
    decode(|| guard::check(&mut Cursor::new(bytes.as_slice()), &metadata, None, limits))?;
    let mut reader = ParquetReader::new(Cursor::new(bytes.as_slice()));
    reader.set_metadata(metadata);
    let frame = decode(|| {
        reader
            .read_parallel(ParallelStrategy::None)
            .set_rechunk(true)
            .finish()
    })?;
    frame
        .columns()
        .iter()
        .try_fold(Table::new(), |table, column| {
            let name = column.name().to_string();
            if table.column(&name).is_ok() {
                bail!("two columns are called `{name}`");
            }
            let values = column_of(column.as_materialized_series(), limits)
                .with_context(|| format!("column `{name}`"))?;
            Ok(table.with(name, values))
        })
}

fn column_of(series: &Series, limits: &Limits) -> Result<Column> {
    let gaps = series.null_count() > 0;
    if gaps && !matches!(series.dtype(), DataType::Float64 | DataType::UInt64) {
        bail!("values are absent where none may be");
    }
    Ok(match series.dtype() {
        DataType::Float64 if gaps => Column::Sparse(series.f64()?.iter().collect()),
        DataType::Float64 => Column::F64(series.f64()?.into_no_null_iter().collect()),
        DataType::UInt32 => Column::U32(series.u32()?.into_no_null_iter().collect()),
        DataType::UInt64 if gaps => Column::Counts(series.u64()?.iter().collect()),
        DataType::Boolean => Column::Flags(series.bool()?.iter().flatten().collect()),
        DataType::UInt64 => Column::U64(series.u64()?.into_no_null_iter().collect()),
        DataType::Int64 => Column::I64(series.i64()?.into_no_null_iter().collect()),
        DataType::String => Column::Text(
            texts_of(series, limits.bytes)?
                .into_iter()
                .flatten()
                .collect(),
        ),
        other => bail!("values of type {other} are not read"),
    })
}

/// The texts of a column. One long text can be repeated by a few bytes of the file, so their length
/// together is limited.
pub(super) fn texts_of(series: &Series, limit: u64) -> Result<Vec<Option<String>>> {
    let texts = series.str()?;
    let bytes = texts
        .iter()
        .flatten()
        .fold(0u64, |sum, text| sum.saturating_add(text.len() as u64));
    if bytes > limit {
        bail!("its texts take {bytes} bytes, more than the {limit} that are read at once");
    }
    Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
}

pub(super) fn refusal(path: &Path) -> String {
    format!("cannot read {} as parquet", path.display())
}
