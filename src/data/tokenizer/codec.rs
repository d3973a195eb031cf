//! Byte-level BPE tokenizers, in the form of a tokenizer.json or of older files that amount to one
//! ([`super::files`]).
//!
//! The tokenizers crate encodes; what it would trip over in a broken or hostile file is checked
//! before it sees the file ([`super::form`]), and decoding is a table of bytes here. Behind GPT-2's
//! own pre-tokenisation every text comes back from its tokens unchanged (but for white space beside
//! an added token that is told to swallow it), and a long one may be tokenized in the pieces that
//! [`Segments`] cuts, where [`Tokenizer::may_cut`] agrees.
//!
//! A text may spell a special token. transformers takes it for the token unless it is told
//! `split_special_tokens=True`, and so do [`Tokenizer::encode_with_specials`] and, through it,
//! `eval` and `generate`, whose figures are held against transformers'. In a document of a corpus
//! ([`Tokenizer::encode`]) all of them are tokens, too, but for the one that ends a text, such as
//! `<|endoftext|>`, which is plain text there, so that no document can pretend to end: it follows
//! documents and nothing else. Where a text file spells it, the documents are set apart by it
//! before they come here, and the stream is the one that transformers makes of the file.
//!
//! [`Segments`]: crate::data::source::segments::Segments

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Value};
use tokenizers::{NormalizedString, Normalizer};

use super::added_token::{check_contents, enter_added, mark_end};
use super::files::{READING, TokenizerFile};
use super::form::{CutRule, check_form};
use super::frame::TextFrame;
use super::pretokens::PretokenEncoder;
use super::vocabulary::{END_OF_TEXT, byte_char, missing_bytes, token_bytes};
use crate::digest;
use crate::panics::panic_as_error;

/// A tokenizer, and what its special tokens are.
#[derive(Debug)]
pub struct Tokenizer {
    /// Reads documents: the token that ends a text is text, and so are all special ones where the
    /// tokenizer says `split_special_tokens`.
    pub(super) inner: tokenizers::Tokenizer,
    /// Reads every special token as itself; made when it is first asked for, unless the flags of
    /// tokens had to be others for documents.
    pub(super) with_specials: OnceLock<tokenizers::Tokenizer>,
    json: String,
    /// Remembers what pretokens become, behind GPT-2's own pre-tokenisation; none behind another.
    pub(super) pretokens: Option<PretokenEncoder>,
    /// Added tokens, special ones too.
    added: Vec<String>,
    /// Those that are tokens in a document.
    added_to_documents: Vec<String>,
    specials: BTreeSet<u32>,
    /// The bytes of every token.
    bytes: Vec<Vec<u8>>,
    /// Tokens of the vocabulary, which the added ones follow.
    own: usize,
    /// Bytes that are no tokens.
    missing: Vec<u8>,
    cut: CutRule,
    /// Special tokens that a text spells are plain text for everyone.
    splits: bool,
    end_of_text: Option<u32>,
    frame: TextFrame,
}

