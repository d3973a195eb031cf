//! Tests of `codec.rs`.

use serde_json::json;

use super::super::vocabulary::byte_char;
use super::*;

/// A tokenizer of the 256 bytes, the merges given and `<|endoftext|>`.
fn content(merges: &[(&str, &str)]) -> Value {
    let mut tokens: Vec<String> = (0..=255).map(|byte| byte_char(byte).to_string()).collect();
    tokens.extend(merges.iter().map(|(a, b)| format!("{a}{b}")));
    tokens.push(END_OF_TEXT.to_string());
    let end = tokens.len() - 1;
    let vocabulary: serde_json::Map<String, Value> = tokens
        .into_iter()
        .enumerate()
        .map(|(id, token)| (token, json!(id)))
        .collect();
    let merges: Vec<String> = merges.iter().map(|(a, b)| format!("{a} {b}")).collect();
    let end_of_text = json!({
        "id": end,
        "content": END_OF_TEXT,
        "single_word": false,
        "lstrip": false,
        "rstrip": false,
        "normalized": true,
        "special": true,
    });
    json!({
        "version": "1.0",
        "added_tokens": [end_of_text],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    })
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut content = content(&[("a", "b")]);
    change(&mut content);
    format!(
        "{:#}",
        Tokenizer::from_json(content.to_string()).unwrap_err()
    )
}

#[test]
fn every_text_comes_back_from_its_tokens() {
    let tokenizer = Tokenizer::from_json(content(&[("a", "b"), ("Ġ", "ab")]).to_string()).unwrap();
    assert_eq!(
        (tokenizer.vocabulary(), tokenizer.end_of_text()),
        (259, 258)
    );
    assert_eq!(tokenizer.encode("ab ab").unwrap(), [256, 257]);
    for text in [
        "",
        "  two\n\n\tspaces ",
        "ä€𝄞 日本語",
        "a<|endoftext|>b",
        "\0\u{7f}\u{ad}",
        "it's 'quoted' 12,500",
    ] {
        let tokens = tokenizer.encode(text).unwrap();
        assert_eq!(tokenizer.decode(&tokens), text);
        assert!(!tokens.contains(&258), "no text ends a document");
    }
    assert_eq!(tokenizer.decode(&[256, 258, 9999]), "ab<|endoftext|>");
    assert_eq!(
        tokenizer.decode(&tokenizer.encode("€").unwrap()[..2]),
        "\u{fffd}"
    );
}

#[test]
fn truncation_and_padding_of_the_file_are_not_used() {
    let mut content = content(&[]);
    content["truncation"] =
        json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
    assert_eq!(
        Tokenizer::from_json(content.to_string())
            .unwrap()
            .encode("abcdef")
            .unwrap()
            .len(),
        6
    );
}

#[test]
fn another_model_or_cut_than_gpt2s_is_refused_with_the_reason() {
    assert!(
        refusal(|c| c["model"]["type"] = json!("WordPiece"))
            .contains("its model is \"WordPiece\", not BPE")
    );
    assert!(
        refusal(|c| c["model"]["dropout"] = json!(0.1)).contains("dropout = 0.1; set it to null")
    );
    assert!(
        refusal(|c| c["model"]["continuing_subword_prefix"] = json!("€"))
            .contains("continuing_subword_prefix")
    );
    assert!(refusal(|c| c["model"]["merges"] = json!({})).contains("no merges"));
    assert!(
        refusal(|c| c["model"]["merges"] = json!(["a c"]))
            .contains("merge 0, \"a c\", does not join")
    );
    assert!(refusal(|c| c["model"]["merges"] = json!([["a"]])).contains("does not join"));
    assert!(refusal(|c| c["model"]["merges"] = json!([7])).contains("does not join"));
    assert!(
        refusal(|c| c["pre_tokenizer"] = json!({"type": "Whitespace"}))
            .contains("its pre_tokenizer is not GPT-2's")
    );
    assert!(
        refusal(|c| c["pre_tokenizer"]["add_prefix_space"] = json!(true))
            .contains("its pre_tokenizer is not GPT-2's")
    );
    assert!(refusal(|c| c["normalizer"] = json!({"type": "NFC"})).contains("it has a normalizer"));
}

#[test]
fn a_vocabulary_that_is_broken_is_refused_with_the_reason() {
    assert!(
        refusal(|c| c["model"]["vocab"]["a"] = json!(u64::MAX))
            .contains("beyond the number of tokens")
    );
    assert!(
        refusal(|c| c["model"]["vocab"]["a"] = json!(-1)).contains("beyond the number of tokens")
    );
    assert!(refusal(|c| c["model"]["vocab"]["a"] = json!(5)).contains("belongs to another token"));
    assert!(
        refusal(|c| _ = c["model"]["vocab"].as_object_mut().unwrap().remove("z"))
            .contains("lacks the byte 122")
    );
    assert!(
        refusal(|c| c["model"]["vocab"]["ab"] = json!(258))
            .contains("its ids have a gap: none is 256")
    );
}

