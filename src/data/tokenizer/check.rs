//! Whether a tokenizer.json is a byte-level BPE like GPT-2's.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Refuses another model, dropout, affixes, a normalizer, another pre-tokenisation, and merges
/// outside the vocabulary: the tokenizers crate would change texts with some of them, and fail on
/// others.
pub(super) fn check_model(content: &Value) -> Result<()> {
    let model = &content["model"];
    // Files of old versions do not name the type.
    ensure!(
        model["type"].is_null() || model["type"] == "BPE",
        "its model is {}, not BPE",
        model["type"]
    );
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
        let value = &model[key];
        ensure!(
            value.is_null() || value == "" || value == 0.0,
            "its model has {key} = {value}; set it to null"
        );
    }
    ensure!(
        content["normalizer"].is_null(),
        "it has a normalizer, which changes the text; set it to null"
    );
    let cut = &content["pre_tokenizer"];
    let is_gpt2 =
        cut["type"] == "ByteLevel" && cut["add_prefix_space"] == false && cut["use_regex"] != false;
    ensure!(
        is_gpt2,
        "its pre_tokenizer is not GPT-2's: ByteLevel with its regular expression and without a \
         prefix space"
    );
    let merges = model["merges"]
        .as_array()
        .context("its model has no merges")?;
    for (rank, merge) in merges.iter().enumerate() {
        let (left, right) = match merge {
            Value::String(pair) => pair.split_once(' ').unwrap_or((pair, "")),
            Value::Array(pair) if pair.len() == 2 => (
                pair[0].as_str().unwrap_or(""),
                pair[1].as_str().unwrap_or(""),
            ),
            _ => ("", ""),
        };
        let known = |token: &str| model["vocab"].get(token).is_some();
        ensure!(
            !left.is_empty()
                && !right.is_empty()
                && known(left)
                && known(right)
                && known(&format!("{left}{right}")),
            "merge {rank}, {merge}, does not join two tokens of the vocabulary to a third"
        );
    }
    Ok(())
}
