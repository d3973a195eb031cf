//! Tests of `minimal_pairs.rs`.

use std::collections::BTreeMap;

use super::super::{generate, log_probability};
use super::*;

/// The rest of the story behind a text that it begins with.
fn rest(story: &str, beginning: &str) -> String {
    story.strip_prefix(beginning).unwrap().to_owned()
}

#[test]
fn the_right_text_begins_a_story_that_the_grammar_writes_and_the_wrong_one_none() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for index in 0..60 {
        let story = generate(3, SPLIT, index).text;
        assert!(log_probability(&story).is_finite());
        for pair in minimal_pairs(3, index) {
            let rest = rest(&story, &pair.right);
            let wrong = format!("{}{rest}", pair.wrong);
            assert_eq!(
                log_probability(&wrong),
                f64::NEG_INFINITY,
                "{}: {}",
                pair.phenomenon,
                pair.wrong
            );
            *seen.entry(pair.phenomenon).or_default() += 1;
        }
    }
    let phenomena: Vec<&str> = seen.keys().copied().collect();
    let expected = [
        "agreement",
        "agreement across a clause",
        "pronoun",
        "treasure",
    ];
    assert_eq!(phenomena, expected);
    assert!(seen.values().all(|count| *count >= 5), "{seen:?}");
}

#[test]
fn pairs_differ_in_their_last_word_alone_and_are_always_the_same() {
    for pair in minimal_pairs(0, 7) {
        let before = |text: &str| text.rsplit_once(' ').map(|(before, _)| before.to_owned());
        assert_eq!(before(&pair.right), before(&pair.wrong), "{pair:?}");
    }
    assert_eq!(minimal_pairs(0, 7), minimal_pairs(0, 7));
    assert_ne!(minimal_pairs(0, 7), minimal_pairs(1, 7));
}
