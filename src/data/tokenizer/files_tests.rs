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
        (tokenizer.vocabulary(), tokenizer.text_end()),
        (258, Some(257))
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
    assert!(refusal(&[("added_tokens.json", r#"{"<x>": "1"}"#)]).contains("is not a number"));
    assert!(
        refusal(&[(
            "tokenizer_config.json",
            r#"{"added_tokens_decoder": {"x": {}}}"#
        )])
        .contains("has no id and content")
    );
    assert!(
        refusal(&[(
            "tokenizer_config.json",
            r#"{"eos_token": {"content": "<x>"}}"#
        )])
        .contains("eos_token = {\"content\":\"<x>\"} is no token: write its text")
    );
    assert!(
        refusal(&[(
            "tokenizer_config.json",
            r#"{"tokenizer_class": "BertTokenizer"}"#
        )])
        .contains("its tokenizer_class is \"BertTokenizer\"")
    );
}

#[test]
fn what_lies_beside_a_tokenizer_is_kept_for_its_models() {
    let plain = folder(&[]);
    let json = Tokenizer::open(plain.path()).unwrap().json().to_owned();
    let config = r#"{"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<p>"}"#;
    let whole = folder(&[
        ("tokenizer.json", &json),
        ("tokenizer_config.json", config),
        ("chat_template.jinja", "{{ messages }}"),
        ("README.md", "no part of it"),
    ]);
    let templates = whole.path().join("additional_chat_templates");
    std::fs::create_dir(&templates).unwrap();
    std::fs::write(templates.join("tools.jinja"), "{{ tools }}").unwrap();
    let file = TokenizerFile::read(whole.path()).unwrap();
    assert!(file.json != json, "it has one token more");
    let kept: Vec<_> = file.kept.files().collect();
    assert_eq!(
        kept,
        [
            ("tokenizer.json", json.as_str()),
            ("tokenizer_config.json", config),
            ("chat_template.jinja", "{{ messages }}"),
            ("additional_chat_templates/tools.jinja", "{{ tools }}"),
        ]
    );
    // The older form has none of its own; the class is what transformers takes without a name.
    let older = TokenizerFile::read(plain.path()).unwrap().kept;
    assert!(!older.has("tokenizer.json") && older.class() == Some("GPT2TokenizerFast"));
}

#[test]
fn what_earlier_versions_read_otherwise_is_told_and_has_another_hash() {
    let plain = folder(&[]);
    let older = TokenizerFile::read(plain.path()).unwrap();
    assert!(!older.is_read_anew && !older.json.contains(SPECIALS));
    let read = |files: &[(&str, &str)]| TokenizerFile::read(folder(files).path()).unwrap();
    // GPT-2's own file is the same by either rule.
    let own = ("tokenizer.json", older.json.as_str());
    let alone = read(&[own]);
    assert_eq!((alone.is_read_anew, &alone.json), (false, &older.json));
    assert_eq!(alone.kept.class(), Some("GPT2TokenizerFast"));
    // Documents have the tokens of these, where earlier versions had text.
    let more = (
        "tokenizer_config.json",
        r#"{"extra_special_tokens": ["<sep>"]}"#,
    );
    for files in [&[own, more][..], &[more][..]] {
        let marked = read(files);
        assert!(marked.is_read_anew && marked.json.contains(SPECIALS));
        let tokenizer = Tokenizer::from_file(&marked).unwrap();
        assert_eq!(tokenizer.encode("ab<sep>ab").unwrap(), [256, 258, 256]);
        assert!(!tokenizer.plain_json().contains(SPECIALS));
    }
    // Where all of them are text for everyone, nothing became another.
    let splits = r#"{"extra_special_tokens": ["<sep>"], "split_special_tokens": true}"#;
    let split = read(&[own, ("tokenizer_config.json", splits)]);
    assert!(!split.is_read_anew && !split.json.contains(SPECIALS));
    // Another cut, which GPT2Tokenizer does not take over.
    let mut content: Value = serde_json::from_str(&older.json).unwrap();
    let cut = content["pre_tokenizer"].take();
    let digits = json!({"type": "Digits", "individual_digits": true});
    content["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": [digits, cut]});
    let whole = content.to_string();
    let own = ("tokenizer.json", whole.as_str());
    let alone = read(&[own]);
    assert_eq!((alone.is_read_anew, &alone.json), (true, &whole));
    assert_eq!(alone.kept.class(), Some("PreTrainedTokenizerFast"));
    let of_gpt2 = read(&[own, ("config.json", r#"{"model_type": "gpt2"}"#)]);
    assert!(!of_gpt2.is_read_anew && of_gpt2.json != whole);
    let named = (
        "tokenizer_config.json",
        r#"{"tokenizer_class": "GPT2TokenizerFast"}"#,
    );
    let of_another = ("config.json", r#"{"model_type": "gpt_bigcode"}"#);
    let found = read(&[own, named, of_another]);
    assert_eq!((found.is_read_anew, &found.json), (true, &whole));
}
