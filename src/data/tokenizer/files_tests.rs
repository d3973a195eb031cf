//! Tests of `files.rs`.

use super::super::codec::Tokenizer;
use super::super::vocabulary::byte_char;
use super::*;

/// A folder with the 256 bytes, `ab` and the end of text.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut vocabulary: Map<String, Value> = (0..=255u8)
        .rev()
        .map(|byte| (byte_char(byte).to_string(), json!(byte)))
        .collect();
    vocabulary.insert("ab".to_owned(), json!(256));
    vocabulary.insert(END_OF_TEXT.to_owned(), json!(257));
    std::fs::write(
        folder.path().join("vocab.json"),
        Value::Object(vocabulary).to_string(),
    )
    .unwrap();
    std::fs::write(folder.path().join("merges.txt"), "#version: 0.2\na b\n").unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn refusal(files: &[(&str, &str)]) -> String {
    format!("{:#}", Tokenizer::open(folder(files).path()).unwrap_err())
}

#[test]
fn vocabulary_and_merges_are_a_tokenizer() {
    let plain = folder(&[]);
    let tokenizer = Tokenizer::open(plain.path()).unwrap();
    assert_eq!(
        (tokenizer.vocabulary(), tokenizer.end_of_text()),
        (258, 257)
    );
    assert_eq!(tokenizer.encode("ab a").unwrap(), [256, 32, 97]);
    // The tokenizer.json that it amounts to is the same tokenizer, and wins where both are
    // there.
    std::fs::write(plain.path().join("tokenizer.json"), tokenizer.json()).unwrap();
    std::fs::write(plain.path().join("merges.txt"), "").unwrap();
    assert_eq!(
        Tokenizer::open(plain.path()).unwrap().sha256(),
        tokenizer.sha256()
    );
    // Windows' ends of lines, and no line of the version.
    let other = folder(&[("merges.txt", "a b\r\n")]);
    assert_eq!(
        Tokenizer::open(other.path()).unwrap().sha256(),
        tokenizer.sha256()
    );
}

#[test]
fn tokens_are_added_with_the_ids_and_flags_that_the_files_give() {
    let of = |files: &[(&str, &str)]| {
        let content: Value =
            serde_json::from_str(Tokenizer::open(folder(files).path()).unwrap().json()).unwrap();
        let short = |token: &Value| {
            let flags = ["special", "single_word", "lstrip", "rstrip", "normalized"]
                .map(|flag| if token[flag] == true { flag } else { "" });
            format!(
                "{} {} {}",
                token["id"],
                token["content"].as_str().unwrap(),
                flags.concat()
            )
        };
        content["added_tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(short)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), ["257 <|endoftext|> specialnormalized"]);
    let decoder = r#"{
        "added_tokens_decoder": {
            "259": {"content": "<b>", "lstrip": true, "normalized": false, "special": false},
            "258": {"content": "<a>", "special": true}
        },
        "pad_token": "<p>"
    }"#;
    assert_eq!(
        of(&[
            ("tokenizer_config.json", decoder),
            ("added_tokens.json", r#"{"<not-read>": 258}"#)
        ]),
        [
            "257 <|endoftext|> specialnormalized",
            "258 <a> special",
            "259 <b> lstrip",
            "260 <p> special"
        ]
    );
    assert_eq!(
        of(&[
            ("added_tokens.json", r#"{"<y>": 259, "<x>": 258}"#),
            (
                "special_tokens_map.json",
                r#"{
                    "pad_token": {"content": "<x>", "lstrip": true},
                    "additional_special_tokens": ["<z>", "<|endoftext|>"]
                }"#
            ),
        ]),
        [
            "257 <|endoftext|> specialnormalized",
            "258 <x> special",
            "259 <y> normalized",
            "260 <z> special"
        ]
    );
}

#[test]
fn files_that_are_missing_broken_or_at_odds_are_named() {
    let empty = tempfile::tempdir().unwrap();
    let error = Tokenizer::open(empty.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("has no tokenizer; put tokenizer.json there, or vocab.json and merges.txt"),
        "{error}"
    );
    let half = folder(&[]);
    std::fs::remove_file(half.path().join("merges.txt")).unwrap();
    assert!(
        Tokenizer::open(half.path())
            .unwrap_err()
            .to_string()
            .ends_with("merges.txt is not: a tokenizer of this form is both")
    );
    assert!(refusal(&[("vocab.json", "[]")]).contains("vocab.json is not a JSON object"));
    assert!(refusal(&[("vocab.json", "{}")]).contains("with merges.txt cannot be used"));
    assert!(
        refusal(&[("merges.txt", "#version: 0.2\na b\n\na\n")])
            .contains("merge 1, \"\", does not join")
    );
    assert!(
        refusal(&[("added_tokens.json", r#"{"<x>": 300}"#)])
            .contains("beyond the number of tokens")
    );
    assert!(refusal(&[("added_tokens.json", r#"{"<x>": "1"}"#)]).contains("is not a number"));
    assert!(
        refusal(&[(
            "tokenizer_config.json",
            r#"{"added_tokens_decoder": {"x": {}}}"#
        )])
        .contains("has no id and content")
    );
    assert!(
        refusal(&[("tokenizer_config.json", r#"{"add_prefix_space": true}"#)])
            .contains("has add_prefix_space = true")
    );
}

#[test]
fn a_config_that_adds_what_tokenizer_json_lacks_is_refused() {
    let plain = folder(&[]);
    let json = Tokenizer::open(plain.path()).unwrap().json().to_owned();
    let with = |config: &str| {
        Tokenizer::open(
            folder(&[("tokenizer.json", &json), ("tokenizer_config.json", config)]).path(),
        )
    };
    assert!(
        with(r#"{"added_tokens_decoder": {"257": {"content": "<|endoftext|>", "special": true}}}"#)
            .is_ok()
    );
    let error = with(r#"{"added_tokens_decoder": {"258": {"content": "<b>"}}}"#)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("adds the token \"<b>\" with the id 258, and tokenizer.json does not"),
        "{error}"
    );
}
