//! Tests of `shell.rs`.

use super::*;

#[test]
fn a_word_stays_as_it_is_or_is_put_into_quotes() {
    for (text, expected) in [
        ("pipelines/a-b.toml", "pipelines/a-b.toml"),
        ("train.steps=4", "train.steps=4"),
        ("", "''"),
        ("a b", "'a b'"),
        ("grid.seed=[0,1]", "'grid.seed=[0,1]'"),
        ("It's", r"'It'\''s'"),
        ("50%", "'50%'"),
    ] {
        assert_eq!(word(text), expected);
    }
}