#[test]
fn added_tokens_that_are_broken_are_refused_with_the_reason() {
    assert!(
        refusal(|c| c["added_tokens"][0]["content"] = json!(""))
            .contains("an added token has no content")
    );
    assert!(
        refusal(|c| {
            let token = c["added_tokens"][0].clone();
            c["added_tokens"].as_array_mut().unwrap().push(token);
        })
        .contains("is there twice")
    );
    assert!(refusal(|c| add(c, &[("<a>", 259, "")])).contains("its ids have a gap: none is 258"));
    // The tokenizers crate numbers added tokens from the size of the vocabulary on, so it never
    // gives one an id that the vocabulary left free.
    let moved = refusal(|c| {
        c["model"]["vocab"][END_OF_TEXT] = json!(258);
        c["added_tokens"][0]["id"] = json!(258);
        add(c, &[("<a>", 257, "")]);
    });
    assert!(
        moved
            .contains("its added token \"<a>\" has the id 257 in the file and would get Some(258)"),
        "{moved}"
    );
    assert!(
        refusal(|c| c["added_tokens"][0]["id"] = json!(3)).contains("contradicts the vocabulary")
    );
    let gone = refusal(|c| {
        c["added_tokens"] = json!([]);
        c["model"]["vocab"]
            .as_object_mut()
            .unwrap()
            .remove(END_OF_TEXT);
    });
    assert!(gone.contains("it has no token <|endoftext|>"), "{gone}");
}

#[test]
fn what_is_no_tokenizer_at_all_is_refused_with_the_reason() {
    assert!(refusal(|c| *c = json!([])).contains("its pre_tokenizer is not GPT-2's"));
    assert!(
        format!("{:#}", Tokenizer::from_json("{".to_string()).unwrap_err())
            .contains("it is not JSON")
    );
    assert!(
        format!(
            "{:#}",
            Tokenizer::from_json("[".repeat(100_000)).unwrap_err()
        )
        .contains("recursion limit")
    );
}

/// Adds tokens, each with its id and the flags that are true.
fn add(content: &mut Value, tokens: &[(&str, u32, &str)]) {
    for (text, id, flags) in tokens {
        let mut token = json!({"id": id, "content": text});
        for flag in ["single_word", "lstrip", "rstrip", "normalized", "special"] {
            token[flag] = flags.contains(flag).into();
        }
        content["added_tokens"].as_array_mut().unwrap().push(token);
    }
}

/// 258 `<a>`, 259 `<b>` (swallows white space on both sides), 260 `no` (as a word alone), 261
/// `new line` (with a space in it), 262 `<s>` (special).
fn with_added_tokens() -> Tokenizer {
    let mut content = content(&[("a", "b")]);
    // Not in the order of their ids.
    add(
        &mut content,
        &[
            ("<s>", 262, "special"),
            ("<a>", 258, ""),
            ("<b>", 259, "lstrip rstrip"),
            ("no", 260, "single_word"),
            ("new line", 261, ""),
        ],
    );
    Tokenizer::from_json(content.to_string()).unwrap()
}

#[test]
fn added_tokens_are_found_as_their_flags_say_and_special_ones_where_they_are_asked_for() {
    let tokenizer = with_added_tokens();
    assert_eq!(tokenizer.vocabulary(), 263);
    assert_eq!(tokenizer.encode("ab<a>ab").unwrap(), [256, 258, 256]);
    assert_eq!(tokenizer.encode("ab \n<b>\t ab").unwrap(), [256, 259, 256]);
    assert_eq!(tokenizer.encode("no").unwrap(), [260]);
    assert_eq!(tokenizer.encode("not").unwrap(), [110, 111, 116]);
    assert_eq!(tokenizer.encode("new line").unwrap(), [261]);
    assert_eq!(
        tokenizer
            .encode_with_specials("<s>ab<|endoftext|>")
            .unwrap(),
        [262, 256, 257]
    );
    let plain = tokenizer.encode("<s>ab<|endoftext|>").unwrap();
    assert!(!plain.iter().any(|&id| tokenizer.is_special(id)));
    assert_eq!(tokenizer.decode(&plain), "<s>ab<|endoftext|>");
    assert_eq!(tokenizer.decode(&[262, 258, 261]), "<s><a>new line");
    assert!(tokenizer.is_special(257) && tokenizer.is_special(262) && !tokenizer.is_special(258));
}

#[test]
fn cuts_are_allowed_where_no_added_token_reaches_them() {
    let tokenizer = with_added_tokens();
    for (left, right, allowed) in [
        ("ab", " ab", true),
        ("", "", true),
        ("a new", " line", false),
        ("a new", " lines ", false),
        ("ab<a", ">b", false),
        ("ab<b>", " ab", false),
        ("ab<b>x", " ab", true),
        ("some", "no", false),
        ("<|endoftext", "|>", false),
    ] {
        assert_eq!(
            tokenizer.may_cut(left, right),
            allowed,
            "{left:?} {right:?}"
        );
        if allowed {
            let both = [
                tokenizer.encode(left).unwrap(),
                tokenizer.encode(right).unwrap(),
            ]
            .concat();
            assert_eq!(both, tokenizer.encode(&format!("{left}{right}")).unwrap());
        }
    }
}

#[test]
fn damaged_files_never_panic() {
    let whole = content(&[("a", "b"), ("ab", "c")]).to_string().into_bytes();
    let mut stream = crate::random::Stream::new(0, "test", 0);
    for _ in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..1 + stream.below(3) {
            let at = stream.below(bytes.len() as u64) as usize;
            match stream.below(3) {
                0 => bytes[at] = b' ' + stream.below(95) as u8,
                1 => _ = bytes.remove(at),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if let Ok(tokenizer) = String::from_utf8(bytes)
            .map_err(anyhow::Error::from)
            .and_then(Tokenizer::from_json)
        {
            assert_eq!(
                tokenizer.decode(&tokenizer.encode("abc ä").unwrap()),
                "abc ä"
            );
        }
    }
}
