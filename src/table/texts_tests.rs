//! Tests of `texts.rs`.

use polars::prelude::{ParquetWriter, df};

use super::*;

#[test]
fn texts_come_in_order_whatever_the_groups_and_other_columns_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let texts: Vec<Option<String>> = (0..7)
        .map(|row| (row != 3).then(|| format!("row {row} ä\n")))
        .collect();
    let mut frame = df!("id" => (0..7u64).collect::<Vec<_>>(), "text" => &texts).unwrap();
    ParquetWriter::new(File::create(&path).unwrap())
        .with_row_group_size(Some(2))
        .finish(&mut frame)
        .unwrap();
    assert_eq!(Texts::open(&path, "text").unwrap().unwrap().rows(), 7);
    assert_eq!(rows_of(&path, "text"), texts);
    let refused = |column| Texts::open(&path, column).unwrap().unwrap_err();
    assert_eq!(
        refused("id"),
        RefusedColumn {
            reason: "has the column `id` as whole numbers (u64), not as text".to_owned(),
            others: vec!["text".to_owned()],
        }
    );
    assert_eq!(
        refused("body").reason,
        "has no column `body`; it has id, text"
    );
}

/// All rows of a column.
fn rows_of(path: &Path, column: &str) -> Vec<Option<String>> {
    let mut reader = Texts::open(path, column).unwrap().unwrap();
    let mut found = Vec::new();
    let mut receive = |text: Option<&str>| {
        found.push(text.map(str::to_owned));
        Ok(ControlFlow::Continue(()))
    };
    while reader.next_rows(&mut receive).unwrap() == ControlFlow::Continue(true) {}
    found
}

#[test]
fn bytes_are_text_where_they_are_utf8_and_the_null_type_holds_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let write = |bytes: &[&[u8]]| {
        let mut frame = df!("b" => bytes).unwrap();
        let nothing = Series::new_null("n".into(), bytes.len());
        frame.with_column(nothing.into()).unwrap();
        ParquetWriter::new(File::create(&path).unwrap())
            .finish(&mut frame)
            .unwrap();
    };
    write(&["ä".as_bytes(), b"b"]);
    assert_eq!(
        rows_of(&path, "b"),
        [Some("ä".to_owned()), Some("b".to_owned())]
    );
    assert!(rows_of(&path, "n").is_empty());
    write(&[b"a", b"\xff"]);
    let mut reader = Texts::open(&path, "b").unwrap().unwrap();
    let error = reader
        .next_rows(&mut |_| Ok(ControlFlow::Continue(())))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the bytes of the column `b` in row 1 are not text in UTF-8"),
        "{error}"
    );
}

#[test]
fn one_long_text_in_many_rows_takes_no_more_memory_than_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let long = "x".repeat(1 << 20);
    let mut frame = df!("text" => vec![long.as_str(); 300]).unwrap();
    ParquetWriter::new(File::create(&path).unwrap())
        .finish(&mut frame)
        .unwrap();
    assert!(path.metadata().unwrap().len() < 1 << 20, "a small file");
    let mut reader = Texts::open(&path, "text").unwrap().unwrap();
    let mut count = 0;
    let mut receive = |text: Option<&str>| {
        assert_eq!(text.map(str::len), Some(1 << 20));
        count += 1;
        Ok(ControlFlow::Continue(()))
    };
    while reader.next_rows(&mut receive).unwrap() == ControlFlow::Continue(true) {}
    assert_eq!(count, 300);
}

/// The files are of DuckDB, by `tests/reference/parquet_types.py`.
#[test]
fn columns_of_types_that_came_later_are_no_hindrance() {
    for name in ["variant", "geometry"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/parquet");
        let path = Path::new(folder).join(format!("{name}.parquet"));
        let expected: Vec<_> = (0..100).map(|row| Some(format!("text {row}"))).collect();
        assert_eq!(rows_of(&path, "text"), expected);
    }
}
