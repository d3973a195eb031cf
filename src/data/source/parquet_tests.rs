//! Tests of `parquet.rs`.

use std::fs::File;
use std::path::{Path, PathBuf};

use polars::prelude::{ParquetCompression, ParquetWriter, df};

use super::super::cutter::Cutter;
use super::super::data_formats::DataFormat;
use super::super::document::Piece;
use super::super::rows;
use super::*;
use crate::plan::run::{Detokenize, Rows};

fn write(path: &Path, texts: &[Option<&str>]) {
    write_with(path, texts, ParquetCompression::Snappy);
}

fn write_with(path: &Path, texts: &[Option<&str>], compression: ParquetCompression) {
    let mut frame =
        df!("id" => (0..texts.len() as i64).collect::<Vec<_>>(), "text" => texts).unwrap();
    ParquetWriter::new(File::create(path).unwrap())
        .with_row_group_size(Some(2))
        .with_compression(compression)
        .finish(&mut frame)
        .unwrap();
}

fn documents(files: &[PathBuf], column: &str, rows: Rows) -> Result<Vec<String>> {
    let mut found = vec![String::new()];
    let mut visitor = |piece: Piece| {
        match piece {
            Piece::Text { text, .. } => found.last_mut().unwrap().push_str(text),
            Piece::End { .. } => found.push(String::new()),
        }
        Ok(ControlFlow::Continue(()))
    };
    rows::visit(
        DataFormat::Parquet,
        &mut files.iter().cloned().map(Ok),
        &TextColumn::new(column, rows, Detokenize::None),
        &mut Cutter::of_all(Detokenize::None, &mut visitor),
    )?;
    found.pop();
    Ok(found)
}

#[test]
fn lines_are_one_document_over_all_files_and_documents_are_rows() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        folder.path().join("a.parquet"),
        folder.path().join("b.parquet"),
    ];
    write(
        &files[0],
        &[
            Some(" = A = \n"),
            Some(""),
            None,
            Some(" text \n"),
            Some("x"),
        ],
    );
    write(&files[1], &[Some("y\n")]);
    assert_eq!(
        documents(&files, "text", Rows::Lines).unwrap(),
        [" = A = \n text \nx\ny\n"]
    );
    assert_eq!(
        documents(&files, "text", Rows::Documents).unwrap(),
        [" = A = \n", "", " text \n", "x", "y\n"]
    );
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
        write_with(
            &path,
            &[Some("one\n"), Some("two\n"), Some("three\n")],
            compression,
        );
        assert_eq!(
            documents(std::slice::from_ref(&path), "text", Rows::Lines).unwrap(),
            ["one\ntwo\nthree\n"],
            "{compression:?}"
        );
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
    let error = |column: &str| {
        format!(
            "{:#}",
            documents(std::slice::from_ref(&path), column, Rows::Lines).unwrap_err()
        )
    };
    assert!(
        error("body").ends_with(
            "a.parquet has no column `body`; it has id, text; write one of its columns of text: \
             text"
        ),
        "{}",
        error("body")
    );
    assert!(
        error("id").ends_with(
            "a.parquet has the column `id` as whole numbers (i64), not as text; write one of its \
             columns of text: text"
        ),
        "{}",
        error("id")
    );
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 3, 8, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(error("text").starts_with(&format!("cannot read {} as parquet", path.display())));
    }
}

#[test]
fn rows_without_ends_of_line_are_joined_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    for (rows, expected) in [
        (&["", "a b", "", "c", ""][..], "\na b\n\nc\n"),
        (&["", " = A = \n", "", "b\n", ""], " = A = \nb\n"),
        (&["a\n", "b", "c\n", "d\n"], "a\nb\nc\nd\n"),
        (&["a\r\n", "b"], "a\r\nb"),
    ] {
        let rows: Vec<Option<&str>> = rows.iter().copied().map(Some).collect();
        write(&path, &rows);
        assert_eq!(
            documents(std::slice::from_ref(&path), "text", Rows::Lines).unwrap(),
            [expected]
        );
    }
}
