//! One column of text of a parquet file, group by group: memory is that of a group, whatever the
//! file's size.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use polars::prelude::{
    ArrowDataType, DataType, FileMetadata, ParallelStrategy, ParquetReader, SerReader, Series,
};

use super::guard::{self, Limits, decode};
use super::parquet::refusal;

/// A column of text, read from its beginning, some rows at a time.
#[derive(Debug)]
pub struct Texts {
    path: PathBuf,
    column: String,
    metadata: Arc<FileMetadata>,
    form: TextForm,
    group: usize,
    /// Rows of the groups before, and of this one, that were read.
    before: usize,
    read: usize,
}

/// A file whose column is not one of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedColumn {
    /// What is said of the file, as "has no column `body`; it has id, text".
    pub reason: String,
    /// Its columns of text.
    pub others: Vec<String>,
}

/// How a column holds text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextForm {
    Text,
    /// Bytes that nobody says to be text; they are where they are UTF-8.
    Bytes,
    /// The null type, as writers give a column that holds nothing.
    Nothing,
}

/// Receives rows; one may have no text, which is not an empty one. `Break` means that nothing more
/// is wanted.
pub type RowReceiver<'a> = dyn FnMut(Option<&str>) -> Result<ControlFlow<()>> + 'a;

/// What a whole dataset's file may ask for; memory is bounded by its groups of rows.
const LIMITS: Limits = Limits {
    file: u64::MAX,
    values: 1 << 36,
    bytes: 1 << 40,
};
/// The pages of a group may be this many times their compressed size, and [`SPARE`] bytes more:
/// beyond that the file was made to exhaust the memory. One long text may stand in many rows, which
/// takes no memory.
const EXPANSION: u64 = 256;
const SPARE: u64 = 64 << 20;
/// Rows that are decoded at a time.
const ROWS: usize = 1 << 18;

impl Texts {
    /// Opens a file and checks what it says of itself; or tells why its column is not one of text.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged.
    pub fn open(path: &Path, column: &str) -> Result<Result<Self, RefusedColumn>> {
        Self::open_checked(path, column).with_context(|| refusal(path))
    }

    fn open_checked(path: &Path, column: &str) -> Result<Result<Self, RefusedColumn>> {
        let mut file = File::open(path)?;
        let metadata = guard::metadata(file.try_clone()?)?;
        let form = match form_of(&file, &metadata, column)? {
            Ok(form) => form,
            Err(refused) => return Ok(Err(refused)),
        };
        decode(|| guard::check(&mut file, &metadata, Some(column), &LIMITS))?;
        for group in &metadata.row_groups {
            let (mut packed, mut unpacked) = (0u64, 0u64);
            for chunk in group.columns_under_root_iter(column).into_iter().flatten() {
                packed = packed.saturating_add(u64::try_from(chunk.compressed_size())?);
                unpacked = unpacked.saturating_add(u64::try_from(chunk.uncompressed_size())?);
            }
            if unpacked > packed.saturating_mul(EXPANSION).saturating_add(SPARE) {
                bail!(
                    "a group of its rows would grow from {packed} to {unpacked} bytes; write the \
                     file again with smaller groups"
                );
            }
        }
        Ok(Ok(Self {
            path: path.to_owned(),
            column: column.to_owned(),
            metadata,
            form,
            group: 0,
            before: 0,
            read: 0,
        }))
    }

    /// Rows of the whole file.
    pub fn rows(&self) -> usize {
        self.metadata.num_rows
    }

    /// Hands on the next rows, in order; whether there were any.
    ///
    /// # Errors
    /// A file that is damaged, bytes that are not UTF-8; whatever the receiver returns.
    pub fn next_rows(&mut self, receive: &mut RowReceiver) -> Result<ControlFlow<(), bool>> {
        while let Some(group) = self.metadata.row_groups.get(self.group) {
            let rows = group.num_rows();
            if self.read < rows {
                let count = ROWS.min(rows - self.read);
                let first = self.before + self.read;
                let series = self
                    .decode(first, count)
                    .with_context(|| refusal(&self.path))?;
                self.read += count;
                return Ok(match self.hand_on(&series, first, receive)? {
                    ControlFlow::Continue(()) => ControlFlow::Continue(true),
                    ControlFlow::Break(()) => ControlFlow::Break(()),
                });
            }
            self.before += rows;
            (self.group, self.read) = (self.group + 1, 0);
        }
        Ok(ControlFlow::Continue(false))
    }

