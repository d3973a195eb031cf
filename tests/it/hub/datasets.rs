//! What becomes of a dataset of the hub: its own files or the hub's copies, shares of them, and the
//! shipped study.

use std::collections::BTreeSet;
use std::path::Path;

use kdpipe::data::{Prepared, Split, prepare};
use kdpipe::hub::Hub;
use kdpipe::plan::run::{DatasetSpec, Detokenize, Rows, TokenizerSpec};

use super::server::Server;
use super::shelf::{STORIES, filled, model, parquet, settings, splits, stories};
use super::studies::{fetched, run, spec};
use crate::builder::TestSite;

#[test]
fn a_dataset_whose_files_cannot_be_read_is_read_from_the_hubs_own_copies() {
    let server = filled();
    server.commit(STORIES, "main", &[("stories.csv", b"text\n".to_vec())]);
    let converted: Vec<(&str, Vec<u8>)> = vec![
        ("default/train/0000.parquet", stories(0, 60)),
        ("default/train/0001.parquet", stories(60, 120)),
        ("default/validation/0000.parquet", stories(120, 130)),
        ("default/test/0000.parquet", stories(130, 145)),
    ];
    let commit = server.commit(STORIES, "refs/convert/parquet", &converted);
    let site = TestSite::new(&spec(""));
    run(&site, &server, "run study.toml --only arm=none").code(0);
    let lock = std::fs::read_to_string(site.path("results/tiny/lock.toml")).unwrap();
    assert!(
        lock.contains(&format!(
            "commit = \"{commit}\"\nbranch = \"refs/convert/parquet\""
        )),
        "{lock}"
    );
    assert!(
        lock.contains(", the hub's own copies (refs/convert/parquet)"),
        "{lock}"
    );
    // The same text as that of the files on main: the streams have the same tokens.
    let other = TestSite::new(&spec(""));
    server.commit(STORIES, "main", &splits());
    run(&other, &server, "run study.toml --only arm=none").code(0);
    let metrics = |site: &TestSite| {
        site.results()
            .into_iter()
            .find(|(name, _)| name.contains("runs/") && name.ends_with("metrics.parquet"))
            .unwrap()
            .1
    };
    assert_eq!(metrics(&site), metrics(&other));
    drop(server);
    let again = site
        .kdpipe("run study.toml --only arm=none --offline")
        .code(0);
    assert!(
        again.error.contains("1 run is finished already"),
        "{}",
        again.error
    );
}

/// Stories of which a third stands there twice, in two files, all of the training split.
fn stories_twice(server: &Server) {
    let texts = |from: usize| {
        (from..from + 300)
            .map(|index| format!("story {} of a fox", index % 450))
            .collect::<Vec<_>>()
    };
    server.commit(
        STORIES,
        "main",
        &[
            ("data/train-00000-of-00002.parquet", parquet(texts(0))),
            ("data/train-00001-of-00002.parquet", parquet(texts(300))),
        ],
    );
}

/// Shares of the training documents as the other splits.
fn shared(train_tokens: Option<u64>) -> DatasetSpec {
    DatasetSpec::Hub {
        repo: "o/stories".to_owned(),
        config: None,
        revision: "main".to_owned(),
        train: "train".to_owned(),
        validation: "20%".to_owned(),
        test: "10%".to_owned(),
        cut: None,
        column: "text".to_owned(),
        rows: Rows::Documents,
        detokenize: Detokenize::None,
        train_tokens,
    }
}

/// The streams of that dataset, by a hub whose cache lies in a folder.
fn prepared(server: &Server, folder: &Path, train_tokens: Option<u64>) -> Prepared {
    let hub = Hub::quiet(settings(server, &folder.join("hub")), Vec::new());
    let tokenizer = TokenizerSpec::Hub {
        repo: "o/tiny-gpt2".to_owned(),
        revision: "main".to_owned(),
    };
    let corpora = folder.join("corpora");
    prepare(&shared(train_tokens), &tokenizer, &hub, &corpora, &|_| {}).unwrap()
}

#[test]
fn shares_are_cut_from_the_training_documents_and_none_is_in_two_splits() {
    let server = filled();
    stories_twice(&server);
    let folder = tempfile::tempdir().unwrap();
    let all = prepared(&server, folder.path(), None);
    let texts_of = |split: &Split| {
        (0..split.documents.len())
            .map(|at| all.tokenizer.decode(split.document(at)))
            .collect::<Vec<_>>()
    };
    let [train, validation, test] = [&all.train, &all.validation, &all.test].map(texts_of);
    assert_eq!(train.len() + validation.len() + test.len(), 600);
    let set = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<String>>();
    assert!(
        set(&train).is_disjoint(&set(&validation))
            && set(&train).is_disjoint(&set(&test))
            && set(&validation).is_disjoint(&set(&test))
    );
    assert!(
        (80..160).contains(&validation.len()) && (30..90).contains(&test.len()),
        "{} {}",
        validation.len(),
        test.len()
    );
}

