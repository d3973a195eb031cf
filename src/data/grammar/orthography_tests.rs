//! Tests of `orthography.rs`.

use super::*;

#[test]
fn sentences_begin_with_capitals_and_marks_stand_where_they_belong() {
    let mut orthography = Orthography::new();
    let mut text = String::new();
    for word in [
        "once",
        ",",
        "there was",
        A,
        "owl",
        ".",
        NEW_LINE,
        OPEN,
        "who",
        "?",
        CLOSE,
        "asked",
        A,
        "fox",
        ".",
        A,
        "honest",
        "bear",
        "in the water.",
        "it",
    ] {
        orthography.write(word, &mut text);
    }
    assert_eq!(
        text,
        "Once, there was an owl.\n\"Who?\" asked a fox. An honest bear in the water. It"
    );
}
