//! Tests of `pretokens.rs`: its tokens are those of the tokenizers library.

use serde_json::json;

use super::super::codec::tests::content;
use super::super::codec::{Tokenizer, encode_whole};
use super::end_of_word;

/// Texts of characters that GPT-2's cut tells apart, by a counter that is hashed.
fn odd_text(number: u64) -> String {
    const PARTS: [&str; 33] = [
        " ",
        "  ",
        "\n",
        "\t",
        "\u{a0}",
        "\u{2003}",
        "\u{85}",
        "a",
        "B",
        "the",
        " the",
        "'",
        "'s",
        "'LL",
        "'ll",
        "1",
        "12",
        "²",
        "Ⅷ",
        "é",
        "e\u{301}",
        "ß",
        "日本",
        "ﷺ",
        "𝄞",
        "🎻",
        "_",
        "...",
        "\u{0}",
        "\u{200b}",
        "<|endoftext|>",
        "<extra>",
        "<|sep|>",
    ];
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    (0..next(24)).map(|_| PARTS[next(PARTS.len())]).collect()
}

/// Six of them with single spaces between.
fn odd_words(number: u64) -> String {
    let words: Vec<String> = (0..6).map(|word| odd_text(number * 6 + word)).collect();
    words.join(" ")
}

#[test]
fn remembered_words_have_the_tokens_that_the_library_gives_the_whole_text() {
    let merges = [
        ("Ġ", "t"),
        ("h", "e"),
        ("Ġt", "he"),
        ("'", "s"),
        ("l", "l"),
        ("Ã", "©"),
        ("Ġ", "Ġ"),
    ];
    let mut content = content(&merges);
    let mut extra = content["added_tokens"][0].clone();
    extra["content"] = "<extra>".into();
    extra["id"] = (256 + merges.len() + 1).into();
    extra["special"] = false.into();
    content["added_tokens"].as_array_mut().unwrap().push(extra);
    let whole = Tokenizer::from_json(content.to_string()).unwrap();
    assert!(whole.pretokens.is_some());
    content["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": super::GPT2_CUT},
         "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
    ]});
    content["model"]["ignore_merges"] = true.into();
    let in_two_parts = Tokenizer::from_json(content.to_string()).unwrap();
    for tokenizer in [&whole, &in_two_parts] {
        // Some as one word, some as several with one space between them.
        let texts = (0..4000).flat_map(|number| [odd_text(number), odd_words(number)]);
        for text in texts {
            assert_eq!(
                tokenizer.encode(&text).unwrap(),
                encode_whole(&tokenizer.inner, &text).unwrap(),
                "{text:?}"
            );
            let with_specials = tokenizer.encode_with_specials(&text).unwrap();
            let inner = tokenizer.with_specials.get().unwrap();
            assert_eq!(
                with_specials,
                encode_whole(inner, &text).unwrap(),
                "{text:?}"
            );
        }
        // A word that is too long to be remembered, twice.
        let long = format!("{} {}", "the".repeat(100), "the".repeat(100));
        let library = encode_whole(&tokenizer.inner, &long).unwrap();
        assert_eq!(tokenizer.encode(&long).unwrap(), library);
    }
    content["pre_tokenizer"] =
        json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true});
    let with_prefix = Tokenizer::from_json(content.to_string()).unwrap();
    assert!(with_prefix.pretokens.is_none());
}

#[test]
fn documents_have_the_tokens_that_the_library_gives_them_but_for_a_spelled_end() {
    let mut content = content(&[("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("e", "n")]);
    for (id, text) in (261..).zip(["<extra>", "<|sep|>"]) {
        let mut special = content["added_tokens"][0].clone();
        special["content"] = text.into();
        special["id"] = id.into();
        special["rstrip"] = (text == "<extra>").into();
        content["added_tokens"]
            .as_array_mut()
            .unwrap()
            .push(special);
    }
    let tokenizer = Tokenizer::from_json(content.to_string()).unwrap();
    // A library to which the end is no token: its id is the vocabulary's own, and no other moves.
    let end = content["added_tokens"].as_array_mut().unwrap().remove(0);
    assert_eq!(end["content"], "<|endoftext|>");
    let library = content.to_string();
    let library = tokenizers::Tokenizer::from_bytes(library.as_bytes()).unwrap();
    let mut found = [0; 3];
    for number in 0..4000 {
        for text in [odd_text(number), odd_words(number)] {
            let document = tokenizer.encode(&text).unwrap();
            let expected = encode_whole(&library, &text).unwrap();
            assert_eq!(document, expected, "{text:?}");
            for (count, id) in found.iter_mut().zip([260, 261, 262]) {
                *count += document.iter().filter(|&&token| token == id).count();
            }
        }
    }
    assert!(
        found[0] == 0 && found[1] > 1000 && found[2] > 1000,
        "{found:?}"
    );
}

#[test]
fn words_end_before_single_spaces_between_visible_characters_alone() {
    let words = |mut text: &'static str| {
        let mut words = Vec::new();
        while !text.is_empty() {
            let (word, rest) = text.split_at(end_of_word(text));
            words.push(word);
            text = rest;
        }
        words
    };
    assert_eq!(
        words("I don't, he said."),
        ["I", " don't,", " he", " said."]
    );
    assert_eq!(words("a  b c"), ["a  b", " c"]);
    assert_eq!(words(" a\n b é c "), [" a\n b é c "]);
    assert_eq!(words("1 '2 _"), ["1", " '2", " _"]);
    assert!(words("").is_empty());
}
