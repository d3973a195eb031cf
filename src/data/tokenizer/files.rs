//! The files that a tokenizer lies in: tokenizer.json, or vocab.json with merges.txt as GPT-2 was
//! first published, which are put together to the tokenizer.json that says the same.
//!
//! A tokenizer.json has everything in it. Beside the older pair, tokens may be added by
//! tokenizer_config.json (`added_tokens_decoder`), or by added_tokens.json, special_tokens_map.json
//! and the names of tokenizer_config.json (`eos_token`, …); their order, ids and defaults are those
//! of transformers. For OpenAI's own two files the result is, byte for byte, the tokenizer.json
//! published with GPT-2, so both forms of one tokenizer have one hash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Map, Value, json};

use super::vocabulary::END_OF_TEXT;

/// A larger file is refused: GPT-2's tokenizer.json has 1.4 MB.
const LARGEST: u64 = 64 << 20;

/// The named special tokens, in the order in which transformers adds those that have no id.
const NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];
/// Of these, the ones that a GPT-2 tokenizer has where no file names them.
const DEFAULTS: [&str; 3] = ["bos_token", "eos_token", "unk_token"];
/// Lists of further special tokens.
const FURTHER: [&str; 2] = ["additional_special_tokens", "extra_special_tokens"];

/// The tokenizer.json that a folder has or amounts to.
#[derive(Debug)]
pub struct TokenizerFile {
    /// Its content.
    pub json: String,
    /// The file or files that it came from, for messages.
    pub origin: String,
}

impl TokenizerFile {
    /// Reads the files of a folder.
    ///
    /// # Errors
    /// A folder with neither form, a file that cannot be read or is not what its name says,
    /// settings that the tokenizer here does not have.
    pub fn read(folder: &Path) -> Result<Self> {
        let whole = folder.join("tokenizer.json");
        if whole.is_file() {
            let json = text(&whole)?;
            check_against_config(&json, folder)?;
            return Ok(Self {
                json,
                origin: whole.display().to_string(),
            });
        }
        let (vocabulary, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
        let is_one_alone = |there: &Path, missing: &Path| {
            anyhow!(
                "{} is there, and {} is not: a tokenizer of this form is both",
                there.display(),
                missing.display()
            )
        };
        match (vocabulary.is_file(), merges.is_file()) {
            (true, true) => Ok(Self {
                json: from_vocabulary_and_merges(folder, &vocabulary, &merges)?,
                origin: format!("{} with merges.txt", vocabulary.display()),
            }),
            (false, true) => Err(is_one_alone(&merges, &vocabulary)),
            (true, false) => Err(is_one_alone(&vocabulary, &merges)),
            (false, false) => bail!(
                "{} has no tokenizer; put tokenizer.json there, or vocab.json and merges.txt",
                shown(folder).display()
            ),
        }
    }
}

/// The folder as a message names it.
fn shown(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}

fn text(path: &Path) -> Result<String> {
    let length = std::fs::metadata(path)
        .with_context(|| format!("cannot open {}", path.display()))?
        .len();
    ensure!(
        length <= LARGEST,
        "{} has {length} bytes, more than a tokenizer can need ({LARGEST})",
        path.display()
    );
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The object in a file; an empty one where there is no file.
fn object(path: PathBuf) -> Result<Map<String, Value>> {
    if !path.is_file() {
        return Ok(Map::new());
    }
    serde_json::from_str(&text(&path)?)
        .with_context(|| format!("{} is not a JSON object", path.display()))
}

/// Refuses what tokenizer_config.json would change in a tokenizer and is not done here.
fn check_config(config: &Map<String, Value>, folder: &Path) -> Result<()> {
    for key in ["add_prefix_space", "add_bos_token", "add_eos_token"] {
        let found = config.get(key) == Some(&Value::Bool(true));
        ensure!(
            !found,
            "tokenizer_config.json in {} has {key} = true, which is not supported: texts are \
             tokenized as they are",
            folder.display()
        );
    }
    Ok(())
}

/// Compares a tokenizer.json with what tokenizer_config.json adds: transformers would read both.
fn check_against_config(json: &str, folder: &Path) -> Result<()> {
    let config = object(folder.join("tokenizer_config.json"))?;
    check_config(&config, folder)?;
    let Some(decoder) = config
        .get("added_tokens_decoder")
        .and_then(Value::as_object)
        .filter(|decoder| !decoder.is_empty())
    else {
        return Ok(());
    };
    // A broken tokenizer.json is told where it is read.
    let Ok(content) = serde_json::from_str::<Value>(json) else {
        return Ok(());
    };
    for (id, token) in decoder {
        let is_there = |there: &&Value| {
            there["content"] == token["content"]
                && there["id"]
                    .as_u64()
                    .is_some_and(|own| own.to_string() == *id)
        };
        ensure!(
            content["added_tokens"]
                .as_array()
                .is_some_and(|added| added.iter().any(|there| is_there(&there))),
            "tokenizer_config.json in {} adds the token {} with the id {id}, and tokenizer.json \
             does not: save the tokenizer again with transformers",
            folder.display(),
            token["content"]
        );
    }
    Ok(())
}

/// A token that is added to the vocabulary, in the order of keys of a tokenizer.json.
fn added(id: u64, content: &str, special: bool, flags: &Value) -> Value {
    let flag = |name: &str, otherwise: bool| {
        flags
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(otherwise)
    };
    json!({
        "id": id,
        "special": special,
        "content": content,
        "single_word": flag("single_word", false),
        "lstrip": flag("lstrip", false),
        "rstrip": flag("rstrip", false),
        // Without a normalizer it changes nothing but which of two overlapping tokens is found. The
        // published tokenizer.json has it for the end of text.
        "normalized": flag("normalized", !special || content == END_OF_TEXT),
    })
}

fn from_vocabulary_and_merges(folder: &Path, vocabulary: &Path, merges: &Path) -> Result<String> {
    let mut entries: Vec<(String, Value)> = object(vocabulary.to_owned())?.into_iter().collect();
    entries.sort_by_key(|(_, id)| id.as_u64().unwrap_or(u64::MAX));
    let entries: Map<String, Value> = entries.into_iter().collect();
    let lines = text(merges)?;
    let merges: Vec<&str> = lines
        .lines()
        .enumerate()
        .filter(|(at, line)| *at > 0 || !line.starts_with("#version"))
        .map(|(_, line)| line)
        .collect();
    let tokens = added_tokens(folder, &entries)?;
    let byte_level = |prefix: bool, trim: bool| {
        let kind = "ByteLevel";
        json!({"type": kind, "add_prefix_space": prefix, "trim_offsets": trim})
    };
    let content = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": tokens,
        "normalizer": null,
        "pre_tokenizer": byte_level(false, true),
        "post_processor": byte_level(true, false),
        "decoder": byte_level(true, true),
        "model": {
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": false,
            "vocab": entries,
            "merges": merges,
        },
    });
    Ok(content.to_string())
}

