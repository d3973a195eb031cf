//! Parquet files with a column of text, read a row group at a time.

use std::fs::File;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use polars::prelude::{ParquetReader, SerReader, StringChunked};

use super::sources::{Segments, Visitor};
use crate::spec::run::{Detokenize, Rows};

/// Text of a row group may be this many times its compressed size, and [`SPARE`] bytes more: beyond that the file is taken for one made to exhaust the memory.
const EXPANSION: u64 = 256;
const SPARE: u64 = 64 << 20;
/// Rows decoded at a time.
const ROWS: usize = 1 << 18;

/// Hands the rows of the files to the visitor: all of them as one document, or every row as a document. Null rows have no text.
///
/// # Errors
/// A file that is no parquet or is broken, a column that is missing (with those there are) or is not text.
pub fn visit(files: &[PathBuf], column: &str, rows: Rows, detokenize: Detokenize, visitor: &mut Visitor) -> Result<()> {
    let mut segments = Segments::new(detokenize);
    for path in files {
        let groups = row_groups(path, column)?;
        for (first, count) in groups {
            for begin in (first..first + count).step_by(ROWS) {
                let texts = read(path, column, begin, ROWS.min(first + count - begin))?;
                for text in texts.iter().flatten() {
                    let mut flow = segments.push(text, visitor)?;
                    if rows == Rows::Documents && flow.is_continue() {
                        flow = segments.end(visitor)?;
                    }
                    if flow.is_break() {
                        return Ok(());
                    }
                }
            }
        }
    }
    if rows == Rows::Lines {
        let _: ControlFlow<()> = segments.end(visitor)?;
    }
    Ok(())
}

/// First row and number of rows of every row group, after a look at the footer.
fn row_groups(path: &Path, column: &str) -> Result<Vec<(usize, usize)>> {
    let bytes = std::fs::metadata(path).with_context(|| format!("cannot open {}", path.display()))?.len();
    guarded(path, || {
        let mut reader = open(path)?;
        let schema = reader.schema()?;
        let names: Vec<&str> = schema.iter_names().map(|name| name.as_str()).collect();
        ensure!(names.contains(&column), "it has no column \"{column}\"; dataset.column may be one of: {}", names.join(", "));
        let mut first = 0;
        let mut groups = Vec::new();
        for group in &reader.get_metadata()?.row_groups {
            let (mut packed, mut unpacked) = (0u64, 0u64);
            for chunk in group.columns_under_root_iter(column).into_iter().flatten() {
                packed = packed.saturating_add(u64::try_from(chunk.compressed_size())?);
                unpacked = unpacked.saturating_add(u64::try_from(chunk.uncompressed_size())?);
            }
            ensure!(packed <= bytes, "a row group says that it takes {packed} bytes of a file of {bytes}");
            ensure!(
                unpacked <= packed.saturating_mul(EXPANSION).saturating_add(SPARE),
                "a row group would grow from {packed} to {unpacked} bytes; write the file again with smaller row groups"
            );
            groups.push((first, group.num_rows()));
            first = group.num_rows().checked_add(first).context("it says that it has more rows than a number can count")?;
        }
        Ok(groups)
    })
}

fn read(path: &Path, column: &str, first: usize, count: usize) -> Result<StringChunked> {
    guarded(path, || {
        let frame = open(path)?.with_columns(Some(vec![column.to_string()])).with_slice(Some((first, count))).finish()?;
        let series = frame.column(column)?;
        let texts =
            series.str().map_err(|_| anyhow!("column \"{column}\" is {}, not text; write another dataset.column", series.dtype()))?;
        ensure!(texts.len() == count, "it has {} rows where {count} were announced", texts.len());
        Ok(texts.clone())
    })
}

fn open(path: &Path) -> Result<ParquetReader<File>> {
    Ok(ParquetReader::new(File::open(path)?))
}

/// Names the file in errors, and turns a panic of the decoder, which broken files can cause, into one.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(anyhow!("the decoder gave up: the file is broken")))
        .with_context(|| format!("cannot read {} as parquet", path.display()))
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::super::sources::Piece;
    use super::*;

    fn write(path: &Path, texts: &[Option<&str>]) {
        write_with(path, texts, ParquetCompression::Snappy);
    }

    fn write_with(path: &Path, texts: &[Option<&str>], compression: ParquetCompression) {
        let mut frame = df!("id" => (0..texts.len() as i64).collect::<Vec<_>>(), "text" => texts).unwrap();
        ParquetWriter::new(File::create(path).unwrap())
            .with_row_group_size(Some(2))
            .with_compression(compression)
            .finish(&mut frame)
            .unwrap();
    }

    fn documents(files: &[PathBuf], column: &str, rows: Rows) -> Result<Vec<String>> {
        let mut found = vec![String::new()];
        visit(files, column, rows, Detokenize::None, &mut |piece| {
            match piece {
                Piece::Text { text, .. } => found.last_mut().unwrap().push_str(text),
                Piece::End { .. } => found.push(String::new()),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        found.pop();
        Ok(found)
    }

    #[test]
    fn lines_are_one_document_over_all_files_and_documents_are_rows() {
        let folder = tempfile::tempdir().unwrap();
        let files = [folder.path().join("a.parquet"), folder.path().join("b.parquet")];
        write(&files[0], &[Some(" = A = \n"), Some(""), None, Some(" text \n"), Some("x")]);
        write(&files[1], &[Some("y\n")]);
        assert_eq!(documents(&files, "text", Rows::Lines).unwrap(), [" = A = \n text \nxy\n"]);
        assert_eq!(documents(&files, "text", Rows::Documents).unwrap(), [" = A = \n", "", " text \n", "x", "y\n"]);
    }

    #[test]
    fn every_usual_compression_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        for compression in [
            ParquetCompression::Uncompressed,
            ParquetCompression::Gzip(None),
            ParquetCompression::Zstd(None),
            ParquetCompression::Brotli(None),
            ParquetCompression::Lz4Raw,
        ] {
            write_with(&path, &[Some("one\n"), Some("two\n"), Some("three\n")], compression);
            assert_eq!(documents(std::slice::from_ref(&path), "text", Rows::Lines).unwrap(), ["one\ntwo\nthree\n"], "{compression:?}");
        }
    }

    #[test]
    fn damaged_files_never_panic_and_never_give_more_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        write(&path, &[Some("text"), Some("more"), Some("still more")]);
        let whole = std::fs::read(&path).unwrap();
        let mut stream = crate::random::Stream::new(0, "test", 0);
        for _ in 0..200 {
            let mut bytes = whole.clone();
            let at = stream.below(bytes.len() as u64) as usize;
            bytes[at] = stream.bits() as u8;
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(found) = documents(std::slice::from_ref(&path), "text", Rows::Documents) {
                assert!(found.len() <= 3);
            }
        }
    }

    #[test]
    fn broken_files_and_wrong_columns_are_errors_that_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        write(&path, &[Some("text"), Some("more"), Some("still more")]);
        let error = |column: &str| format!("{:#}", documents(std::slice::from_ref(&path), column, Rows::Lines).unwrap_err());
        assert!(error("body").contains("it has no column \"body\"; dataset.column may be one of: id, text"), "{}", error("body"));
        assert!(error("id").contains("column \"id\" is i64, not text"), "{}", error("id"));
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 3, 8, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(error("text").starts_with(&format!("cannot read {} as parquet", path.display())));
        }
    }
}
