//! Tables to parquet and back.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, bail};
use polars::prelude::{
    DataFrame, DataType, IntoColumn, NamedFrom, ParallelStrategy, ParquetCompression,
    ParquetReader, ParquetWriter, PlSmallStr, SerReader, Series, StatisticsOptions,
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
    let columns = table.columns().iter().map(|(name, column)| {
        let name = PlSmallStr::from_str(name);
        match column {
            Column::F64(values) => Series::new(name, values),
            Column::Sparse(values) => Series::new(name, values),
            Column::U32(values) => Series::new(name, values),
            Column::U64(values) => Series::new(name, values),
            Column::I64(values) => Series::new(name, values),
            Column::Text(values) => Series::new(name, values),
        }
        .into_column()
    });
    let mut frame =
        DataFrame::new(table.rows(), columns.collect()).context("the table is not one")?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions {
            min_value: true,
            max_value: true,
            distinct_count: false,
            null_count: true,
            ..StatisticsOptions::empty()
        })
        .with_row_group_size(Some(table.rows().max(1)))
        .with_data_page_size(Some(1 << 20))
        .set_parallel(false)
        .finish(&mut frame)
        .context("the table cannot be encoded as parquet")?;
    Ok(bytes)
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
    if gaps && *series.dtype() != DataType::Float64 {
        bail!("values are absent where none may be");
    }
    Ok(match series.dtype() {
        DataType::Float64 if gaps => Column::Sparse(series.f64()?.iter().collect()),
        DataType::Float64 => Column::F64(series.f64()?.into_no_null_iter().collect()),
        DataType::UInt32 => Column::U32(series.u32()?.into_no_null_iter().collect()),
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
