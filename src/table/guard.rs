//! What a parquet file says of itself, held against its length and a limit before anything is
//! decoded.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use anyhow::{Context, Error, Result, bail};
use polars::prelude::{FileMetadata, ParquetReader, SerReader};

use super::footer;
use super::thrift::{self, PageHeader};
use crate::panics::panic_as_error;

/// What a file may ask for. The defaults fit anything that this program writes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the file.
    pub file: u64,
    /// Rows times columns.
    pub values: u64,
    /// Bytes of all pages after decompression.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 1 << 30,
            values: 1 << 26,
            bytes: 1 << 30,
        }
    }
}

const MAGIC: [u8; 4] = *b"PAR1";

/// Checks the marks at both ends and the footer, which it gives as the decoder can read it.
fn check_ends<R: Read + Seek>(file: &mut R) -> Result<Vec<u8>> {
    let length = file
        .seek(SeekFrom::End(0))
        .context("its length is not known")?;
    let (mut begin, mut end) = ([0; 4], [0; 8]);
    if length >= 12 {
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut begin)?;
        file.seek(SeekFrom::End(-8))?;
        file.read_exact(&mut end)?;
    }
    if begin != MAGIC {
        bail!("it is not a parquet file: it does not begin with `PAR1`");
    }
    if end[4..] != MAGIC {
        bail!("it is cut short: it does not end with `PAR1`");
    }
    let footer = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    if footer > length - 12 {
        bail!("it is damaged: its footer claims {footer} bytes of {length}");
    }
    if footer > footer::LONGEST {
        bail!(
            "its footer of {footer} bytes is longer than the {} that are read",
            footer::LONGEST
        );
    }
    file.seek(SeekFrom::Start(length - 8 - footer))?;
    let mut bytes = Vec::new();
    file.take(footer).read_to_end(&mut bytes)?;
    let unknown = footer::check(&bytes).context("it is damaged")?;
    footer::leave_out(&mut bytes, &unknown);
    Ok(bytes)
}

/// What a file says of itself. Its notes are left out: a second schema among them, as Arrow writes
/// it, can be made to unfold without end, and columns have the types of the first.
pub(super) fn metadata<R: Read + Seek>(mut file: R) -> Result<Arc<FileMetadata>> {
    let footer = check_ends(&mut file)?;
    let length = u32::try_from(footer.len()).context("its footer is too long")?;
    let alone = [&MAGIC[..], &footer, &length.to_le_bytes(), &MAGIC].concat();
    let mut reader = ParquetReader::new(Cursor::new(alone.as_slice()));
    let metadata = decode(|| reader.get_metadata().cloned())?;
    drop(reader);
    let mut metadata = Arc::unwrap_or_clone(metadata);
    metadata.key_value_metadata = None;
    Ok(Arc::new(metadata))
}

/// Checks rows, places and sizes of the chunks of all columns (or of one), down to the header of
/// every page.
pub(super) fn check<R: Read + Seek>(
    file: &mut R,
    metadata: &FileMetadata,
    column: Option<&str>,
    limits: &Limits,
) -> Result<()> {
    let length = file
        .seek(SeekFrom::End(0))
        .context("its length is not known")?;
    check_counts(metadata, column, length, limits)?;
    let mut unpacked = 0u64;
    for group in &metadata.row_groups {
        for chunk in group.parquet_columns() {
            let path = &chunk.descriptor().path_in_schema;
            let name = path.first().map_or("", |name| name.as_str());
            if column.is_some_and(|column| column != name) {
                continue;
            }
            let range = chunk.byte_range();
            if range.start > range.end || range.end > length {
                bail!("it is damaged: column `{name}` lies outside the file");
            }
            let pages = pages_of(file, range.start, range.end)
                .with_context(|| format!("it is damaged: column `{name}`"))?;
            unpacked = pages
                .iter()
                .fold(unpacked, |sum, page| sum.saturating_add(page.uncompressed));
            if unpacked > limits.bytes {
                bail!(
                    "it would take more than the {} bytes that are read once it is decompressed",
                    limits.bytes
                );
            }
            // A column without lists has one value for each row of its group.
            let is_flat = path.len() == 1 && chunk.descriptor().descriptor.max_rep_level == 0;
            let (values, rows) = (values_of(&pages), group.num_rows());
            if is_flat && values != rows as u64 {
                bail!("it is damaged: column `{name}` has {values} values in {rows} rows");
            }
        }
    }
    Ok(())
}

/// The numbers of rows and values: that they agree, are within the limit, and that the file is
/// large enough for them.
fn check_counts(
    metadata: &FileMetadata,
    column: Option<&str>,
    length: u64,
    limits: &Limits,
) -> Result<()> {
    let rows = metadata
        .row_groups
        .iter()
        .try_fold(0u64, |sum, group| sum.checked_add(group.num_rows() as u64))
        .context("it claims more rows than can be counted")?;
    if rows != metadata.num_rows as u64 {
        bail!(
            "it is damaged: it claims {} rows, and its parts {rows}",
            metadata.num_rows
        );
    }
    let columns = if column.is_some() {
        1
    } else {
        metadata.schema_descr.columns().len() as u64
    };
    if rows
        .checked_mul(columns)
        .is_none_or(|values| values > limits.values)
    {
        bail!(
            "it claims {rows} rows of {columns} columns, more than the {} values that are read",
            limits.values
        );
    }
    // Runs of equal values take next to nothing in the file, but nothing that was written takes
    // less than this.
    if rows.saturating_mul(columns) > (1 << 20) + length.saturating_mul(256) {
        bail!("it claims {rows} rows of {columns} columns in {length} bytes");
    }
    Ok(())
}

/// The values of a chunk's data pages, absent ones included.
fn values_of(pages: &[PageHeader]) -> u64 {
    pages
        .iter()
        .filter(|page| page.is_data)
        .fold(0u64, |sum, page| sum.saturating_add(page.values))
}

/// The headers of the pages in a part of the file.
fn pages_of<R: Read + Seek>(file: &mut R, start: u64, end: u64) -> Result<Vec<PageHeader>> {
    let mut pages = Vec::new();
    let mut at = start;
    while at < end {
        file.seek(SeekFrom::Start(at))?;
        let mut head = Vec::new();
        file.by_ref()
            .take((end - at).min(thrift::LONGEST_HEADER))
            .read_to_end(&mut head)?;
        let (page, header) = thrift::page(&head)?;
        at = at
            .checked_add(header as u64)
            .and_then(|at| at.checked_add(page.compressed))
            .filter(|&next| next <= end)
            .context("a page lies outside its column")?;
        pages.push(page);
    }
    Ok(pages)
}

/// Runs a piece of the decoder, which answers some broken input with a panic.
pub(super) fn decode<T, E: Into<Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<T> {
    panic_as_error(work, |words| format!("the file is damaged ({words})"))
}
