//! Tests of `dataset.rs`.

use super::super::input_files::InputFiles;
use super::*;
use crate::data::tests::no_hub;
use crate::plan::path::InputPath;
use crate::plan::run::{Detokenize, HeldOut, LineBlocks, Rows, TextDocuments};

fn fingerprint(dataset: &DatasetSpec) -> String {
    let hub = no_hub();
    let found = Dataset::find(dataset, &hub).unwrap();
    found.fingerprint().to_owned()
}

fn synthetic(seed: u64, train_tokens: Option<u64>) -> DatasetSpec {
    DatasetSpec::Synthetic {
        seed,
        train_words: 10,
        validation_words: 10,
        test_words: 10,
        train_tokens,
    }
}

#[test]
fn a_synthetic_dataset_is_its_recipe() {
    let of = |seed, tokens| fingerprint(&synthetic(seed, tokens));
    assert_eq!(of(1, None), of(1, None));
    assert_ne!(of(1, None), of(2, None));
    assert_ne!(of(1, None), of(1, Some(5)));
    assert_eq!(of(1, None).len(), 64);
}

#[test]
fn files_count_by_content_and_order_and_not_by_path() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("a", "one"),
        ("b", "two"),
        ("copy-of-a", "one"),
        ("other", "three"),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let of = |train: &[&str], detokenize| {
        let paths = |names: &[&str]| {
            names
                .iter()
                .map(|name| InputPath::new(*name, folder.path()))
                .collect::<Vec<_>>()
        };
        let held = || paths(&["other"]).into();
        let dataset = DatasetSpec::Text {
            train: paths(train),
            validation: held(),
            test: held(),
            cut: None,
            documents: TextDocuments::Files,
            detokenize,
            train_tokens: None,
        };
        fingerprint(&dataset)
    };
    assert_eq!(
        of(&["a", "b"], Detokenize::None),
        of(&["copy-of-a", "b"], Detokenize::None)
    );
    assert_ne!(
        of(&["a", "b"], Detokenize::None),
        of(&["b", "a"], Detokenize::None)
    );
    assert_ne!(
        of(&["a"], Detokenize::None),
        of(&["a"], Detokenize::Wikitext)
    );
}

