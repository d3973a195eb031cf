//! Tests of `fit.rs`.

use serde_json::{Map, Value, json};

use super::*;

/// A tokenizer of the visible letters of ASCII, in this order.
fn tokenizer(letters: impl Iterator<Item = u8>) -> Tokenizer {
    let letters = letters.map(char::from).chain(['Ġ', 'Ċ']);
    let vocabulary = letters
        .enumerate()
        .map(|(id, one)| (one.to_string(), id.into()));
    let vocabulary: Map<String, Value> = vocabulary.collect();
    let bytes = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true });
    let json = json!({
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": bytes,
        "decoder": bytes,
        "model": { "type": "BPE", "vocab": vocabulary, "merges": [] },
    });
    Tokenizer::from_json(json.to_string()).expect("a tokenizer")
}

#[test]
fn a_model_is_used_with_the_tokens_that_it_came_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (own, other) = (tokenizer(b'!'..=b'~'), tokenizer((b'!'..=b'~').rev()));
    // Nobody can tell.
    assert!(ensure_own_tokenizer(folder, &other).is_ok());
    std::fs::write(folder.join("tokenizer.json"), own.json()).expect("a file");
    assert!(ensure_own_tokenizer(folder, &own).is_ok());
    let error = ensure_own_tokenizer(folder, &other)
        .expect_err("another")
        .to_string();
    assert!(
        error.contains("its token 0 is \"!\", and here \"~\""),
        "{error}"
    );
    assert!(start_of_other_tokens(folder, &own).is_none());
    let fault = start_of_other_tokens(folder, &other).expect("another");
    assert_eq!(fault.key.as_deref(), Some("student.init_dir"));
    assert!(
        fault
            .message
            .contains("its token 0 is \"!\", and here \"~\", so the student"),
        "{fault}"
    );
}

#[test]
fn an_added_token_of_the_same_name_has_to_have_the_same_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let with = |names: &[&str]| {
        let plain = tokenizer(b'!'..=b'~');
        let mut content: Value = serde_json::from_str(plain.json()).expect("JSON");
        let flags = ["single_word", "lstrip", "rstrip", "normalized", "special"];
        let ids = plain.vocabulary()..;
        let added = ids.zip(names).map(|(id, name)| {
            let mut token = json!({ "id": id, "content": name });
            for flag in flags {
                token[flag] = (flag == "special").into();
            }
            token
        });
        content["added_tokens"] = added.collect();
        Tokenizer::from_json(content.to_string()).expect("a tokenizer")
    };
    let own = with(&["[PAD]", "<sep>"]);
    std::fs::write(folder.join("tokenizer.json"), own.json()).expect("a file");
    // Another name at the same id may be of a token that stands in no text.
    for same in [
        vec!["[PAD]", "<sep>"],
        vec!["<pad>", "<sep>", "<x>"],
        vec![],
    ] {
        let found = ensure_own_tokenizer(folder, &with(&same));
        assert!(found.is_ok(), "{same:?}");
    }
    let error = ensure_own_tokenizer(folder, &with(&["<sep>"]))
        .expect_err("another")
        .to_string();
    assert!(
        error.contains("it has the token \"<sep>\" under the id 97, and here it has 96"),
        "{error}"
    );
}
