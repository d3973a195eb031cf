//! Byte-level BPE tokenizers, in the form of a tokenizer.json or of older files that amount to one
//! ([`super::files`]).
//!
//! The tokenizers crate encodes; what it would trip over in a broken or hostile file is checked
//! before it sees the file, and decoding is a table of bytes here. Only what GPT-2 uses is
//! accepted: a BPE model over all 256 bytes behind GPT-2's own pre-tokenisation, with
//! `<|endoftext|>`, and tokens added to it. Then every text comes back from its tokens unchanged
//! (but for white space beside an added token that is told to swallow it), and a long one may be
//! tokenized in the pieces that [`Segments`] cuts, where [`Tokenizer::may_cut`] agrees.
//!
//! A text may spell a special token such as `<|endoftext|>`. In a corpus that is plain text
//! ([`Tokenizer::encode`]), so that no document can pretend to end: the token follows documents and
//! nothing else. transformers takes it for the token unless it is told `split_special_tokens=True`;
//! so do [`Tokenizer::encode_with_specials`] and, through it, `eval` and `generate`, whose figures
//! are held against transformers'. Added tokens that are not special are tokens for both.
//!
//! [`Segments`]: crate::data::source::segments::Segments

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use super::check::check_model;
use super::files::TokenizerFile;
use super::vocabulary::{END_OF_TEXT, token_bytes};
use crate::digest;
use crate::panics::panic_as_error;

/// A tokenizer that gives back every text unchanged.
#[derive(Debug)]
pub struct Tokenizer {
    /// Reads special tokens as text.
    inner: tokenizers::Tokenizer,
    /// The same, reading them as tokens; made when it is first asked for.
    with_specials: OnceLock<tokenizers::Tokenizer>,
    json: String,
    /// Added tokens, special ones too.
    added: Vec<String>,
    specials: BTreeSet<u32>,
    /// The bytes of every token.
    bytes: Vec<Vec<u8>>,
    end_of_text: u32,
}

