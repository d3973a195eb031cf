//! Tests of `data_formats.rs`.

use super::*;

#[test]
fn the_kind_of_most_files_counts_and_of_as_many_parquet() {
    for (paths, kind) in [
        (&["a.jsonl", "b.parquet"][..], Some("parquet")),
        (&["a.jsonl", "b.jsonl", "c.parquet"], Some("json")),
        (&["a.txt.gz", "b.txt.gz"], Some("text")),
        (&["a.txt", "b.csv"], Some("csv")),
        (&["metadata.csv", "1.png"], Some("images")),
        (&["a", "b.unknown"], None),
        (&["x.manifest", "a.txt"], Some("text")),
    ] {
        assert_eq!(kind_of_most(paths), kind, "{paths:?}");
    }
}

#[test]
fn endings_say_what_is_data() {
    for (path, data) in [
        ("a.parquet", true),
        ("a.PARQUET", false),
        ("a.PNG", true),
        ("a.v1.jsonl.zst", true),
        ("a.py", false),
        ("jsonl", false),
        ("x.json/a", false),
    ] {
        assert_eq!(is_data(path), data, "{path}");
    }
    assert!(is_of_kind("a/b.jsonl.gz", "json") && !is_of_kind("a/b.jsonl_gz", "json"));
}

#[test]
fn what_a_repo_holds_is_said_in_words() {
    assert_eq!(
        in_words(&["d.py", "a.csv.gz", "b.csv", "README.md", "LICENSE"]),
        "2 files of csv, 1 Python script"
    );
    assert_eq!(in_words(&["README.md"]), "1 files of no kind of data");
}
