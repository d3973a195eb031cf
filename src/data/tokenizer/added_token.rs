//! One token that is added to a vocabulary, in the forms in which files write it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::vocabulary::END_OF_TEXT;

/// A token beside a vocabulary, or one of it that is looked for in a text before anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AddedToken {
    pub content: String,
    pub single_word: bool,
    pub lstrip: bool,
    pub rstrip: bool,
    pub normalized: bool,
    pub special: bool,
}

impl AddedToken {
    /// A token with the flags of an object, if it has some.
    ///
    /// Where nothing says whether it is looked for in the normalized text, a token is unless it is
    /// special; `end_too`: the end of text is as well. Files older than tokenizer.json do not say
    /// it, and the tokenizer.json published with GPT-2 has it so; without a normalizer it decides
    /// nothing but which of two overlapping tokens is found.
    pub fn new(content: &str, special: bool, flags: &Value, end_too: bool) -> Self {
        let flag = |name: &str, otherwise: bool| {
            flags
                .get(name)
                .and_then(Value::as_bool)
                .unwrap_or(otherwise)
        };
        Self {
            content: content.to_owned(),
            single_word: flag("single_word", false),
            lstrip: flag("lstrip", false),
            rstrip: flag("rstrip", false),
            normalized: flag("normalized", !special || end_too && content == END_OF_TEXT),
            special,
        }
    }

    /// A token as an object with its content.
    fn from_object(object: &Value, end_too: bool) -> Option<Self> {
        let content = object["content"].as_str()?;
        let special = object["special"] == true;
        Some(Self::new(content, special, object, end_too))
    }

    /// The tokens that a tokenizer.json adds, with the ids that it gives, in its order.
    ///
    /// # Errors
    /// A token without content.
    pub fn of_file(content: &Value) -> Result<Vec<(u64, Self)>> {
        let tokens = content["added_tokens"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let read = |token: &Value| {
            let read = Self::from_object(token, false).filter(|token| !token.content.is_empty());
            Some((token["id"].as_u64().unwrap_or(u64::MAX), read?))
        };
        let all: Option<Vec<_>> = tokens.iter().map(read).collect();
        all.context("an added token has no content")
    }

    /// The tokens of `added_tokens_decoder`, by id.
    ///
    /// # Errors
    /// An entry that is none.
    pub fn of_decoder(decoder: &Map<String, Value>, end_too: bool) -> Result<Vec<(u64, Self)>> {
        let mut tokens = Vec::with_capacity(decoder.len());
        for (id, token) in decoder {
            let (Ok(id), Some(token)) = (id.parse(), Self::from_object(token, end_too)) else {
                bail!(
                    "tokenizer_config.json has no id and content of an added token in {id:?} = \
                     {token}"
                );
            };
            tokens.push((id, token));
        }
        tokens.sort_by_key(|(id, _)| *id);
        Ok(tokens)
    }

    /// The object of a tokenizer.json, its keys in the order of the published one.
    pub fn to_json(&self, id: u64) -> Value {
        json!({
            "id": id,
            "special": self.special,
            "content": self.content,
            "single_word": self.single_word,
            "lstrip": self.lstrip,
            "rstrip": self.rstrip,
            "normalized": self.normalized,
        })
    }
}

/// Every added token has a content.
pub(super) fn check_contents(content: &Value) -> Result<()> {
    let added = content["added_tokens"].as_array().into_iter().flatten();
    let is_named = |token: &Value| {
        token["content"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    };
    ensure!(
        added.into_iter().all(is_named),
        "an added token has no content"
    );
    Ok(())
}

/// Enters the added tokens, under the ids that the tokenizers crate gives them whatever the file
/// says, and returns their contents, ids and whether they are special.
pub(super) fn enter_added(
    inner: &tokenizers::Tokenizer,
    content: &Value,
    bytes: &mut Vec<Vec<u8>>,
) -> Result<Vec<(String, u32, bool)>> {
    let vocabulary = &content["model"]["vocab"];
    let mut added: Vec<(String, u32, bool)> = inner
        .get_added_tokens_decoder()
        .into_iter()
        .map(|(id, token)| (token.content, id, token.special))
        .collect();
    added.sort_by_key(|(_, id, _)| *id);
    for (text, id, _) in &added {
        let place = *id as usize;
        ensure!(
            place < bytes.len() + added.len(),
            "the id {id} of its added token {text:?} is beyond the number of tokens"
        );
        if vocabulary.get(text).is_none() {
            ensure!(
                place >= bytes.len(),
                "its added token {text:?} would get the id {id}, which another token has"
            );
            bytes.resize(place + 1, Vec::new());
        }
        bytes[place] = text.as_bytes().to_vec();
    }
    Ok(added)
}

/// Marks the token that ends a text as the only special one, in the added tokens of a
/// tokenizer.json. With these flags the tokenizers crate, told to read special tokens as text,
/// takes every other one for itself and leaves the end in a document as it is written. An end that
/// swallows white space, or counts as a word alone, is not marked: nothing sets documents apart by
/// it, so that it is a token in them like the others. Whether that changes a flag.
pub(super) fn mark_end(added: &mut Value, end: &str) -> bool {
    let tokens = added.as_array_mut().map_or(&mut [][..], Vec::as_mut_slice);
    let is_plain = |token: &Value| {
        let flags = ["single_word", "lstrip", "rstrip"];
        flags.iter().all(|&flag| token[flag] != true)
    };
    // One that is there several times has the flags of the last, and is special where any is.
    let last = tokens.iter().rev().find(|token| token["content"] == end);
    let is_marked = last.is_some_and(is_plain);
    let mut changed = false;
    for token in tokens {
        let is_end = is_marked && token["content"] == end;
        changed |= token["special"] != is_end;
        token["special"] = is_end.into();
    }
    changed
}