impl Tokenizer {
    /// Reads the tokenizer of a folder.
    ///
    /// # Errors
    /// Files that are missing or at odds, or that [`Tokenizer::from_json`] refuses.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::from_file(TokenizerFile::read(folder)?)
    }

    /// The tokenizer of a file, or of files that amount to one.
    ///
    /// # Errors
    /// As [`Tokenizer::from_json`].
    pub fn from_file(file: TokenizerFile) -> Result<Self> {
        Self::from_json(file.json).with_context(|| format!("{} cannot be used", file.origin))
    }

    /// A tokenizer from the content of a tokenizer.json.
    ///
    /// # Errors
    /// What is not a byte-level BPE like GPT-2's: another model, dropout, affixes, a normalizer,
    /// another pre-tokenisation, ids with gaps, merges outside the vocabulary, a missing byte or
    /// `<|endoftext|>`.
    pub fn from_json(json: String) -> Result<Self> {
        let mut content: Value = serde_json::from_str(&json).context("it is not JSON")?;
        check_model(&content)?;
        let bytes = token_bytes(&content)?;
        let added = sort_added(&mut content);
        // The streams are cut and filled here, never by the tokenizer.
        content["truncation"] = Value::Null;
        content["padding"] = Value::Null;
        content["model"]["type"] = "BPE".into();
        let text = content.to_string();
        let mut inner = panic_as_error(
            || {
                tokenizers::Tokenizer::from_bytes(text.as_bytes())
                    .map_err(|error| anyhow!("{error}"))
            },
            |_| "the tokenizer's parts contradict each other".to_owned(),
        )?;
        inner.set_encode_special_tokens(true);
        let end_of_text = inner.token_to_id(END_OF_TEXT).with_context(|| {
            format!("it has no token {END_OF_TEXT}, which follows every document")
        })?;
        ensure!(
            inner.get_vocab_size(true) == bytes.len(),
            "its added tokens and its vocabulary give different ids to one token"
        );
        for (text, id, _) in &added {
            let found = inner.token_to_id(text);
            ensure!(
                found == Some(*id),
                "its added token {text:?} has the id {id} in the file and would get {found:?}: \
                 ids of added tokens follow the vocabulary"
            );
        }
        let specials = added
            .iter()
            .filter(|(.., special)| *special)
            .map(|(_, id, _)| *id)
            .collect();
        let added = added.into_iter().map(|(text, ..)| text).collect();
        Ok(Self {
            inner,
            with_specials: OnceLock::new(),
            json,
            added,
            specials,
            bytes,
            end_of_text,
        })
    }

    /// The tokens of a text in which special tokens are plain text; `<|endoftext|>` is never among
    /// them.
    ///
    /// # Errors
    /// What the tokenizers crate reports, such as a regular expression out of memory.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        encode(&self.inner, text)
    }

    /// The tokens of a text in which special tokens are themselves, as transformers reads it.
    ///
    /// # Errors
    /// As of [`Tokenizer::encode`].
    pub fn encode_with_specials(&self, text: &str) -> Result<Vec<u32>> {
        let inner = self.with_specials.get_or_init(|| {
            let mut inner = self.inner.clone();
            inner.set_encode_special_tokens(false);
            inner
        });
        encode(inner, text)
    }

    /// Whether `left` and `right`, which follow one another where [`Segments`] cut them, have the
    /// tokens of the two together: no added token touches the cut.
    ///
    /// [`Segments`]: crate::data::source::segments::Segments
    pub fn may_cut(&self, left: &str, right: &str) -> bool {
        self.added.iter().all(|token| {
            let before = &left.as_bytes()[left.len().saturating_sub(token.len())..];
            let after = &right.as_bytes()[..right.len().min(token.len())];
            // Whatever has the token's length in here reaches the cut.
            ![before, after]
                .concat()
                .windows(token.len())
                .any(|found| found == token.as_bytes())
        })
    }

    /// Whether a token is a special one.
    pub fn is_special(&self, id: u32) -> bool {
        self.specials.contains(&id)
    }

    /// The bytes that the tokens stand for. Ids beyond the vocabulary stand for nothing.
    pub fn decode_bytes(&self, ids: &[u32]) -> Vec<u8> {
        ids.iter()
            .flat_map(|&id| self.token_bytes(id))
            .copied()
            .collect()
    }

    /// The text that the tokens stand for; bytes that are no UTF-8 (half a character at either end)
    /// become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        String::from_utf8_lossy(&self.decode_bytes(ids)).into_owned()
    }

    /// The bytes of one token, for text that is written as it comes.
    pub fn token_bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id as usize).map_or(&[], Vec::as_slice)
    }

    /// Number of ids.
    pub fn vocabulary(&self) -> usize {
        self.bytes.len()
    }

    /// One more than the last id that is no token added behind the vocabulary.
    pub fn without_added(&self) -> usize {
        let added: BTreeSet<&[u8]> = self.added.iter().map(String::as_bytes).collect();
        let own = self
            .bytes
            .iter()
            .rposition(|bytes| !added.contains(bytes.as_slice()));
        own.map_or(0, |last| last + 1)
    }

    /// The id of `<|endoftext|>`.
    pub fn end_of_text(&self) -> u32 {
        self.end_of_text
    }

    /// The content of tokenizer.json.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// sha256 of [`Tokenizer::json`].
    pub fn sha256(&self) -> String {
        digest::sha256(self.json.as_bytes())
    }

    /// The content of the tokenizer_config.json that transformers wants beside it, for a model of
    /// `positions` positions.
    pub fn config_json(&self, positions: usize) -> String {
        let config = serde_json::json!({
            "add_prefix_space": false,
            "bos_token": END_OF_TEXT,
            "clean_up_tokenization_spaces": false,
            "eos_token": END_OF_TEXT,
            "model_max_length": positions,
            "tokenizer_class": "GPT2TokenizerFast",
            "unk_token": END_OF_TEXT,
        });
        format!("{config:#}\n")
    }
}

fn encode(inner: &tokenizers::Tokenizer, text: &str) -> Result<Vec<u32>> {
    let encoding = inner
        .encode_fast(text, false)
        .map_err(|error| anyhow!("cannot tokenize: {error}"))?;
    Ok(encoding.get_ids().to_vec())
}

/// Puts the added tokens in the order of their ids, in which the tokenizers crate numbers them
/// whatever the file says, and returns their contents, ids and whether they are special.
fn sort_added(content: &mut Value) -> Vec<(String, u32, bool)> {
    let Some(added) = content["added_tokens"].as_array_mut() else {
        return Vec::new();
    };
    added.sort_by_key(|token| token["id"].as_u64());
    let known = |token: &Value| {
        Some((
            token["content"].as_str()?.to_owned(),
            u32::try_from(token["id"].as_u64()?).ok()?,
            token["special"] == true,
        ))
    };
    added.iter().filter_map(known).collect()
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
