//! Tests of `shards.rs`.

use super::*;

fn found(paths: &[&str], whole: bool) -> DatasetFiles {
    let shards = paths.iter().filter_map(|path| shard(path)).collect();
    DatasetFiles {
        repo: Repo::dataset("o/d", "main"),
        commit: "c".to_owned(),
        shards,
        whole,
    }
}

fn split(paths: &[&str], config: Option<&str>, name: &str) -> Result<Vec<String>, String> {
    let found = found(paths, true);
    found
        .split(config, name)
        .map(|files| files.into_iter().map(str::to_owned).collect())
        .map_err(|error| error.to_string())
}

#[test]
fn paths_say_configuration_split_and_number() {
    for (path, config, name, index, of) in [
        (
            "wikitext-103-raw-v1/train-00001-of-00002.parquet",
            "wikitext-103-raw-v1",
            "train",
            1,
            Some(2),
        ),
        (
            "data/train-00000-of-00001-0a1b2c3d.parquet",
            "default",
            "train",
            0,
            Some(1),
        ),
        (
            "train-00000-of-00001.parquet",
            "default",
            "train",
            0,
            Some(1),
        ),
        (
            "data/en/my-split-00000-of-00001.parquet",
            "en",
            "my-split",
            0,
            Some(1),
        ),
        (
            "plain_text/partial-train/0007.parquet",
            "plain_text",
            "partial-train",
            7,
            None,
        ),
        ("default/train/0000.parquet", "default", "train", 0, None),
        ("validation.parquet", "default", "validation", 0, None),
    ] {
        let read = shard(path).unwrap();
        assert_eq!(
            (
                read.config.as_str(),
                read.split.as_str(),
                read.index,
                read.of
            ),
            (config, name, index, of),
            "{path}"
        );
    }
    assert_eq!(shard("README.md"), None);
}

#[test]
fn shards_come_in_their_order_and_all_of_them() {
    let paths = [
        "a/train-00002-of-00003.parquet",
        "a/train-00000-of-00003.parquet",
        "a/train-00001-of-00003.parquet",
        "a/x.json",
    ];
    assert_eq!(
        split(&paths, None, "train").unwrap(),
        [paths[1], paths[2], paths[0]]
    );
    assert_eq!(
        split(&paths[..2], None, "train").unwrap_err(),
        "1 of the 3 files of the split \"train\" of the dataset o/d (a) are not on the hub, \
             number 1 the first"
    );
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
            .contains("has 2 files that say that they are of 1")
    );
    assert!(
        found(&["d/train/0000.parquet"], false)
            .split(None, "train")
            .unwrap_err()
            .is::<HubError>()
    );
}

#[test]
fn unknown_configurations_and_splits_are_refused_with_those_there_are() {
    let paths = [
        "a/train-00000-of-00001.parquet",
        "b/train-00000-of-00001.parquet",
        "b/test-00000-of-00001.parquet",
    ];
    assert_eq!(
        split(&paths, None, "train").unwrap_err(),
        "dataset.config is absent, and the dataset o/d has several: write one of a, b"
    );
    assert_eq!(
        split(&paths, Some("c"), "train").unwrap_err(),
        "dataset.config = \"c\": the dataset o/d has no such configuration; it has a, b"
    );
    assert_eq!(
        split(&paths, Some("b"), "dev").unwrap_err(),
        "the dataset o/d (b) has no split \"dev\"; there are test, train"
    );
    assert_eq!(
        split(&paths, Some("a"), "test").unwrap_err(),
        "the dataset o/d (a) has no split \"test\"; there is train; name it, or cut a share \
             of it such as \"0.5%\""
    );
    let large = ["default/partial-train/0000.parquet"];
    assert!(
        split(&large, None, "train")
            .unwrap_err()
            .contains("converted only the first part, which \"partial-train\" names")
    );
    assert_eq!(split(&large, None, "partial-train").unwrap().len(), 1);
}
