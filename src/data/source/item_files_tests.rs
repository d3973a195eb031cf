//! Tests of `item_files.rs`.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::hub::Settings;

const COMMIT: &str = "0123456789012345678901234567890123456789";
const COLUMNS: ItemColumns = ItemColumns {
    needed: &["text"],
    others: &[],
};
/// Two configurations, one of which has a second split.
const CARD: &str = "---
configs:
- config_name: verbs
  data_files:
  - split: train
    path: verbs.jsonl
- config_name: nouns
  data_files:
  - split: train
    path: nouns/*.jsonl
  - split: test
    path: test.jsonl
---
";

/// An offline hub whose cache has a dataset of these files; those without a content are only
/// listed.
fn hub(folder: &Path, files: &[(&str, Option<&str>)]) -> Hub<'static> {
    let repo = folder.join("datasets--o--d");
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let entry = |(path, text): &(&str, Option<&str>)| {
        use sha1::{Digest, Sha1};
        if let Some(text) = text {
            write(&repo.join("snapshots").join(COMMIT).join(path), text);
        }
        // What is only listed has a content of its own.
        let text = text.unwrap_or(path);
        let hash = Sha1::new_with_prefix(format!("blob {}\0{text}", text.len()));
        let hash = crate::digest::hex(&hash.finalize());
        format!(
            "\"{path}\": {{\"size\": {}, \"blob_id\": \"{hash}\"}}",
            text.len()
        )
    };
    let entries: Vec<String> = files.iter().map(entry).collect();
    write(
        &repo.join("trees").join(format!("{COMMIT}.json")),
        &format!(
            "{{\"format_version\": 1, \"files\": {{{}}}}}",
            entries.join(", ")
        ),
    );
    let settings = Settings {
        endpoint: "http://127.0.0.1:9".to_owned(),
        cache: folder.to_owned(),
        token: None,
        offline: true,
        offline_datasets: true,
        pause: Duration::ZERO,
        problem: None,
    };
    Hub::quiet(settings, Vec::new())
}

/// What is read of a dataset: text and configuration of every row.
fn read(
    files: &[(&str, Option<&str>)],
    configs: &[&str],
    split: &str,
    reach: ItemReach,
) -> Result<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(folder.path(), files);
    let configs: Vec<String> = configs.iter().map(|name| (*name).to_owned()).collect();
    let items = HubItems {
        repo: "o/d",
        revision: COMMIT,
        configs: &configs,
        split,
    };
    let found = ItemFiles::find("own", &items, &hub)?;
    assert_eq!(found.commit(), COMMIT);
    let mut rows = Vec::new();
    found.visit(reach, &COLUMNS, &mut |row, group| {
        let text = row["text"].as_str().ok_or("it is bad")?;
        rows.push(format!("{}: {text}", group.unwrap_or("-")));
        Ok(())
    })?;
    Ok(rows)
}

/// The same where it is refused: each key with the message and what to do.
fn refused(files: &[(&str, Option<&str>)], configs: &[&str], split: &str) -> Vec<String> {
    let error = read(files, configs, split, ItemReach::Everything).unwrap_err();
    let faults = InputFault::found_in(&error).unwrap_or_else(|| panic!("{error:#}"));
    let told = |fault: InputFault| {
        let hint = fault.hint.unwrap_or_default();
        format!("{}: {}; {hint}", fault.key.unwrap(), fault.message)
    };
    faults.into_iter().map(told).collect()
}

const TWO: [(&str, Option<&str>); 4] = [
    ("README.md", Some(CARD)),
    (
        "verbs.jsonl",
        Some("{\"text\": \"he is\"}\n{\"text\": \"he has\"}\n"),
    ),
    ("nouns/a.jsonl", Some("{\"text\": \"a dog\"}\n")),
    ("test.jsonl", Some("{\"text\": \"a test\"}\n")),
];

#[test]
fn all_configurations_are_read_by_their_names_unless_some_are_named() {
    let all = |configs: &[&str], split| read(&TWO, configs, split, ItemReach::Everything).unwrap();
    let both = ["nouns: a dog", "verbs: he is", "verbs: he has"];
    assert_eq!(all(&[], "train"), both);
    assert_eq!(all(&["verbs"], "train"), both[1..]);
    assert_eq!(all(&["nouns"], "test"), ["nouns: a test"]);
    // Without names there is nothing to tell rows apart by.
    let plain = [
        ("train.jsonl", Some("{\"text\": \"x\"}")),
        ("README.md", Some("")),
    ];
    let rows = read(&plain, &[], "train", ItemReach::Everything).unwrap();
    assert_eq!(rows, ["-: x"]);
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    assert_eq!(
        refused(&TWO, &["verbs", "adverbs"], "train"),
        [
            "evaluate.tasks.own.configs[1]: evaluate.tasks.own.configs names \"adverbs\": the \
          dataset \
          o/d has no such configuration; it has nouns, verbs; write one of those, or leave it out \
          for all of them"
        ]
    );
    assert_eq!(
        refused(&TWO, &[], "test"),
        [
            "evaluate.tasks.own.split: evaluate.tasks.own.split = \"test\": the dataset o/d \
          (verbs) \
          has no split \"test\"; there is train; name a split that all configurations have, or \
          those that have it in evaluate.tasks.own.configs"
        ]
    );
    let plain = [
        ("a.jsonl", Some("{\"text\": \"x\"}")),
        ("README.md", Some("")),
    ];
    assert_eq!(
        refused(&plain, &["b"], "train"),
        [
            "evaluate.tasks.own.configs[0]: evaluate.tasks.own.configs names \"b\": the dataset \
          o/d \
          has no configurations, and no folder of that name; leave evaluate.tasks.own.configs out"
        ]
    );
    let csv = [("a.csv", Some("text\nx")), ("README.md", Some(""))];
    let error = read(&csv, &[], "train", ItemReach::Everything).unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.contains("export it to JSON lines, and name those in evaluate.tasks.own.files"),
        "{error}"
    );
}

#[test]
fn two_configurations_with_one_file_are_refused() {
    let mut twice = TWO;
    twice[2].1 = twice[1].1;
    assert_eq!(
        refused(&twice, &[], "train"),
        [
            "evaluate.tasks.own.repo: the configurations nouns and verbs of the dataset o/d \
          both have \
          the rows of verbs.jsonl, which would count twice; leave verbs out: \
          evaluate.tasks.own.configs = [\"nouns\"]"
        ]
    );
    let one = read(&twice, &["verbs"], "train", ItemReach::Everything);
    assert_eq!(one.unwrap().len(), 2);
}

#[test]
fn two_configurations_with_the_same_rows_in_other_files_are_refused_too() {
    let mut twice = TWO;
    // Another file, by a space.
    twice[2].1 = Some("{\"text\":  \"he is\"}\n{\"text\": \"he has\"}\n");
    assert_eq!(
        refused(&twice, &["nouns", "verbs"], "train"),
        [
            "evaluate.tasks.own.configs: the configurations nouns and verbs of the dataset o/d \
             both have the same rows, which would count twice; leave verbs out: \
             evaluate.tasks.own.configs = [\"nouns\"]"
        ]
    );
}

#[test]
fn a_row_that_is_no_item_is_told_with_file_and_number_and_no_rows_at_all_too() {
    let mut bad = TWO;
    bad[1].1 = Some("{\"text\": \"he is\"}\n{\"text\": null}\n");
    let remedy = "name another dataset, or export it to JSON lines, and name those in \
                  evaluate.tasks.own.files in its place";
    assert_eq!(
        refused(&bad, &[], "train"),
        [format!(
            "evaluate.tasks.own.repo: verbs.jsonl of the dataset o/d, row 2: it is bad; {remedy}"
        )]
    );
    let empty = [("train.jsonl", Some("\n")), ("README.md", Some(""))];
    assert_eq!(
        refused(&empty, &[], "train"),
        [
            "evaluate.tasks.own.split: the dataset o/d has no rows in what is named of it; name \
          another split, or other configurations"
        ]
    );
}

#[test]
fn what_the_cache_lacks_is_left_out_of_a_look_and_missed_by_a_run() {
    let mut partly = TWO;
    partly[2].1 = None;
    let seen = read(&partly, &[], "train", ItemReach::Cached).unwrap();
    assert_eq!(seen, ["verbs: he is", "verbs: he has"]);
    let error = read(&partly, &[], "train", ItemReach::Everything).unwrap_err();
    assert!(
        matches!(error.downcast_ref(), Some(HubError::NotHere { what }) if what
            .contains("nouns/a.jsonl")),
        "{error:#}"
    );
}

#[test]
fn of_two_configurations_with_the_same_rows_the_default_is_to_be_left_out() {
    const CARD: &str = "---
configs:
- config_name: default
  data_files: en.jsonl
- config_name: en
  data_files: en.jsonl
- config_name: de
  data_files: de.jsonl
---
";
    let files = [
        ("README.md", Some(CARD)),
        ("en.jsonl", Some("{\"text\": \"a dog\"}\n")),
        ("de.jsonl", Some("{\"text\": \"ein Hund\"}\n")),
    ];
    let told = refused(&files, &[], "train");
    let remedy = "leave default out: evaluate.tasks.own.configs = [\"de\", \"en\"]";
    assert!(told.len() == 1 && told[0].ends_with(remedy), "{told:?}");
    // Followed, it is enough.
    let rows = read(&files, &["de", "en"], "train", ItemReach::Everything).unwrap();
    assert_eq!(rows, ["de: ein Hund", "en: a dog"]);
}

#[test]
fn two_files_of_one_configuration_with_the_same_rows_are_named() {
    let text = Some("{\"text\": \"a dog\"}\n");
    let files = [
        ("README.md", Some("")),
        ("data/test.jsonl", text),
        ("data/test_en.jsonl", text),
    ];
    let told = refused(&files, &[], "test");
    assert!(
        told[0].contains("data/test.jsonl and data/test_en.jsonl of the dataset o/d are the same"),
        "{told:?}"
    );
}
