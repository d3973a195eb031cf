//! Tests of `tasks.rs`.

use std::time::Duration;

use serde_json::{Map, Value};

use super::*;
use crate::hub::Settings;
use crate::plan::path::InputPath;

/// A hub that nothing is asked of.
fn no_hub() -> Hub<'static> {
    Hub::quiet(
        Settings {
            endpoint: "http://127.0.0.1:9".to_owned(),
            cache: "none".into(),
            token: None,
            offline: true,
            offline_datasets: true,
            pause: Duration::ZERO,
            problem: None,
        },
        Vec::new(),
    )
}

/// Pairs of files.
fn pairs_of(files: Vec<InputPath>) -> TaskSpec {
    TaskSpec::Pairs {
        files,
        repo: None,
        revision: None,
        configs: Vec::new(),
        split: None,
    }
}

fn tokenizer() -> Tokenizer {
    let vocabulary: Vec<char> = (b'!'..=b'~').map(char::from).chain(['Ġ', 'Ċ']).collect();
    let vocabulary: Map<String, Value> = vocabulary
        .into_iter()
        .enumerate()
        .map(|(id, letter)| (letter.to_string(), id.into()))
        .collect();
    let json = serde_json::json!({
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true },
        "decoder": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true },
        "model": { "type": "BPE", "vocab": vocabulary, "merges": [] },
    });
    Tokenizer::from_json(json.to_string()).unwrap()
}

#[test]
fn files_give_items_by_what_they_are_about_and_faults_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.jsonl");
    let good = r#"{"sentence_good": "he is", "sentence_bad": "he are", "phenomenon": "number"}"#;
    std::fs::write(&path, format!("{good}\n\n{good}\n")).unwrap();
    let spec = pairs_of(vec![InputPath::new("pairs.jsonl", folder.path())]);
    let hub = no_hub();
    let specs = BTreeMap::from([("own".to_owned(), spec.clone())]);
    let found = tasks(&specs, &tokenizer(), &hub).unwrap();
    assert_eq!(found["own"].items["number"].len(), 2);
    let before = task_fact("own", &spec, &hub).unwrap();
    std::fs::write(&path, format!("{good}\n{{\"sentence_good\": \"x\"}}\n")).unwrap();
    assert_ne!(before.fingerprint, "");
    let error = format!("{:#}", task_fact("own", &spec, &hub).unwrap_err());
    assert!(
        error.contains("pairs.jsonl, line 2: it has no \"sentence_bad\""),
        "{error}"
    );
    std::fs::write(&path, "\n").unwrap();
    let error = format!("{:#}", task_fact("own", &spec, &hub).unwrap_err());
    assert!(error.contains("hold no lines"), "{error}");
}

#[test]
fn a_file_counts_once_whether_a_pattern_or_a_path_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let good = r#"{"sentence_good": "he is", "sentence_bad": "he are", "phenomenon": "number"}"#;
    for name in ["a.jsonl", "b.jsonl"] {
        // Some editors begin a file with this mark.
        std::fs::write(folder.path().join(name), format!("\u{feff}{good}\n")).unwrap();
    }
    let hub = no_hub();
    let of = |files: &[&str]| {
        let paths = files
            .iter()
            .map(|file| InputPath::new(*file, folder.path()));
        let specs = BTreeMap::from([("own".to_owned(), pairs_of(paths.collect()))]);
        let found = tasks(&specs, &tokenizer(), &hub)?;
        anyhow::Ok(found["own"].items["number"].len())
    };
    assert_eq!(of(&["*.jsonl"]).unwrap(), 2);
    let error = format!("{:#}", of(&["*.jsonl", "b.jsonl"]).unwrap_err());
    assert!(
        error.contains("b.jsonl is twice in evaluate.tasks.own.files: \"*.jsonl\" and"),
        "{error}"
    );
    let error = format!("{:#}", of(&["c*.jsonl"]).unwrap_err());
    assert!(
        error.contains("\"c*.jsonl\" of evaluate.tasks.own.files matches no"),
        "{error}"
    );
}

#[test]
fn the_grammar_gives_as_many_pairs_of_each_phenomenon_as_are_asked_for() {
    let task = of_grammar(20, &tokenizer()).unwrap();
    assert_eq!(task.items.len(), 4);
    assert!(task.items.values().all(|items| items.len() == 20));
}

#[test]
fn what_no_column_says_of_an_item_its_configuration_says() {
    let about = |spec: &TaskSpec, json: &str, group: Option<&str>| {
        let row: Map<String, Value> = serde_json::from_str(json).unwrap();
        item(spec, &row, group, &tokenizer()).unwrap().0
    };
    let pairs = pairs_of(Vec::new());
    let pair = |more: &str| format!(r#"{{"sentence_good": "a", "sentence_bad": "b"{more}}}"#);
    assert_eq!(about(&pairs, &pair(""), None), "all");
    assert_eq!(about(&pairs, &pair(""), Some("verbs")), "verbs");
    let null = pair(r#", "linguistics_term": null, "UID": "tense""#);
    assert_eq!(about(&pairs, &null, Some("verbs")), "tense");
    let blank = pair(r#", "linguistics_term": " ""#);
    assert_eq!(about(&pairs, &blank, Some("verbs")), "verbs");
    let cloze = TaskSpec::Cloze {
        files: Vec::new(),
        repo: Some("o/d".to_owned()),
        revision: None,
        configs: Vec::new(),
        split: None,
    };
    let words = r#"{"text": "two words"}"#;
    assert_eq!(about(&cloze, words, None), "last word");
    assert_eq!(about(&cloze, words, Some("de")), "de");
}

#[test]
fn a_plan_knows_how_much_a_task_asks_and_an_evaluation_tokenizes_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.jsonl");
    let line = r#"{"sentence_good": "The cats sleep.", "sentence_bad": "The cats sleeps."}"#;
    std::fs::write(&path, format!("{line}\n{line}\n")).unwrap();
    let files = vec![InputPath::new("pairs.jsonl", folder.path())];
    let hub = no_hub();
    let bytes = |spec: &TaskSpec| task_fact("own", spec, &hub).unwrap().bytes;
    assert_eq!(bytes(&pairs_of(files.clone())), 2 * (15 + 16));
    let [few, many] = [2, 4].map(|items| bytes(&TaskSpec::Grammar { items }));
    assert!(few > 0 && many > few, "{few} {many}");
    let kept = KeptTasks::default();
    let specs: BTreeMap<String, TaskSpec> = [("own".to_owned(), pairs_of(files))].into();
    let tokenizer = tokenizer();
    let first = kept.of(&specs, &tokenizer, &hub).unwrap();
    // Nothing is read again.
    std::fs::remove_file(&path).unwrap();
    let second = kept.of(&specs, &tokenizer, &hub).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert!(KeptTasks::default().of(&specs, &tokenizer, &hub).is_err());
}