#[test]
fn where_fewer_tokens_are_wanted_shares_are_of_the_documents_up_to_there() {
    let server = filled();
    stories_twice(&server);
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = prepared(&server, folder.path(), None);
    let wanted = all.train.documents[100] - 3;
    server.requests();
    let some = prepared(&server, other.path(), Some(wanted));
    assert_eq!(some.train.tokens(), &all.train.tokens()[..wanted as usize]);
    assert_eq!(
        some.validation.tokens(),
        &all.validation.tokens()[..some.validation.tokens().len()]
    );
    assert!(
        some.validation.documents.len() < all.validation.documents.len() / 2
            && !some.test.documents.is_empty()
    );
    // The second file is not needed.
    let mut files = fetched(&server);
    files.retain(|file| file.ends_with(".parquet"));
    assert_eq!(
        files.into_iter().collect::<Vec<_>>(),
        ["data/train-00000-of-00002.parquet"]
    );
    assert_ne!(some.key, all.key);
}

/// Sizes at which the shipped study takes seconds.
const SMALL: [&str; 21] = [
    "student.layers=2",
    "student.width=16",
    "student.heads=2",
    "student.init_blocks=\"uniform\"",
    "train.steps=4",
    "train.batch=2",
    "train.context=16",
    "train.checkpoint_every=2",
    "train.evaluate_every=4",
    "train.gradients_every=2",
    "arms.wasserstein.loss.hidden.critic.warmup=2",
    "select.loss.hidden.weight.to=[0.3,3.0]",
    "evaluate.treatment_tokens=64",
    "balance.batches=1",
    "evaluate.context=16",
    "evaluate.stride=16",
    "evaluate.probe_tokens=32",
    "evaluate.embed_tokens=12",
    "evaluate.directions=4",
    "evaluate.samples.prompts=1",
    "evaluate.samples.tokens=2",
];

#[test]
fn the_shipped_study_of_wikitext_103_runs_with_a_tiny_model_in_its_place() {
    let server = Server::start();
    server.commit("models/openai-community/gpt2", "main", &model(32, 1));
    let lines = |from: usize| {
        (0..300)
            .map(|row| {
                if row % 20 == 0 {
                    format!(" = Title {} = \n", row + from)
                } else {
                    format!(" Line {} of the text , with words . \n", row * from)
                }
            })
            .collect()
    };
    let file = |split: &str| format!("wikitext-103-raw-v1/{split}.parquet");
    let names = [
        file("train-00000-of-00002"),
        file("train-00001-of-00002"),
        file("validation-00000-of-00001"),
        file("test-00000-of-00001"),
    ];
    let files: Vec<(&str, Vec<u8>)> = names
        .iter()
        .zip([1, 2, 3, 5])
        .map(|(name, from)| (name.as_str(), parquet(lines(from))))
        .collect();
    let other = (
        "wikitext-2-raw-v1/train-00000-of-00001.parquet",
        parquet(lines(7)),
    );
    server.commit(
        "datasets/Salesforce/wikitext",
        "main",
        &[files, vec![other]].concat(),
    );
    let site = TestSite::new("");
    let spec = format!("{}/pipelines/wikitext103.toml", env!("CARGO_MANIFEST_DIR"));
    let small: String = SMALL.iter().map(|set| format!(" --set {set}")).collect();
    run(&site, &server, &format!("run {spec}{small} --only seed=0")).code(0);
    let report = std::fs::read_to_string(site.path("results/wikitext103/report.md")).unwrap();
    assert!(
        report.contains("Salesforce/wikitext (wikitext-103-raw-v1) of the hub at the commit "),
        "{report}"
    );
    let all = fetched(&server);
    assert!(
        !all.iter().any(|file| file.contains("wikitext-2")),
        "{all:?}"
    );
}

/// Stories as JSON lines.
fn lines(from: usize, to: usize) -> Vec<u8> {
    let line = |index| format!("{{\"text\": \"story {index} of a fox and a hound\", \"id\": 1}}\n");
    (from..to).map(line).collect::<String>().into_bytes()
}

#[test]
fn check_reads_the_files_that_the_cache_has_and_looks_which_of_them_splits_share() {
    let server = filled();
    let bad = [lines(0, 300), b"{\"text\": 7}\n".to_vec()].concat();
    let files = |train: Vec<u8>| {
        vec![
            ("train.jsonl", train),
            ("valid.jsonl", lines(300, 360)),
            ("test.jsonl", lines(360, 420)),
        ]
    };
    server.commit(STORIES, "main", &files(bad));
    let site = TestSite::new(&spec(""));
    let told = |command: &str, code: i32, expected: &[&str]| {
        let done = run(&site, &server, command).code(code);
        for part in expected {
            assert!(done.error.contains(part), "{part}: {}", done.error);
        }
    };
    let row = [
        "train.jsonl, line 301: invalid type: integer `7`, expected a text or null",
        "mend the row, or take it out",
    ];
    // What is not fetched cannot be read; a run fetches it, and finds the row.
    run(&site, &server, "check study.toml").code(0);
    told("run study.toml --only arm=none", 2, &row);
    told("check study.toml", 2, &row);
    server.commit(STORIES, "main", &files(lines(0, 300)));
    run(&site, &server, "run study.toml --only arm=none --relock").code(0);
    run(&site, &server, "check study.toml").code(0);
    let column = [
        "has a key `body` (and 2 more like it)",
        "write one of those there are: id, text",
        "--set",
    ];
    told("check study.toml --set dataset.column=body", 2, &column);
    let shared = [
        "train.jsonl of dataset.validation is also in dataset.train, with the same content",
        "name another split, or a share of the training documents",
    ];
    told(
        "check study.toml --set dataset.validation=train",
        2,
        &shared,
    );
}