impl Tokenizer {
    /// Reads the tokenizer of a folder.
    ///
    /// # Errors
    /// Files that are missing or at odds, or that [`Tokenizer::from_json`] refuses.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::from_file(&TokenizerFile::read(folder)?)
    }

    /// The tokenizer of a file, or of files that amount to one.
    ///
    /// # Errors
    /// As [`Tokenizer::from_json`].
    pub fn from_file(file: &TokenizerFile) -> Result<Self> {
        Self::from_json(file.json.clone())
            .with_context(|| format!("{} cannot be used", file.origin))
    }

    /// A tokenizer from the content of a tokenizer.json.
    ///
    /// # Errors
    /// What cannot be run exactly: another model than BPE, dropout, affixes, a pre-tokenisation
    /// that does not make bytes of a text, ids with gaps, merges outside the vocabulary.
    pub fn from_json(json: String) -> Result<Self> {
        let mut content: Value = serde_json::from_str(&json).context("it is not JSON")?;
        let cut = check_form(&content)?;
        let mut bytes = token_bytes(&content)?;
        let own = bytes.len();
        let missing = missing_bytes(&content);
        check_contents(&content)?;
        // The streams are cut and filled here, never by the tokenizer.
        content["truncation"] = Value::Null;
        content["padding"] = Value::Null;
        content["model"]["type"] = "BPE".into();
        // The crate stops at a key that it does not know.
        let reading = content
            .as_object_mut()
            .and_then(|content| content.shift_remove(READING))
            .unwrap_or_default();
        let splits = reading["split_special_tokens"] == true;
        let end = reading["end_of_text"].as_str().unwrap_or(END_OF_TEXT);
        let mut inner = build(&content.to_string())?;
        let added = enter_added(&inner, &content, &mut bytes)?;
        let end_of_text = inner.token_to_id(end);
        let frame = TextFrame::of(&inner)?;
        let mut with_specials = OnceLock::new();
        if !splits && mark_end(&mut content["added_tokens"], end) {
            let of_documents = build(&content.to_string())?;
            with_specials = OnceLock::from(std::mem::replace(&mut inner, of_documents));
        }
        inner.set_encode_special_tokens(true);
        Ok(Self {
            added_to_documents: inner
                .get_added_tokens_decoder()
                .into_values()
                .filter(|token| !token.special)
                .map(|token| token.content)
                .collect(),
            specials: added
                .iter()
                .filter(|(.., special)| *special)
                .map(|(_, id, _)| *id)
                .collect(),
            added: added.into_iter().map(|(text, ..)| text).collect(),
            pretokens: match cut {
                CutRule::Anywhere => Some(PretokenEncoder::new()?),
                CutRule::BeforeSpace | CutRule::BesideAscii | CutRule::Nowhere => None,
            },
            splits,
            with_specials,
            inner,
            json,
            bytes,
            own,
            missing,
            cut,
            end_of_text,
            frame,
        })
    }

    /// The tokens of a document, in which the token that ends a text is plain text, unless it
    /// swallows white space or counts as a word alone; all other added tokens are themselves,
    /// special ones only where the tokenizer does not say `split_special_tokens`.
    ///
    /// # Errors
    /// A byte that the vocabulary lacks; what the tokenizers crate reports, such as a regular
    /// expression out of memory.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.encode_by(&self.inner, &self.added_to_documents, text)
    }

    /// The tokens of a text in which special tokens are themselves, as transformers reads it; plain
    /// text where the tokenizer says `split_special_tokens`.
    ///
    /// # Errors
    /// As of [`Tokenizer::encode`].
    pub fn encode_with_specials(&self, text: &str) -> Result<Vec<u32>> {
        if self.splits {
            return self.encode(text);
        }
        let inner = self.with_specials.get_or_init(|| {
            let mut inner = self.inner.clone();
            inner.set_encode_special_tokens(false);
            inner
        });
        self.encode_by(inner, &self.added, text)
    }

    /// The tokens by `inner`, to which `added` are tokens in a text.
    fn encode_by(
        &self,
        inner: &tokenizers::Tokenizer,
        added: &[String],
        text: &str,
    ) -> Result<Vec<u32>> {
        let by_words = self.pretokens.as_ref();
        let ids = match by_words.filter(|_| !added.iter().any(|token| text.contains(token))) {
            Some(pretokens) => pretokens.encode(text, inner.get_model())?,
            None => encode_whole(inner, text)?,
        };
        if !self.missing.is_empty() {
            self.check_bytes(text, &ids)?;
        }
        Ok(ids)
    }

    /// Refuses a text that has bytes which are no tokens: they would be lost.
    fn check_bytes(&self, text: &str, ids: &[u32]) -> Result<()> {
        let mut normalized = NormalizedString::from(text);
        if let Some(normalizer) = self.inner.get_normalizer() {
            normalizer
                .normalize(&mut normalized)
                .map_err(|error| anyhow!("cannot normalize: {error}"))?;
        }
        let (wanted, found) = (normalized.get().as_bytes(), self.decode_bytes(ids));
        let count = |text: &[u8], byte| text.iter().filter(|&&b| b == byte).count();
        let lost = |&&byte: &&u8| count(wanted, byte) > count(&found, byte);
        if let Some(&byte) = self.missing.iter().find(lost) {
            bail!(
                "the text has the byte {byte:#04x} ({:?}), and the tokenizer's vocabulary lacks \
                 it{}: train the tokenizer again with the whole alphabet (initial_alphabet = \
                 ByteLevel.alphabet()), or leave out the characters that have it",
                byte_char(byte),
                match self.missing.len() - 1 {
                    0 => String::new(),
                    others => format!(" and {others} more"),
                }
            );
        }
        Ok(())
    }

    /// Whether `left` and `right`, which follow one another where [`Segments`] cut them, have the
    /// tokens of the two together: the form of the tokenizer allows it, and no added token touches
    /// the cut.
    ///
    /// [`Segments`]: crate::data::source::segments::Segments
    pub fn may_cut(&self, left: &str, right: &str) -> bool {
        let by_form = match self.cut {
            CutRule::Anywhere => true,
            CutRule::BeforeSpace => right.starts_with(' '),
            CutRule::BesideAscii => {
                let is_ascii = |c: Option<char>| c.is_none_or(|c| c.is_ascii());
                is_ascii(left.chars().next_back()) && right.chars().take(2).all(|c| c.is_ascii())
            }
            CutRule::Nowhere => false,
        };
        by_form
            && self.added.iter().all(|token| {
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

    /// Number of ids that any text may have: those of added tokens follow them, which only a text
    /// that spells one has.
    pub fn own_vocabulary(&self) -> usize {
        self.own
    }

    /// The id of the token that ends a text, where the tokenizer has one.
    pub fn text_end(&self) -> Option<u32> {
        self.end_of_text
    }

    /// What separates documents where a text file spells it: the token that ends a text. Nothing
    /// where that is no token in a text, or takes white space beside it along.
    pub fn separator(&self) -> String {
        let added = self.inner.get_added_tokens_decoder();
        let end = self.end_of_text.and_then(|end| added.get(&end));
        end.filter(|end| !(self.splits || end.single_word || end.lstrip || end.rstrip))
            .map_or_else(String::new, |end| end.content.clone())
    }

    /// The token that follows every document.
    ///
    /// # Errors
    /// A tokenizer that has none, with what to do about it.
    pub fn document_end(&self) -> Result<u32> {
        self.end_of_text.context(
            "the tokenizer names no token that ends a text, which follows every document; name \
             one as eos_token in tokenizer_config.json",
        )
    }

    /// The tokens that stand before and behind every text by itself, as transformers adds them.
    pub fn frame(&self) -> &TextFrame {
        &self.frame
    }

    /// The one text that says all of the tokenizer: its tokenizer.json, with what the files beside
    /// it add.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// A tokenizer.json that other libraries read.
    pub fn plain_json(&self) -> String {
        let marker = format!("\"{READING}\"");
        if !self.json.contains(&marker) {
            return self.json.clone();
        }
        match serde_json::from_str::<Map<String, Value>>(&self.json) {
            Ok(mut content) => {
                content.shift_remove(READING);
                Value::Object(content).to_string()
            }
            Err(_) => self.json.clone(),
        }
    }

    /// sha256 of [`Tokenizer::json`].
    pub fn sha256(&self) -> String {
        digest::sha256(self.json.as_bytes())
    }

    /// The content of the tokenizer_config.json that transformers wants beside it, for a model of
    /// `positions` positions, where the tokenizer came without one: `given` is the class that its
    /// folder has then.
    ///
    /// A tokenizer that was trained here is read by the class that takes tokenizer.json as it is.
    pub fn config_json(&self, positions: usize, given: Option<&str>) -> String {
        let mut config = serde_json::json!({
            "add_prefix_space": false,
            "bos_token": END_OF_TEXT,
            "clean_up_tokenization_spaces": false,
            "eos_token": END_OF_TEXT,
            "model_max_length": positions,
            "tokenizer_class": given.unwrap_or("PreTrainedTokenizerFast"),
            "unk_token": END_OF_TEXT,
        });
        if given.is_none() {
            // Of the general class, versions before 5 give GPT-2 types of tokens, which it adds to
            // what it reads.
            config["model_input_names"] = serde_json::json!(["input_ids", "attention_mask"]);
        } else if given != Some("GPT2TokenizerFast")
            || self.end_of_text.is_none()
            || self.end_of_text != self.inner.token_to_id(END_OF_TEXT)
        {
            // Nothing named them, and nothing is to name them now.
            for name in ["bos_token", "eos_token", "unk_token", "add_prefix_space"] {
                if let Some(table) = config.as_object_mut() {
                    table.shift_remove(name);
                }
            }
        }
        format!("{config:#}\n")
    }
}

/// The tokens of a text as the tokenizers library alone makes them.
pub(super) fn encode_whole(inner: &tokenizers::Tokenizer, text: &str) -> Result<Vec<u32>> {
    let encoding = inner
        .encode_fast(text, false)
        .map_err(|error| anyhow!("cannot tokenize: {error}"))?;
    Ok(encoding.get_ids().to_vec())
}

fn build(text: &str) -> Result<tokenizers::Tokenizer> {
    panic_as_error(
        || tokenizers::Tokenizer::from_bytes(text.as_bytes()).map_err(|error| anyhow!("{error}")),
        |_| "the tokenizer's parts contradict each other".to_owned(),
    )
}

#[cfg(test)]
#[path = "codec_tests.rs"]
pub(super) mod tests;
