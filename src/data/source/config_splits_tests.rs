//! Tests of `config_splits.rs`.

use std::collections::BTreeMap;

use super::*;
use crate::data::source::data_formats::DataFormat;

/// The kind of the files, and those of each split that has any.
type FoundSplits = (Option<&'static str>, BTreeMap<String, Vec<String>>);

/// The kind and the files of each split that has any.
fn splits(files: &[&str], card: Option<&str>, config: Option<&str>) -> Result<FoundSplits> {
    let mut paths = files.to_vec();
    if card.is_some() {
        paths.push("README.md");
    }
    paths.sort_unstable();
    let layout = RepoLayout::Card(Card::read(card, None)?);
    let config = layout.config(config, &paths, "the dataset o/d")?;
    let found = layout.splits(&config, &paths)?;
    let kind = found.first().and_then(|split| split.kind);
    let with_files = found.into_iter().filter(|split| !split.paths.is_empty());
    Ok((
        kind,
        with_files.map(|split| (split.name, split.paths)).collect(),
    ))
}

/// Layouts at which more is read here than there, or said in other words, and why.
const OTHERWISE: [(&str, &str); 13] = [
    (
        "card mixed configs",
        "every configuration may be of its own kind",
    ),
    (
        "card data_dir and files",
        "paths are below data_dir, as for any configuration but the first there",
    ),
    ("twice", "a file that two patterns find is read once"),
    ("card twice", "a file that two patterns find is read once"),
    ("mixed kinds by split", "each split may be of its own kind"),
    (
        "empty split validation csv",
        "each split may be of its own kind",
    ),
    (
        "sharded in config folders",
        "a configuration may be a folder",
    ),
    ("script", "the script is looked for in `shards`"),
    ("train log", "a split without data is no split"),
    ("train dir of logs", "a split without data is no split"),
    (
        "split dash in sharded",
        "the name of a split may have a dash",
    ),
    (
        "card split name dash",
        "the name of a split may have a dash",
    ),
    (
        "card one split glob none",
        "a pattern without files is a split without files",
    ),
];

#[test]
fn splits_are_those_that_load_dataset_gives() {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/reference/layouts.json")).unwrap();
    let mut same = 0;
    for case in all["layouts"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let files = case["files"].as_array().unwrap();
        let files: Vec<&str> = files.iter().map(|file| file.as_str().unwrap()).collect();
        let (card, config) = (case["card"].as_str(), case["config"].as_str());
        let found = splits(&files, card, config);
        if OTHERWISE.iter().any(|(known, _)| *known == name) && case["config"] != "default" {
            continue;
        }
        let Some(expected) = case["splits"].as_object() else {
            let nothing = found.as_ref().is_ok_and(|(_, splits)| splits.is_empty());
            let is_described = name == "card info without configs";
            assert!(
                found.is_err() || nothing || is_described,
                "{name} {config:?}: {found:?}"
            );
            continue;
        };
        let expected: BTreeMap<String, Vec<String>> = expected
            .iter()
            .map(|(split, paths)| {
                let paths = paths.as_array().unwrap().iter();
                let paths = paths.map(|path| path.as_str().unwrap().to_owned());
                (split.clone(), paths.collect())
            })
            .collect();
        let (kind, splits) = found.unwrap_or_else(|error| panic!("{name} {config:?}: {error:#}"));
        assert_eq!(splits, expected, "{name} {config:?}");
        let theirs = case["kind"].as_str().unwrap();
        let readable = DataFormat::of(theirs).map(DataFormat::name);
        assert_eq!(
            kind.and_then(DataFormat::of).map(DataFormat::name),
            readable,
            "{name}"
        );
        same += 1;
    }
    assert!(same > 75, "{same}");
}

#[test]
fn where_more_is_read_than_the_library_reads_it_is_what_one_would_expect() {
    let files = |files: &[&str], card: Option<&str>, config: Option<&str>| {
        let (_, splits) = splits(files, card, config).unwrap();
        splits
            .into_iter()
            .map(|(name, paths)| format!("{name}: {}", paths.join(" ")))
            .collect()
    };
    let found: Vec<String> = files(&["train/train-v2/a.parquet", "train/b.parquet"], None, None);
    assert_eq!(found, ["train: train/b.parquet train/train-v2/a.parquet"]);
    let folders = [
        "a/train-00000-of-00001.parquet",
        "a/test-00000-of-00001.parquet",
        "data/b/train.parquet",
    ];
    let found: Vec<String> = files(&folders, None, Some("a"));
    assert_eq!(
        found,
        [
            "test: a/test-00000-of-00001.parquet",
            "train: a/train-00000-of-00001.parquet"
        ]
    );
    let found: Vec<String> = files(&folders, None, Some("b"));
    assert_eq!(found, ["train: data/b/train.parquet"]);
    let found: Vec<String> = files(&["train.jsonl", "test.parquet"], None, None);
    assert_eq!(found, ["test: test.parquet", "train: train.jsonl"]);
    let found: Vec<String> = files(&["data/my-split-00000-of-00001.parquet"], None, None);
    assert_eq!(found, ["my-split: data/my-split-00000-of-00001.parquet"]);
}

#[test]
fn a_configuration_that_is_not_there_is_refused_with_those_that_are() {
    let refusal = |files: &[&str], card: Option<&str>, config: Option<&str>| {
        format!("{:#}", splits(files, card, config).unwrap_err())
    };
    let card = "---\nconfigs:\n- config_name: en\n  data_files: en/*\n- config_name: de\n  \
                data_files: de/*\n---\n";
    let files = ["en/a.txt", "de/a.txt"];
    assert_eq!(
        refusal(&files, Some(card), None),
        "dataset.config is absent, and the dataset o/d has several: write one of de, en"
    );
    assert_eq!(
        refusal(&files, Some(card), Some("fr")),
        "dataset.config = \"fr\": the dataset o/d has no such configuration; it has de, en"
    );
    assert_eq!(
        refusal(&files, None, Some("fr")),
        "dataset.config = \"fr\": the dataset o/d has no configurations, and no folder of that \
         name; leave dataset.config out"
    );
    let two = "---\nconfigs:\n- config_name: a\n  default: true\n- config_name: default\n---\n";
    assert_eq!(
        refusal(&files, Some(two), None),
        "the dataset o/d: its card has two configurations that are the default, a and default"
    );
    let lost = "---\nconfigs:\n- config_name: a\n  data_files: en/b.txt\n---\n";
    assert_eq!(
        refusal(&files, Some(lost), None),
        "its card names \"en/b.txt\" as a file of the split \"train\", and there is none of a \
         known kind"
    );
}

#[test]
fn the_hubs_own_copies_say_configuration_and_split_by_their_folders() {
    let paths = [
        "a/partial-train/0000.parquet",
        "a/partial-train/0001.parquet",
        "b/train/0000.parquet",
        "b/train/index.parquet",
        "b/train/x/0000.json",
    ];
    assert_eq!(RepoLayout::Copies.configs(&paths), ["a", "b"]);
    let config = RepoLayout::Copies.config(Some("a"), &paths, "d").unwrap();
    let found = RepoLayout::Copies.splits(&config, &paths).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].name.as_str(), &found[0].paths[..]),
        (
            "partial-train",
            &[paths[0].to_owned(), paths[1].to_owned()][..]
        )
    );
    assert!(RepoLayout::Copies.config(None, &paths, "d").is_err());
    assert_eq!(
        RepoLayout::Copies
            .config(None, &paths[2..], "d")
            .unwrap()
            .name,
        "b"
    );
}
