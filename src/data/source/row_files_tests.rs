//! Tests of `row_files.rs`.

use std::fs;

use super::*;
use crate::plan::path::InputPath;
use crate::plan::run::{Detokenize, HeldOut, Rows};

fn find(folder: &Path, train: &[&str], format: DataFormat) -> Result<RowFiles> {
    let train: Vec<InputPath> = train
        .iter()
        .map(|name| InputPath::new(*name, folder))
        .collect();
    let share = HeldOut::Share("20%".to_owned());
    let paths = SplitPaths {
        train: &train,
        validation: &share,
        test: &share,
        cut: None,
    };
    let column = TextColumn::new("text", Rows::Documents, Detokenize::None);
    RowFiles::find(&paths, format, column)
}

/// Keys and texts of what is wrong.
fn faults(folder: &Path, error: anyhow::Error) -> Vec<(String, String)> {
    let inside = format!("{}/", folder.display());
    let faults = InputFault::found_in(&error).unwrap();
    let told = faults.into_iter().map(|fault| {
        let text = fault.to_string().replace(&inside, "");
        (fault.key.unwrap(), text)
    });
    told.collect()
}

#[test]
fn what_is_no_json_is_told_at_its_file_with_the_source_that_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (name, content) in [
        ("good.jsonl", &b"{\"text\": \"a\"}\n"[..]),
        ("plain.jsonl", b"plain text\n"),
        ("table.jsonl", b"PAR1 and so on"),
        ("number.jsonl", b"{\"text\": 3}\n"),
        ("later.jsonl", b"{\"text\": \"a\"}\n{\"text\": []}\n"),
        ("other.jsonl", b"{\"body\": \"a\"}\n"),
        ("white.jsonl", b" \n"),
    ] {
        fs::write(folder.join(name), content).unwrap();
    }
    let wrong = ["good.jsonl", "plain.jsonl", "table.jsonl", "number.jsonl"];
    let told = faults(
        folder,
        find(folder, &wrong, DataFormat::Json).err().unwrap(),
    );
    let told: Vec<(&str, &str)> = told.iter().map(|(key, text)| (&**key, &**text)).collect();
    assert_eq!(
        told,
        [
            (
                "dataset.train[1]",
                "plain.jsonl holds no JSON; write dataset.source = \"text\" if it is text, or \
                 name files of JSON"
            ),
            (
                "dataset.train[2]",
                "table.jsonl is a parquet file, not text; write dataset.source = \"parquet\""
            ),
            (
                "dataset.train[3]",
                "number.jsonl, line 1: invalid type: integer `3`, expected a text or null; mend \
                 the row, or take it out"
            ),
        ]
    );
    let later = ["good.jsonl", "later.jsonl", "other.jsonl", "white.jsonl"];
    let found = find(folder, &later, DataFormat::Json).unwrap();
    let told = faults(folder, found.check_rows().unwrap_err());
    let told: Vec<(&str, &str)> = told.iter().map(|(key, text)| (&**key, &**text)).collect();
    assert_eq!(
        told,
        [
            (
                "dataset.column",
                "no row of other.jsonl has a key `text`; write one of those there are: body"
            ),
            (
                "dataset.train[1]",
                "later.jsonl, line 2: the text is in parts: a list; write what is to be read of \
                 every row into a key of its own, as one text"
            ),
        ]
    );
}