/// The tokens beside the vocabulary and those of it that are special, by id.
fn added_tokens(folder: &Path, vocabulary: &Map<String, Value>) -> Result<Vec<Value>> {
    let mut config = object(folder.join("tokenizer_config.json"))?;
    check_config(&config, folder)?;
    let mut tokens: BTreeMap<u64, Value> = BTreeMap::new();
    let decoder = config
        .get("added_tokens_decoder")
        .and_then(Value::as_object)
        .cloned();
    if let Some(decoder) = decoder {
        for (id, token) in &decoder {
            let (Ok(id), Some(content)) = (id.parse(), token["content"].as_str()) else {
                bail!(
                    "tokenizer_config.json in {} has no id and content of an added token in \
                     {id:?} = {token}",
                    folder.display()
                );
            };
            tokens.insert(id, added(id, content, token["special"] == true, token));
        }
    } else {
        config.extend(object(folder.join("special_tokens_map.json"))?);
        let special = specials(&config);
        for (content, id) in object(folder.join("added_tokens.json"))? {
            let Some(id) = id.as_u64() else {
                bail!(
                    "the id {id} of {content:?} in added_tokens.json of {} is not a number",
                    folder.display()
                )
            };
            let special = special.iter().any(|(name, _)| *name == content);
            tokens.insert(id, added(id, &content, special, &Value::Null));
        }
    }
    for (content, flags) in specials(&config) {
        if tokens.values().any(|token| token["content"] == content) {
            continue;
        }
        let beyond = tokens
            .last_key_value()
            .map_or(0, |(id, _)| id + 1)
            .max(vocabulary.len() as u64);
        let id = vocabulary
            .get(&content)
            .and_then(Value::as_u64)
            .unwrap_or(beyond);
        tokens.insert(id, added(id, &content, true, &flags));
    }
    Ok(tokens.into_values().collect())
}

/// The special tokens that a config names, with their flags where it gives some.
fn specials(config: &Map<String, Value>) -> Vec<(String, Value)> {
    let named = NAMES.iter().map(|name| match config.get(*name) {
        None if DEFAULTS.contains(name) => json!(END_OF_TEXT),
        None => Value::Null,
        Some(token) => token.clone(),
    });
    let further = FURTHER
        .iter()
        .filter_map(|name| config.get(*name)?.as_array())
        .flatten()
        .cloned();
    let content = |token: Value| {
        let text = token
            .as_str()
            .or_else(|| token["content"].as_str())?
            .to_owned();
        Some((text, token))
    };
    named.chain(further).filter_map(content).collect()
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
