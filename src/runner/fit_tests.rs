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
}
