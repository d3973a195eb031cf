//! Tests of `item_texts.rs`.

use super::*;

fn line(json: &str) -> ItemRow {
    serde_json::from_str(json).unwrap()
}

#[test]
fn lines_of_blimp_and_lambada_are_read_as_they_are() {
    let blimp = line(
        r#"{"sentence_good": "Many girls insulted themselves.",
            "sentence_bad": "Many girls insulted herself.", "field": "morphology",
            "linguistics_term": "anaphor_agreement", "UID": "anaphor_number_agreement"}"#,
    );
    assert_eq!(phenomenon(&blimp), Some("anaphor_agreement"));
    assert_eq!(
        pair_texts(&blimp).unwrap(),
        (
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
        pair(r#"{"sentence_good": null}"#),
        "\"sentence_good\" is null"
    );
    assert_eq!(
        pair(r#"{"sentence_good": "a", "sentence_bad": " "}"#),
        "\"sentence_bad\" is empty"
    );
    assert_eq!(
        pair(r#"{"sentence_good": "a b", "sentence_bad": "a b"}"#),
        "both sentences are the same"
    );
    let cloze = |json: &str| cloze_texts(&line(json)).unwrap_err();
    assert_eq!(cloze(r#"{"words": "a"}"#), "it has no \"text\"");
    assert_eq!(cloze(r#"{"text": " "}"#), "\"text\" is empty");
    assert!(cloze(r#"{"text": " alone"}"#).contains("one word"));
}
