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
    let mut reader = Texts::open(&path, "text").unwrap();
    assert_eq!(reader.rows(), 7);
    let mut found = Vec::new();
    while let Some(rows) = reader.next_rows().unwrap() {
        found.extend(rows);
    }
    assert_eq!(found, texts);
    let message = |column| format!("{:#}", Texts::open(&path, column).unwrap_err());
    assert_eq!(
        message("id"),
        format!(
            "cannot read {} as parquet: the column `id` is u64, not text",
            path.display()
        )
    );
    assert_eq!(
        message("body"),
        format!(
            "cannot read {} as parquet: it has no column `body`; it has id, text",
            path.display()
        )
    );
}
