//! Tests of `shards.rs`.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::hub::Settings;

const COMMIT: &str = "0123456789012345678901234567890123456789";

/// A dataset of these files in a cache, `whole` where it is known that these are all.
fn found(paths: &[&str], card: &str, whole: bool) -> Result<DatasetFiles> {
    let folder = tempfile::tempdir().unwrap();
    let repo = folder.path().join("datasets--o--d");
    let snapshot = repo.join("snapshots").join(COMMIT);
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    // Of the length that the list gives, and of the hash of an empty file where it is empty.
    write(&snapshot.join("README.md"), card);
    for path in paths {
        write(&snapshot.join(path), "");
    }
    if whole {
        let card_hash = {
            use sha1::{Digest, Sha1};
            let hash = Sha1::new_with_prefix(format!("blob {}\0{card}", card.len()));
            crate::digest::hex(&hash.finalize())
        };
        let file = |path: &str, hash: &str, size: usize| {
            format!("\"{path}\": {{\"size\": {size}, \"blob_id\": \"{hash}\"}}")
        };
        let empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        let mut files: Vec<String> = paths.iter().map(|path| file(path, empty, 0)).collect();
        files.push(file("README.md", &card_hash, card.len()));
        write(
            &repo.join("trees").join(format!("{COMMIT}.json")),
            &format!(
                "{{\"format_version\": 1, \"files\": {{{}}}}}",
                files.join(", ")
            ),
        );
    }
    let settings = Settings {
        endpoint: "http://127.0.0.1:9".to_owned(),
        cache: folder.path().to_owned(),
        token: None,
        offline: true,
        offline_datasets: true,
        pause: Duration::ZERO,
        problem: None,
    };
    DatasetFiles::find(
        &Repo::dataset("o/d", COMMIT),
        &Hub::quiet(settings, Vec::new()),
    )
}

fn split(paths: &[&str], config: Option<&str>, name: &str) -> Result<Vec<String>, String> {
    let split = |found: DatasetFiles| found.split(config, name, "text");
    found(paths, "", true)
        .and_then(split)
        .map(|(_, files)| files)
        .map_err(|error| format!("{error:#}"))
}

#[test]
fn shards_come_in_their_order_and_all_of_them() {
    let paths = [
        "train-00002-of-00003.parquet",
        "train-00000-of-00003.parquet",
        "train-00001-of-00003.parquet",
        "x.json",
    ];
    assert_eq!(
        split(&paths, None, "train").unwrap(),
        [paths[1], paths[2], paths[0]]
    );
    assert_eq!(
        split(&paths[..2], None, "train").unwrap_err(),
        "1 of the 3 files of the split \"train\" of the dataset o/d are not on the hub, number 1 \
         the first"
    );
    // Some count from one.
    let from_one = [
        "train-00001-of-00002.parquet",
        "train-00002-of-00002.parquet",
    ];
    assert_eq!(split(&from_one, None, "train").unwrap(), from_one);
    // Folders count by themselves.
    let folders = [
        "a/train-00000-of-00001.parquet",
        "b/train-00000-of-00001.parquet",
    ];
    assert_eq!(split(&folders, None, "train").unwrap(), folders);
    let mixed = [
        "train-00000-of-00001-aa.parquet",
        "train-00000-of-00002-bb.parquet",
        "train-00001-of-00002-bb.parquet",
    ];
    assert!(
        split(&mixed, None, "train")
            .unwrap_err()
            .contains("do not agree on how many they are")
    );
    let twice = [
        "train-00000-of-00001-aa.parquet",
        "train-00000-of-00001-bb.parquet",
    ];
    assert!(
        split(&twice, None, "train")
            .unwrap_err()
            .contains("has two files that say that they are number 0 of 1")
    );
}

#[test]
fn a_card_may_leave_out_files_that_the_hub_has() {
    let paths = [
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ];
    let card = "---\nconfigs:\n- config_name: small\n  data_files: train-00000*\n---\n";
    let found = found(&paths, card, true).unwrap();
    assert_eq!(
        found.split(None, "train", "text").unwrap(),
        (DataFormat::Parquet, vec![paths[0].to_owned()])
    );
}

