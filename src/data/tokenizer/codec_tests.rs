//! Tests of `codec.rs`.

use serde_json::json;

use super::super::vocabulary::byte_char;
use super::*;

/// A tokenizer of the 256 bytes, the merges given and `<|endoftext|>`.
pub(in crate::data::tokenizer) fn content(merges: &[(&str, &str)]) -> Value {
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
        (tokenizer.vocabulary(), tokenizer.text_end()),
        (259, Some(258))
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
            .contains("its pre_tokenizer has no ByteLevel")
    );
    assert!(!refusal(|c| c["normalizer"] = json!({"type": "Nothing"})).is_empty());
    let twice =
        json!([{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]);
    assert!(
        refusal(|c| c["post_processor"] = json!({
            "type": "TemplateProcessing", "single": twice, "pair": twice, "special_tokens": {},
        }))
        .contains("its post_processor")
    );
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
    assert!(refusal(|c| c["model"]["vocab"]["ab"] = json!(258)).contains("ids have a gap"));
}

#[test]
fn added_tokens_that_are_broken_are_refused_with_the_reason() {
    assert!(
        refusal(|c| c["added_tokens"][0]["content"] = json!(""))
            .contains("an added token has no content")
    );
    assert!(
        refusal(|c| c["model"]["vocab"][END_OF_TEXT] = json!(258)).contains("ids have a gap"),
        "the tokenizers crate gives added tokens no id that the vocabulary left free"
    );
}

#[test]
fn added_tokens_have_the_ids_that_the_library_gives_them_whatever_the_file_says() {
    let mut content = content(&[("a", "b")]);
    add(&mut content, &[("<a>", 900, "special"), ("<b>", 2, "")]);
    let token = content["added_tokens"][1].clone();
    content["added_tokens"].as_array_mut().unwrap().push(token);
    let tokenizer = Tokenizer::from_json(content.to_string()).unwrap();
    assert_eq!(tokenizer.vocabulary(), 260);
    assert_eq!(
        tokenizer.encode_with_specials("<b><a>").unwrap(),
        [259, 258]
    );
    assert_eq!(tokenizer.decode(&[259, 258]), "<b><a>");
}

#[test]
fn a_tokenizer_without_an_end_of_text_serves_single_texts_and_no_corpus() {
    let mut content = content(&[]);
    content["added_tokens"] = json!([]);
    let vocabulary = content["model"]["vocab"].as_object_mut().unwrap();
    vocabulary.remove(END_OF_TEXT);
    let tokenizer = Tokenizer::from_json(content.to_string()).unwrap();
    assert_eq!(tokenizer.text_end(), None);
    let error = tokenizer.document_end().unwrap_err().to_string();
    assert!(
        error.contains("name one as eos_token in tokenizer_config.json"),
        "{error}"
    );
}

#[test]
fn a_text_with_a_byte_that_the_vocabulary_lacks_is_refused_and_others_are_not() {
    let mut content = content(&[("a", "b")]);
    // Ids stay without a gap.
    let vocabulary = content["model"]["vocab"].as_object_mut().unwrap();
    let (z, last) = (
        vocabulary["z"].clone(),
        vocabulary[&byte_char(255).to_string()].clone(),
    );
    vocabulary.remove("z");
    vocabulary.insert(byte_char(255).to_string(), z);
    vocabulary.insert("ab".to_owned(), last);
    vocabulary.insert(END_OF_TEXT.to_owned(), json!(256));
    content["added_tokens"][0]["id"] = json!(256);
    let tokenizer = Tokenizer::from_json(content.to_string()).unwrap();
    assert_eq!(tokenizer.decode(&tokenizer.encode("ab €").unwrap()), "ab €");
    let error = tokenizer.encode("ab z").unwrap_err().to_string();
    assert!(
        error.starts_with("the text has the byte 0x7a ('z'), and the tokenizer's vocabulary lacks")
            && error.contains("initial_alphabet"),
        "{error}"
    );
}