/// Runs and cache files that people have are found by these. Those of text moved with the
/// separators of documents, those of rows that are lines with the end that joins them, that of a
/// hub dataset when the rule that chooses its files became that of `load_dataset`, and when shares
/// stopped to count the white space at the ends of documents.
/// It is long because it has every source.
#[test]
fn fingerprints_are_those_that_people_have() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c", "d", "e"] {
        std::fs::write(folder.path().join(name), format!("content of {name}")).unwrap();
    }
    let paths = |name: &str| vec![InputPath::new(name, folder.path())];
    let text = DatasetSpec::Text {
        train: [paths("a"), paths("[bc]")].concat(),
        validation: paths("d").into(),
        test: paths("e").into(),
        cut: None,
        documents: TextDocuments::Files,
        detokenize: Detokenize::Wikitext,
        train_tokens: Some(7),
    };
    let of_rows = |format, validation: HeldOut, cut| {
        let paths = SplitPaths {
            train: &paths("a"),
            validation: &validation,
            test: &paths("c").into(),
            cut,
        };
        let files = InputFiles::find(&paths, &|_, _| Ok(())).unwrap();
        let column = TextColumn::new("text", Rows::Documents, Detokenize::None);
        let mut recipe = Recipe::new("dataset");
        RowFiles::of(files, format, column).add_to(&mut recipe);
        recipe.finish()
    };
    let cut = Some(LineBlocks { lines: 20, gap: 2 });
    let commit = "0123456789012345678901234567890123456789";
    let snapshot = folder.path().join("datasets--o--d/snapshots").join(commit);
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::write(snapshot.join("train.parquet"), "").unwrap();
    std::fs::write(snapshot.join("README.md"), "").unwrap();
    let settings = crate::hub::Settings {
        endpoint: "http://127.0.0.1:9".to_owned(),
        cache: folder.path().to_owned(),
        token: None,
        offline: true,
        offline_datasets: true,
        pause: std::time::Duration::ZERO,
        problem: None,
    };
    let hub = Hub::quiet(settings, Vec::new());
    let of_the_hub = DatasetSpec::Hub {
        repo: "o/d".to_owned(),
        config: None,
        revision: commit.to_owned(),
        train: "train".to_owned(),
        validation: "1%".to_owned(),
        test: "2%".to_owned(),
        cut: None,
        column: "text".to_owned(),
        rows: Rows::Lines,
        detokenize: Detokenize::None,
        train_tokens: Some(100),
    };
    let of = |spec: &DatasetSpec| {
        let dataset = Dataset::find(spec, &hub).unwrap();
        dataset.fingerprint().to_owned()
    };
    let found = [
        of(&synthetic(1, None)),
        of(&text),
        of_rows(DataFormat::Parquet, paths("b").into(), None),
        of_rows(DataFormat::Json, paths("b").into(), None),
        of_rows(DataFormat::Json, HeldOut::Share("5%".to_owned()), None),
        of_rows(DataFormat::Json, HeldOut::Share("5%".to_owned()), cut),
        of(&of_the_hub),
    ];
    insta::assert_debug_snapshot!(found, @r#"
    [
        "2976e7a6fcc23b4409d0171c3fac7f438e8b465bd0e4db8e5767fbdd0dc20702",
        "aaac3950d6912b249c4811ff66d064c77fc3778b0acb5ceac9b62048f1ca8844",
        "5e9ab89abc52a26611c28b34223d8197ee9ae23ef707064226893e5a9a06ebc7",
        "182f12c93b6479801c3e19e801338731843d00927bcc73a51e4c6f6088209fd2",
        "924b84afce3e4e9356d1f3e8ab5268da89c233cdb6ab2c7395490d86db9e91ba",
        "0d1e3a265d7c5c38f50d45eed147ecea33ed8bfff3d8b25ec1c8400676a6e875",
        "98b3ae8a990bfa1ec7dbcd73b412ff59698c00d662d0c75ddb82ad2162c42d8b",
    ]
    "#);
}

/// A file that nobody wrote for long: a link to one of the project.
#[cfg(unix)]
fn untouched_file(folder: &std::path::Path, name: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::os::unix::fs::symlink(project.join("LICENSE"), &path).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn preparing_hashes_a_file_once_and_reads_it_for_what_is_made_of_it_alone() {
    use crate::data::prepare;
    use crate::data::source::file_reads;
    use crate::plan::run::TokenizerSpec;
    let folder = tempfile::tempdir().unwrap();
    let [train, validation, test] =
        ["train.txt", "valid.txt", "test.txt"].map(|name| untouched_file(folder.path(), name));
    let paths = |name: &str| vec![InputPath::new(name, folder.path())];
    let spec = DatasetSpec::Text {
        train: paths("tr*.txt"),
        validation: paths("valid.txt").into(),
        test: paths("test.txt").into(),
        cut: None,
        documents: TextDocuments::Files,
        detokenize: Detokenize::None,
        train_tokens: None,
    };
    let reads = || [&train, &validation, &test].map(|path| file_reads::count(path));
    // As a run does: first its id is asked for, then the streams.
    dataset_fact(&spec, &no_hub()).unwrap();
    assert_eq!(reads(), [1, 1, 1], "hashed");
    let prepared = |vocab_size| {
        let tokenizer = TokenizerSpec::Train { vocab_size };
        let cache = folder.path().join("cache");
        prepare(&spec, &tokenizer, &no_hub(), &cache, &|_| {}).unwrap()
    };
    prepared(300);
    assert_eq!(
        reads(),
        [3, 2, 2],
        "the tokenizer is trained, then all is encoded"
    );
    prepared(300);
    assert_eq!(reads(), [3, 2, 2], "a second start reads nothing");
    prepared(301);
    assert_eq!(
        reads(),
        [5, 3, 3],
        "another tokenizer reads the text, and hashes nothing"
    );
}
