//! vocab.json with merges.txt, as GPT-2 was first published, put together to the tokenizer.json
//! that says the same: for OpenAI's own two files it is, byte for byte, the published one.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::form::byte_level;
use super::special::SpecialTokens;

/// The tokenizer.json of a vocabulary and its merges, without added tokens.
pub(super) fn assemble(
    vocabulary: Map<String, Value>,
    merges: &str,
    add_prefix_space: bool,
) -> Value {
    let mut entries: Vec<(String, Value)> = vocabulary.into_iter().collect();
    entries.sort_by_key(|(_, id)| id.as_u64().unwrap_or(u64::MAX));
    let entries: Map<String, Value> = entries.into_iter().collect();
    // As the tokenizers library reads them: a version may stand anywhere.
    let merges: Vec<&str> = merges
        .lines()
        .filter(|line| !line.starts_with("#version"))
        .collect();
    let byte_level_of = |prefix: bool, trim: bool| {
        let kind = "ByteLevel";
        json!({"type": kind, "add_prefix_space": prefix, "trim_offsets": trim})
    };
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": byte_level(add_prefix_space),
        "post_processor": byte_level_of(true, false),
        "decoder": byte_level_of(true, true),
        "model": {
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": false,
            "vocab": entries,
            "merges": merges,
        },
    })
}

/// The post-processor that `add_bos_token` and `add_eos_token` ask for; transformers honours them
/// here, and not beside a tokenizer.json.
///
/// # Errors
/// A token that is asked for and not named.
pub(super) fn marks(
    config: &Map<String, Value>,
    tokens: &SpecialTokens,
    id_of: impl Fn(&str) -> Option<u64>,
) -> Result<Option<Value>> {
    let is_on = |key: &str| config.get(key) == Some(&Value::Bool(true));
    let named = |on: bool, token: &Option<super::special::NamedToken>| {
        token.as_ref().filter(|_| on).map(|t| t.content.clone())
    };
    let begin = named(is_on("add_bos_token"), &tokens.begin);
    let end = named(is_on("add_eos_token"), &tokens.end);
    if begin.is_none() && end.is_none() {
        return Ok(None);
    }
    let mut table = Map::new();
    for token in [&begin, &end].into_iter().flatten() {
        let Some(id) = id_of(token) else {
            bail!("the token {token:?} has no id")
        };
        table.insert(
            token.clone(),
            json!({"id": token, "ids": [id], "tokens": [token]}),
        );
    }
    let piece = |token: &String| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let text = |id: &str, of: u8| json!({"Sequence": {"id": id, "type_id": of}});
    let before: Vec<Value> = begin.iter().map(piece).collect();
    let after: Vec<Value> = end.iter().map(piece).collect();
    let single = [before.clone(), vec![text("A", 0)], after.clone()].concat();
    let pair = [single.clone(), before, vec![text("B", 1)], after].concat();
    Ok(Some(json!({
        "type": "TemplateProcessing",
        "single": single,
        "pair": pair,
        "special_tokens": table,
    })))
}
