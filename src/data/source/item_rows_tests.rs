//! Tests of `item_rows.rs`.

use std::fs::File;

use polars::prelude::{NamedFrom, ParquetWriter, Series, df};

use super::*;

const COLUMNS: ItemColumns = ItemColumns {
    needed: &["good", "bad"],
    others: &["about", "UID"],
};

/// The rows of a file as JSON, each with its number; or what is wrong with it.
fn rows(format: DataFormat, path: &Path, columns: &ItemColumns) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut receive = |number: u64, row: &ItemRow| {
        found.push(format!("{number} {}", Value::from(row.clone())));
        Ok(())
    };
    visit(
        format,
        path,
        "it",
        columns,
        &mut { MOST_BYTES },
        &mut receive,
    )
    .map(|()| found)
    .map_err(|error| format!("{error:#}"))
}

#[test]
fn columns_of_parquet_and_keys_of_json_give_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (parquet, json) = (folder.path().join("a.parquet"), folder.path().join("a"));
    // A column of numbers that is only wanted is left out, as is one that nobody asked for.
    let mut frame = df!(
        "other" => ["x", "x", "x"],
        "bad" => [Some("b0"), None, Some("b2")],
        "good" => ["g0", "g1", "g2"],
        "about" => [None, Some("verbs"), Some("")],
        "UID" => [1u32, 2, 3],
    )
    .unwrap();
    ParquetWriter::new(File::create(&parquet).unwrap())
        .with_row_group_size(Some(2))
        .finish(&mut frame)
        .unwrap();
    let lines = [
        r#"{"other": "x", "bad": "b0", "good": "g0", "about": null}"#,
        r#"{"good": "g1", "bad": null, "about": "verbs"}"#,
        r#"{"good": "g2", "bad": "b2", "about": "", "more": NaN}"#,
    ];
    std::fs::write(&json, lines.join("\n")).unwrap();
    let expected = [
        r#"1 {"about":null,"bad":"b0","good":"g0"}"#,
        r#"2 {"about":"verbs","bad":null,"good":"g1"}"#,
        r#"3 {"about":"","bad":"b2","good":"g2"}"#,
    ];
    let sorted = |rows: Vec<String>| -> Vec<(String, Value)> {
        let parse = |row: &String| {
            let (number, json) = row.split_once(' ').unwrap();
            (number.to_owned(), serde_json::from_str(json).unwrap())
        };
        rows.iter().map(parse).collect()
    };
    let expected = sorted(expected.map(str::to_owned).to_vec());
    for (format, path) in [(DataFormat::Parquet, &parquet), (DataFormat::Json, &json)] {
        assert_eq!(sorted(rows(format, path, &COLUMNS).unwrap()), expected);
    }
    // Of a list, as of lines.
    std::fs::write(&json, format!("[{}]", lines.join(", "))).unwrap();
    let of_list = rows(DataFormat::Json, &json, &COLUMNS).unwrap();
    assert_eq!(sorted(of_list), expected);
}

#[test]
fn a_column_that_is_missing_or_no_text_is_told_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let write = |frame: &mut polars::prelude::DataFrame| {
        ParquetWriter::new(File::create(&path).unwrap())
            .finish(frame)
            .unwrap();
    };
    write(&mut df!("good" => ["a"], "wrong" => ["b"]).unwrap());
    assert_eq!(
        rows(DataFormat::Parquet, &path, &COLUMNS).unwrap_err(),
        "it has no column `bad`; it has good, wrong; name a dataset whose rows have good and bad"
    );
    write(&mut df!("good" => ["a"], "bad" => [1u64]).unwrap());
    let error = rows(DataFormat::Parquet, &path, &COLUMNS).unwrap_err();
    assert!(
        error.starts_with("it has the column `bad` as whole numbers (u64), not as text; "),
        "{error}"
    );
    std::fs::write(
        &path,
        "{\"good\": \"a\", \"bad\": \"b\"}\n{\"good\": \"a\"}",
    )
    .unwrap();
    assert_eq!(
        rows(DataFormat::Json, &path, &COLUMNS).unwrap_err(),
        "row 2 of it has no column `bad`; it has good; name a dataset whose rows have good and bad"
    );
    std::fs::write(&path, "a line\n").unwrap();
    assert_eq!(
        rows(DataFormat::Text, &path, &COLUMNS).unwrap_err(),
        "it has no column `good`; it has text; name a dataset whose rows have good and bad"
    );
}

#[test]
fn a_column_of_nothing_but_nulls_has_a_null_in_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let mut frame = df!("good" => ["a", "b"]).unwrap();
    frame
        .with_column(Series::new_null("bad".into(), 2).into())
        .unwrap();
    frame
        .with_column(Series::new("about".into(), ["x", "y"]).into())
        .unwrap();
    ParquetWriter::new(File::create(&path).unwrap())
        .finish(&mut frame)
        .unwrap();
    let found = rows(DataFormat::Parquet, &path, &COLUMNS).unwrap();
    assert_eq!(found.len(), 2);
    assert!(
        found.iter().all(|row| row.contains("\"bad\":null")),
        "{found:?}"
    );
}

#[test]
fn rows_that_are_no_objects_or_have_a_key_twice_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let refused = |text: &str| {
        std::fs::write(&path, text).unwrap();
        rows(DataFormat::Json, &path, &COLUMNS).unwrap_err()
    };
    let good = r#"{"good": "a", "bad": "b"}"#;
    let error = refused(&format!("{good}\n[\"good\", \"bad\"]\n"));
    assert!(
        error.contains("it, line 2: ") && error.contains("expected an object with good"),
        "{error}"
    );
    let error = refused(r#"{"good": "a", "bad": "b", "good": "c"}"#);
    assert!(
        error.contains("it, line 1: the key `good` stands twice"),
        "{error}"
    );
}

#[test]
fn lines_of_text_are_rows_of_one_column_and_blank_ones_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "one two\n\nthree four\n").unwrap();
    let columns = ItemColumns {
        needed: &["text"],
        others: &[],
    };
    assert_eq!(
        rows(DataFormat::Text, &path, &columns).unwrap(),
        [r#"1 {"text":"one two"}"#, r#"3 {"text":"three four"}"#]
    );
}

#[test]
fn columns_that_would_fill_the_memory_are_refused() {
    let mut left = 2 * CELL + 10;
    take(&mut left, 4, "it").unwrap();
    take(&mut left, 6, "it").unwrap();
    assert_eq!(left, 0);
    let error = take(&mut left, 0, "it").unwrap_err().to_string();
    assert_eq!(
        error,
        "the columns of all that is named, up to it, take more than 256 MiB, which no task \
         has; name another split, or fewer configurations"
    );
}
