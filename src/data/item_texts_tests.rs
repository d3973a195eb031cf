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
    let cloze = |json: &str| cloze_texts(&line(json)).unwrap_err();
    assert_eq!(cloze(r#"{"words": "a"}"#), "it has no \"text\"");
    assert_eq!(cloze(r#"{"text": " "}"#), "\"text\" is empty");
    assert!(cloze(r#"{"text": " alone"}"#).contains("one word"));
}

#[test]
fn an_empty_word_on_what_a_pair_is_about_says_nothing() {
    let row = line(r#"{"linguistics_term": " ", "phenomenon": null, "UID": "number"}"#);
    assert_eq!(phenomenon(&row), Some("number"));
    assert_eq!(phenomenon(&line(r#"{"UID": ""}"#)), None);
}

#[test]
fn a_few_pairs_may_be_alike_as_in_blimp_and_many_may_not() {
    let of = |alike: usize, all: usize| {
        let mut pairs = AlikePairs::default();
        (0..all).for_each(|pair| pairs.count(("a b", if pair < alike { "a b" } else { "a c" })));
        pairs.refuse_many("k").map_err(|fault| fault.message)
    };
    // Of its paradigm principle_A_case_2.
    assert_eq!(of(5, 1000), Ok(()));
    assert_eq!(of(0, 3), Ok(()));
    assert_eq!(
        of(1, 3).unwrap_err(),
        "1 of 3 pairs have the same text twice, which no model gets right"
    );
}