#[test]
fn of_a_list_that_may_lack_files_only_what_is_surely_whole_is_taken() {
    let not_here = |paths: &[&str]| {
        let found = found(paths, "", false).and_then(|found| found.split(None, "train", "text"));
        found.unwrap_err().is::<HubError>()
    };
    assert!(not_here(&["train/0000.parquet"]));
    assert!(not_here(&["train-00000-of-00002.parquet"]));
    assert!(not_here(&["x.unknown"]));
    let counted = found(&["train-00000-of-00001.parquet"], "", false).unwrap();
    assert!(counted.split(None, "train", "text").is_ok());
}

#[test]
fn files_that_count_themselves_say_nothing_of_those_beside_them() {
    // The card's split may have other folders, each with its own count.
    let one_of_some = ["data/dart/data-00000-of-00001.parquet"];
    let of = |pattern: &str, whole: bool| {
        let card = format!("---\nconfigs:\n- config_name: all\n  data_files: {pattern}\n---\n");
        found(&one_of_some, &card, whole).and_then(|found| found.split(None, "train", "text"))
    };
    assert!(of("data/*/data-*", true).is_ok());
    assert!(of("data/*/data-*", false).unwrap_err().is::<HubError>());
    assert!(of("data/dart/data-*", false).is_ok());
}

#[test]
fn unknown_splits_are_refused_with_those_there_are() {
    let paths = ["train.jsonl", "dev.jsonl"];
    assert_eq!(
        split(&paths, None, "test").unwrap_err(),
        "the dataset o/d has no split \"test\"; there are train, validation"
    );
    assert_eq!(
        split(&["data.parquet"], None, "validation").unwrap_err(),
        "the dataset o/d has no split \"validation\"; there is train; name it, or cut a share of \
         it such as \"0.5%\""
    );
    assert_eq!(split(&paths, None, "validation").unwrap(), ["dev.jsonl"]);
}

#[test]
fn what_cannot_be_read_says_what_it_is_and_what_to_write() {
    assert_eq!(
        split(&["train.csv", "test.csv", "e.py"], None, "train").unwrap_err(),
        format!(
            "the dataset o/d holds 2 files of csv, 1 Python script, and nothing that can be read \
             here (parquet, JSON lines or text) at the revision {COMMIT}; the hub's own copies in \
             parquet are of main alone: leave dataset.revision out, or export it to parquet or \
             text files, and write source = \"parquet\" or \"text\""
        )
    );
    assert_eq!(
        split(&["train.parquet", "test.csv"], None, "test").unwrap_err(),
        "the dataset o/d has it as 1 file of csv, which cannot be read here; write revision = \
         \"refs/convert/parquet\" to read the hub's own copies in parquet"
    );
    let error = split(&["train.jsonl", "d.py"], None, "train").unwrap_err();
    assert!(
        error.starts_with("the dataset o/d is loaded by a script (d.py), which is not run at the"),
        "{error}"
    );
    let card = "---\nconfigs:\n- config_name: default\n  data_files: '*'\n---\n";
    let mixed = found(&["a.parquet", "b.jsonl", "c.jsonl"], card, true).unwrap();
    assert_eq!(
        mixed.split(None, "train", "text").unwrap_err().to_string(),
        "the dataset o/d has json files in it, and with them a.parquet, which is none"
    );
    let field = "---\nconfigs:\n- config_name: default\n  data_files: a.json\n  field: rows\n---\n";
    let field = found(&["a.json"], field, true).unwrap();
    let error = field.split(None, "train", "text").unwrap_err().to_string();
    assert!(
        error.contains("with field: rows, which is not followed here"),
        "{error}"
    );
    let text = found(&["a.txt"], "", true).unwrap();
    assert_eq!(
        text.split(None, "train", "content")
            .unwrap_err()
            .to_string(),
        "dataset.column = \"content\": the dataset o/d has text files, whose lines are the column \
         \"text\""
    );
    let broken = found(&["a.txt"], "---\na: [\n---\n", true).unwrap_err();
    assert!(
        format!("{broken:#}").starts_with("the card of the dataset o/d cannot be read; write"),
        "{broken:#}"
    );
}
