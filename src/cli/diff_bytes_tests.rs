//! Tests of `diff_bytes.rs`.

use super::*;
use crate::table::Column;

#[test]
fn equal_folders_differ_in_nothing_and_times_do_not_count() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, seconds) in [(&a, "12 s"), (&b, "15 s")] {
        let report = format!("# Study\n<!-- times -->\ntook {seconds}\n<!-- /times -->\nend\n");
        std::fs::write(folder.path().join("report.md"), report).unwrap();
        std::fs::write(folder.path().join("speed.json"), seconds).unwrap();
    }
    assert_eq!(
        differences(a.path(), b.path()).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn the_first_differing_line_and_missing_files_are_named() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(a.path().join("spec.toml"), "seed = 0\nsteps = 5\n").unwrap();
    std::fs::write(b.path().join("spec.toml"), "seed = 0\nsteps = 6\n").unwrap();
    std::fs::write(a.path().join("only.json"), "{}").unwrap();
    let found = differences(a.path(), b.path()).unwrap();
    assert_eq!(
        found[0],
        format!("only.json: only in {}", a.path().display())
    );
    assert_eq!(found[1], "spec.toml: line 2: steps = 5 | steps = 6");
}

#[test]
fn other_ends_of_lines_are_other_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(a.path().join("runs.csv"), "run,loss\n1,2\n").unwrap();
    std::fs::write(b.path().join("runs.csv"), "run,loss\r\n1,2\r\n").unwrap();
    assert_eq!(
        differences(a.path(), b.path()).unwrap(),
        ["runs.csv: the ends of its lines differ"]
    );
}

#[test]
fn of_tables_the_first_cell_that_differs_is_named_by_its_own_column() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let named = |table: &Table, other: &Table| {
        std::fs::write(
            a.path().join("x.parquet"),
            table::to_parquet(table).unwrap(),
        )
        .unwrap();
        std::fs::write(
            b.path().join("x.parquet"),
            table::to_parquet(other).unwrap(),
        )
        .unwrap();
        differences(a.path(), b.path()).unwrap().join("; ")
    };
    let text = |last: &str| {
        let texts = ["one, two", last].map(str::to_owned);
        let ends = vec![0.5, last.len() as f64];
        Table::new()
            .with("seed", Column::U32(vec![0, 1]))
            .with("text", Column::Text(texts.into()))
            .with("end", Column::F64(ends))
    };
    assert_eq!(
        named(&text("a, b"), &text("a, c")),
        "x.parquet: row 1, column text: a, b | a, c"
    );
    let of = |column| Table::new().with("seed", column);
    assert_eq!(
        named(&of(Column::U32(vec![1, 2])), &of(Column::U32(vec![1]))),
        "x.parquet: 2 | 1 rows"
    );
    assert_eq!(
        named(&of(Column::U32(vec![1, 2])), &of(Column::U64(vec![1, 2]))),
        "x.parquet: the same values, written in other bytes"
    );
    assert_eq!(
        named(&of(Column::U32(vec![1])), &of(Column::F64(vec![1.0]))),
        "x.parquet: column seed holds whole numbers | numbers, of the same values"
    );
}
