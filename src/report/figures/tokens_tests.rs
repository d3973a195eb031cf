//! Tests of `tokens.rs`.

use super::TokenKind::*;
use super::*;

#[test]
fn a_token_is_what_its_text_and_the_one_before_say() {
    let texts = [
        "Once",
        " up",
        "on",
        " a",
        " time",
        ",",
        " 19",
        "84",
        "\n\n",
        "<|endoftext|>",
        "The",
        "'s",
        "\u{fffd}",
        "",
    ];
    assert_eq!(
        kinds(&texts),
        [
            WordStart,
            WordStart,
            WordPiece,
            WordStart,
            WordStart,
            Punctuation,
            Number,
            Number,
            WhiteSpace,
            Other,
            WordStart,
            WordStart,
            Other,
            Other,
        ]
    );
}

#[test]
fn every_kind_has_a_name_and_a_colour_of_its_own() {
    for (place, kind) in TokenKind::ALL.iter().enumerate() {
        for other in &TokenKind::ALL[..place] {
            assert_ne!(kind.color(), other.color());
            assert_ne!(kind.name(), other.name());
        }
    }
}
