//! Tests of `tasks.rs`.

use super::*;

fn line(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap()
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
fn lines_of_blimp_and_lambada_are_read_as_they_are() {
    let blimp = line(
        r#"{"sentence_good": "Many girls insulted themselves.",
            "sentence_bad": "Many girls insulted herself.", "field": "morphology",
            "linguistics_term": "anaphor_agreement", "UID": "anaphor_number_agreement"}"#,
    );
    assert_eq!(
        pair_texts(&blimp).unwrap(),
        (
            "anaphor_agreement".to_owned(),
            "Many girls insulted themselves.",
            "Many girls insulted herself."
        )
    );
    let lambada = line(r#"{"text": "she had the dress. \"Do you like\nthe dress"}"#);
    assert_eq!(
        cloze_texts(&lambada).unwrap(),
        ("she had the dress. \"Do you like\nthe", "dress")
    );
}

#[test]
fn lines_that_are_no_items_say_what_they_lack() {
    let pair = |json: &str| pair_texts(&line(json)).unwrap_err();
    assert_eq!(
        pair(r#"{"sentence_good": "a"}"#),
        "it has no \"sentence_bad\""
    );
    assert_eq!(
        pair(r#"{"sentence_good": 1}"#),
        "\"sentence_good\" is no text"
    );
    assert_eq!(
        pair(r#"{"sentence_good": "a b", "sentence_bad": "a b"}"#),
        "both sentences are the same"
    );
    let cloze = |json: &str| cloze_texts(&line(json)).unwrap_err();
    assert_eq!(cloze(r#"{"words": "a"}"#), "it has no \"text\"");
    assert!(cloze(r#"{"text": " alone"}"#).contains("one word"));
}

#[test]
fn files_give_items_by_what_they_are_about_and_faults_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.jsonl");
    let good = r#"{"sentence_good": "he is", "sentence_bad": "he are", "phenomenon": "number"}"#;
    std::fs::write(&path, format!("{good}\n\n{good}\n")).unwrap();
    let spec = TaskSpec::Pairs {
        files: vec![InputPath::new("pairs.jsonl", folder.path())],
    };
    let specs = BTreeMap::from([("own".to_owned(), spec.clone())]);
    let found = tasks(&specs, &tokenizer()).unwrap();
    assert_eq!(found["own"].items["number"].len(), 2);
    let before = task_fact("own", &spec).unwrap();
    std::fs::write(&path, format!("{good}\n{{\"sentence_good\": \"x\"}}\n")).unwrap();
    assert_ne!(before.fingerprint, "");
    let error = format!("{:#}", task_fact("own", &spec).unwrap_err());
    assert!(
        error.contains("pairs.jsonl, line 2: it has no \"sentence_bad\""),
        "{error}"
    );
    std::fs::write(&path, "\n").unwrap();
    let error = format!("{:#}", task_fact("own", &spec).unwrap_err());
    assert!(error.contains("hold no lines"), "{error}");
}

#[test]
fn the_grammar_gives_as_many_pairs_of_each_phenomenon_as_are_asked_for() {
    let task = of_grammar(20, &tokenizer()).unwrap();
    assert_eq!(task.items.len(), 4);
    assert!(task.items.values().all(|items| items.len() == 20));
}

#[test]
fn a_plan_knows_how_much_a_task_asks_and_an_evaluation_tokenizes_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.jsonl");
    let line = r#"{"sentence_good": "The cats sleep.", "sentence_bad": "The cats sleeps."}"#;
    std::fs::write(&path, format!("{line}\n{line}\n")).unwrap();
    let files = vec![InputPath::new("pairs.jsonl", folder.path())];
    let bytes = |spec: &TaskSpec| task_fact("own", spec).unwrap().bytes;
    assert_eq!(
        bytes(&TaskSpec::Pairs {
            files: files.clone()
        }),
        2 * (15 + 16)
    );
    let [few, many] = [2, 4].map(|items| bytes(&TaskSpec::Grammar { items }));
    assert!(few > 0 && many > few, "{few} {many}");
    let kept = KeptTasks::default();
    let specs: BTreeMap<String, TaskSpec> = [("own".to_owned(), TaskSpec::Pairs { files })].into();
    let tokenizer = tokenizer();
    let first = kept.of(&specs, &tokenizer).unwrap();
    // Nothing is read again.
    std::fs::remove_file(&path).unwrap();
    let second = kept.of(&specs, &tokenizer).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert!(KeptTasks::default().of(&specs, &tokenizer).is_err());
}
