//! The form that tokenizers 1.0 writes, `"version": "2.0"`, put into that of the versions before.
//!
//! Between them it says nothing new of GPT-2. There is no pre-tokenizer ByteLevel: that a
//! vocabulary is one of bytes is `byte_level` of the model, and GPT-2's cut a `Split` by its
//! regular expression. A template names ids in place of entries of a table, and added tokens count
//! by their ids, not by their order. What is made of it here both libraries read.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::form::{byte_level, is_gpt2_split, parts};

/// The version that a file of this form gives.
const NEWER: &str = "2.0";

/// What every form says first.
#[derive(Deserialize)]
struct FileForm {
    #[serde(default)]
    version: Value,
}

/// A tokenizer.json in the form that is read, whichever it has; anything that is no tokenizer.json
/// comes back as it is.
///
/// # Errors
/// What the older form has no words for.
pub(super) fn in_older_form(own: String) -> Result<String> {
    let form = serde_json::from_str::<FileForm>(&own);
    if !form.is_ok_and(|form| form.version == NEWER) {
        return Ok(own);
    }
    let mut content: Value = serde_json::from_str(&own).context("it is not JSON")?;
    convert(&mut content)
        .with_context(|| format!("it has the form of tokenizers 1.0 (\"version\": \"{NEWER}\")"))?;
    Ok(content.to_string())
}

fn convert(content: &mut Value) -> Result<()> {
    let is_of_bytes = content["model"]
        .as_object_mut()
        .and_then(|model| model.shift_remove("byte_level"));
    ensure!(
        is_of_bytes == Some(Value::Bool(true)),
        "its model does not have byte_level = true, as GPT-2's has: its vocabulary is not one of \
         bytes"
    );
    let roles = content
        .as_object_mut()
        .and_then(|content| content.shift_remove("role_to_token"));
    ensure!(
        roles.is_none_or(|roles| roles.is_null()),
        "its role_to_token is not followed here; name the tokens in tokenizer_config.json, and \
         set it to null"
    );
    content["version"] = "1.0".into();
    content["pre_tokenizer"] = pre_tokenizer(&content["pre_tokenizer"]);
    content["post_processor"] = post_processor(content)?;
    complete_decoder(&mut content["decoder"]);
    if let Some(added) = content["added_tokens"].as_array_mut() {
        added.sort_by_key(|token| token["id"].as_u64().unwrap_or(u64::MAX));
    }
    Ok(())
}

/// The same cut, and the bytes behind it.
fn pre_tokenizer(newer: &Value) -> Value {
    let parts = parts(newer, "pretokenizers");
    if let [one] = parts.as_slice()
        && is_gpt2_split(one)
    {
        return byte_level(false);
    }
    let mut bytes = byte_level(false);
    bytes["use_regex"] = false.into();
    let all: Vec<Value> = parts.into_iter().cloned().chain([bytes]).collect();
    json!({"type": "Sequence", "pretokenizers": all})
}

/// A template with the table of tokens that it is written by.
fn post_processor(content: &Value) -> Result<Value> {
    let newer = &content["post_processor"];
    if newer.is_null() {
        return Ok(Value::Null);
    }
    ensure!(
        newer["type"] == "TemplateProcessing",
        "its post_processor is {}, not TemplateProcessing",
        newer["type"]
    );
    let names = names_by_id(content);
    let mut table = Map::new();
    let mut pieces = |list: &str| -> Result<Vec<Value>> {
        let mut written = Vec::new();
        for piece in newer[list].as_array().into_iter().flatten() {
            let of = piece["type_id"].as_u64().unwrap_or(0);
            match (piece["seq"].as_str(), piece["ids"].as_array()) {
                (Some(text), None) => {
                    written.push(json!({"Sequence": {"id": text, "type_id": of}}));
                }
                (None, Some(ids)) => {
                    for id in ids {
                        let name = id.as_u64().and_then(|id| names.get(&id));
                        let Some(name) = name else {
                            bail!("its post_processor has the id {id}, which no token has")
                        };
                        let entry = json!({"id": name, "ids": [id], "tokens": [name]});
                        table.insert((*name).to_owned(), entry);
                        written.push(json!({"SpecialToken": {"id": name, "type_id": of}}));
                    }
                }
                _ => bail!("its post_processor has {piece}, which is neither a text nor ids"),
            }
        }
        Ok(written)
    };
    let (single, pair) = (pieces("single")?, pieces("pair")?);
    Ok(json!({
        "type": "TemplateProcessing",
        "single": single,
        "pair": pair,
        "special_tokens": table,
    }))
}

fn names_by_id(content: &Value) -> HashMap<u64, &str> {
    let added = content["added_tokens"].as_array().into_iter().flatten();
    let added = added.filter_map(|token| Some((token["id"].as_u64()?, token["content"].as_str()?)));
    let own = content["model"]["vocab"].as_object().into_iter().flatten();
    let own = own.filter_map(|(token, id)| Some((id.as_u64()?, token.as_str())));
    own.chain(added).collect()
}

/// The newer form leaves out what says nothing.
fn complete_decoder(decoder: &mut Value) {
    if decoder["type"] == "ByteLevel" {
        *decoder = byte_level(false);
    }
    let inner = decoder.get_mut("decoders").and_then(Value::as_array_mut);
    inner.into_iter().flatten().for_each(complete_decoder);
}

#[cfg(test)]
#[path = "newer_tests.rs"]
mod tests;