#[test]
fn what_a_post_processor_puts_around_a_text_is_known() {
    let mut content = content(&[]);
    let special = |name: &str| json!({"SpecialToken": {"id": name, "type_id": 0}});
    let text = json!({"Sequence": {"id": "A", "type_id": 0}});
    let single = json!([special("x"), special("x"), text, special("y")]);
    content["post_processor"] = json!({
        "type": "TemplateProcessing",
        "single": single,
        "pair": single,
        "special_tokens": {
            "x": {"id": "x", "ids": [5], "tokens": ["x"]},
            "y": {"id": "y", "ids": [6, 7], "tokens": ["y", "y"]},
        },
    });
    let tokenizer = Tokenizer::from_json(content.to_string()).unwrap();
    assert_eq!(tokenizer.frame().around(vec![1, 2]), [5, 5, 1, 2, 6, 7]);
    assert_eq!(tokenizer.encode_with_specials("a").unwrap().len(), 1);
}

#[test]
fn what_is_no_tokenizer_at_all_is_refused_with_the_reason() {
    assert!(refusal(|c| *c = json!([])).contains("its model has no vocabulary"));
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
    add(
        &mut content,
        &[
            ("<a>", 258, ""),
            ("<b>", 259, "lstrip rstrip"),
            ("no", 260, "single_word"),
            ("new line", 261, ""),
            ("<s>", 262, "special"),
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
    // In a document the end of a text is the only one that is text.
    let document = tokenizer.encode("<s>ab<|endoftext|>").unwrap();
    assert_eq!(document[..2], [262, 256]);
    assert!(!document.contains(&257));
    assert_eq!(tokenizer.decode(&document), "<s>ab<|endoftext|>");
    assert_eq!(tokenizer.decode(&[262, 258, 261]), "<s><a>new line");
    assert!(tokenizer.is_special(257) && tokenizer.is_special(262) && !tokenizer.is_special(258));
}

#[test]
fn an_end_is_text_in_a_document_unless_it_takes_along_what_stands_beside_it() {
    let tokenizer = |flag: &str, value: bool| {
        let mut content = content(&[("a", "b")]);
        content["added_tokens"][0][flag] = value.into();
        Tokenizer::from_json(content.to_string()).unwrap()
    };
    // Whether a file calls it special or not.
    for (flag, value) in [("normalized", false), ("special", false)] {
        let read = tokenizer(flag, value);
        assert_eq!(read.separator(), END_OF_TEXT);
        assert!(!read.encode("ab<|endoftext|>").unwrap().contains(&257));
        let with_specials = read.encode_with_specials("ab<|endoftext|>").unwrap();
        assert_eq!(with_specials, [256, 257], "{flag}");
    }
    // Nothing sets documents apart by one of these: it is a token in them, as for `eval`.
    for flag in ["lstrip", "rstrip", "single_word"] {
        let read = tokenizer(flag, true);
        assert_eq!(read.separator(), "");
        let text = "ab <|endoftext|> ab";
        let document = read.encode(text).unwrap();
        assert!(document.contains(&257), "{flag}");
        assert_eq!(document, read.encode_with_specials(text).unwrap(), "{flag}");
    }
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
        ("ab<", "s>b", false),
        ("<s>", " ab", false),
        ("<s>x", " ab", true),
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

#[test]
fn a_config_that_is_written_names_the_class_by_which_the_tokenizer_was_read() {
    let tokenizer = Tokenizer::from_json(content(&[]).to_string()).unwrap();
    let config = |given: Option<&str>| -> Value {
        serde_json::from_str(&tokenizer.config_json(64, given)).unwrap()
    };
    // The class GPT2TokenizerFast of transformers 5.24 would build the pipeline anew.
    let trained = config(None);
    assert_eq!(trained["tokenizer_class"], "PreTrainedTokenizerFast");
    assert_eq!(trained["eos_token"], END_OF_TEXT);
    assert_eq!(
        trained["model_input_names"],
        json!(["input_ids", "attention_mask"])
    );
    let gpt2 = config(Some("GPT2TokenizerFast"));
    assert_eq!(gpt2["tokenizer_class"], "GPT2TokenizerFast");
    assert_eq!(gpt2["eos_token"], END_OF_TEXT);
    // Of the other class nothing named a token, and a name would add it.
    let whole = config(Some("PreTrainedTokenizerFast"));
    assert_eq!(whole["tokenizer_class"], "PreTrainedTokenizerFast");
    assert!(whole.get("eos_token").is_none() && whole.get("bos_token").is_none());
}