    fn hand_on(
        &self,
        series: &Series,
        first: usize,
        receive: &mut RowReceiver,
    ) -> Result<ControlFlow<()>> {
        let mut each = |text: Option<&str>| receive(text);
        match self.form {
            TextForm::Text => {
                for text in series.str().with_context(|| refusal(&self.path))?.iter() {
                    if each(text)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            TextForm::Bytes => {
                let rows = series.binary().with_context(|| refusal(&self.path))?;
                for (bytes, row) in rows.iter().zip(first..) {
                    let text = bytes.map(std::str::from_utf8).transpose();
                    let text = text.with_context(|| {
                        format!(
                            "{}: the bytes of the column `{}` in row {row} are not text in UTF-8",
                            self.path.display(),
                            self.column
                        )
                    })?;
                    if each(text)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            TextForm::Nothing => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    fn decode(&self, first: usize, count: usize) -> Result<Series> {
        let mut reader = ParquetReader::new(File::open(&self.path)?);
        reader.set_metadata(self.metadata.clone());
        let reader = reader
            .with_columns(Some(vec![self.column.clone()]))
            .with_slice(Some((first, count)))
            .read_parallel(ParallelStrategy::None);
        let frame = decode(|| reader.finish())?;
        let series = frame.column(&self.column)?.as_materialized_series();
        if series.len() != count {
            bail!("it has {} rows where {count} were announced", series.len());
        }
        Ok(series.clone())
    }
}

/// How a column holds text, if it does.
fn form_of(
    file: &File,
    metadata: &Arc<FileMetadata>,
    column: &str,
) -> Result<Result<TextForm, RefusedColumn>> {
    let mut reader = ParquetReader::new(file.try_clone()?);
    reader.set_metadata(metadata.clone());
    let schema = decode(|| reader.schema())?;
    let type_of = |name: &str| schema.get(name).map(|field| field.dtype());
    let names: Vec<&str> = schema.iter_names().map(|name| name.as_str()).collect();
    let reason = match type_of(column) {
        Some(kind) if is_text(kind) => return Ok(Ok(TextForm::Text)),
        Some(ArrowDataType::Binary | ArrowDataType::LargeBinary | ArrowDataType::BinaryView) => {
            return Ok(Ok(TextForm::Bytes));
        }
        Some(ArrowDataType::Null) => return Ok(Ok(TextForm::Nothing)),
        Some(ArrowDataType::Int32) if is_of_null_type(metadata, column) => {
            return Ok(Ok(TextForm::Nothing));
        }
        Some(other) => format!(
            "has the column `{column}` as {}, not as text",
            in_words(other)
        ),
        None => {
            let nested = column
                .split_once('.')
                .is_some_and(|(root, _)| matches!(type_of(root), Some(ArrowDataType::Struct(_))));
            let reason = if nested {
                ", and fields inside a column are not read"
            } else {
                ""
            };
            format!(
                "has no column `{column}`{reason}; it has {}",
                names.join(", ")
            )
        }
    };
    let others = names
        .iter()
        .filter(|name| type_of(name).is_some_and(is_text));
    Ok(Err(RefusedColumn {
        reason,
        others: others.map(|name| (*name).to_owned()).collect(),
    }))
}

/// Whether a column of numbers is what Arrow writes for the null type: it says that its type is not
/// known.
fn is_of_null_type(metadata: &FileMetadata, column: &str) -> bool {
    metadata.schema_descr.columns().iter().any(|own| {
        let logical_type = own.descriptor.primitive_type.logical_type;
        own.path_in_schema.len() == 1
            && own.path_in_schema[0].as_str() == column
            && format!("{logical_type:?}") == "Some(Unknown)"
    })
}

fn is_text(kind: &ArrowDataType) -> bool {
    matches!(
        kind,
        ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View
    )
}

/// A type as people call it.
fn in_words(kind: &ArrowDataType) -> String {
    match kind {
        ArrowDataType::List(_)
        | ArrowDataType::LargeList(_)
        | ArrowDataType::FixedSizeList(..)
        | ArrowDataType::Map(..) => "a list in every row".to_owned(),
        ArrowDataType::Struct(_) => "nested fields (a struct), which are not read".to_owned(),
        // Not every type of a file is one of the crate as it is built here.
        kind => match decode(|| Ok::<_, anyhow::Error>(DataType::from_arrow_dtype(kind))) {
            Ok(own) if own.is_integer() => format!("whole numbers ({own})"),
            Ok(own) if own.is_float() => format!("numbers ({own})"),
            Ok(own) => own.to_string(),
            Err(_) => "another type".to_owned(),
        },
    }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
