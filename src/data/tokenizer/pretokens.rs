//! Encoding by remembered words.
//!
//! Behind GPT-2's pre-tokenisation a text is a row of pretokens (words with the space before them,
//! numbers, punctuation, white space), each of which the merges see alone, and few of which are
//! new. The tokenizers library cuts (its own regular expression) and merges (its model); here the
//! tokens of a pretoken are remembered, and what the library keeps beside them (alignments, the
//! texts of tokens) is not made. So the tokens are the library's, for a fraction of its time.
//!
//! Cutting is most of what is left, so words are remembered, too: what stands between two places
//! of which it is plain that the library cuts there, which the library need not look at again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};
use tokenizers::Model;
use tokenizers::utils::SysRegex;

use super::form::GPT2_CUT;
use super::vocabulary::byte_char;

/// Maps that share what is remembered out, so that threads seldom wait for each other.
const SHARDS: usize = 64;
/// Texts of a kind that are remembered; far more than a corpus has that come often.
const MOST_TEXTS: usize = 1 << 18;
/// Bytes of the longest text that is remembered.
const LONGEST: usize = 64;

/// Cuts texts into pretokens and remembers their tokens.
pub(super) struct PretokenEncoder {
    splitter: SysRegex,
    /// What a byte is in the vocabulary.
    chars: [char; 256],
    words: RememberedTexts,
    pretokens: RememberedTexts,
}

/// The tokens of short texts by their bytes.
struct RememberedTexts {
    hasher: RandomState,
    shards: Vec<Mutex<TokensByText>>,
}

type TokensByText = HashMap<Box<[u8]>, Box<[u32]>>;

impl RememberedTexts {
    fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Adds the tokens of a text: those that are remembered, or else what `make` gives, which then
    /// are, too.
    fn add(
        &self,
        text: &str,
        ids: &mut Vec<u32>,
        make: impl FnOnce(&mut Vec<u32>) -> Result<()>,
    ) -> Result<()> {
        let bytes = text.as_bytes();
        if bytes.len() > LONGEST {
            return make(ids);
        }
        let shard = &self.shards[self.hasher.hash_one(bytes) as usize % SHARDS];
        // A thread that panicked has left whole entries.
        let lock = || shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(bytes) {
            ids.extend_from_slice(known);
            return Ok(());
        }
        let start = ids.len();
        make(ids)?;
        let mut known = lock();
        if known.len() < MOST_TEXTS / SHARDS {
            known.insert(bytes.into(), ids[start..].into());
        }
        Ok(())
    }
}

impl std::fmt::Debug for PretokenEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PretokenEncoder").finish_non_exhaustive()
    }
}

impl PretokenEncoder {
    /// An encoder that remembers nothing yet.
    ///
    /// # Errors
    /// A regular expression that the library does not take.
    pub fn new() -> Result<Self> {
        let splitter = SysRegex::new(GPT2_CUT).map_err(|error| anyhow!("{error}"))?;
        Ok(Self {
            splitter,
            chars: std::array::from_fn(|byte| byte_char(byte as u8)),
            words: RememberedTexts::new(),
            pretokens: RememberedTexts::new(),
        })
    }

    /// The tokens of a text without added tokens.
    ///
    /// # Errors
    /// What the library reports.
    pub fn encode(&self, text: &str, model: &impl Model) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        let mut rest = text;
        while !rest.is_empty() {
            let (word, others) = rest.split_at(end_of_word(rest));
            self.words
                .add(word, &mut ids, |ids| self.encode_word(word, model, ids))?;
            rest = others;
        }
        Ok(ids)
    }

    /// The tokens of a text that the library cuts.
    fn encode_word(&self, text: &str, model: &impl Model, ids: &mut Vec<u32>) -> Result<()> {
        let mut end = 0;
        for (from, to) in self.splitter.find_iter(text) {
            if end < from {
                self.encode_pretoken(&text[end..from], model, ids)?;
            }
            self.encode_pretoken(&text[from..to], model, ids)?;
            end = to;
        }
        if end < text.len() {
            self.encode_pretoken(&text[end..], model, ids)?;
        }
        Ok(())
    }

    fn encode_pretoken(&self, text: &str, model: &impl Model, ids: &mut Vec<u32>) -> Result<()> {
        self.pretokens.add(text, ids, |ids| {
            ids.extend(self.merged(text.as_bytes(), model)?);
            Ok(())
        })
    }

    /// The tokens that the library's merges make of a pretoken.
    fn merged(&self, bytes: &[u8], model: &impl Model) -> Result<Vec<u32>> {
        let spelled: String = bytes.iter().map(|&b| self.chars[b as usize]).collect();
        let tokens = model
            .tokenize(&spelled)
            .map_err(|error| anyhow!("cannot tokenize: {error}"))?;
        Ok(tokens.into_iter().map(|token| token.id).collect())
    }
}

/// Where a word ends: before the first single space between two visible characters of ASCII, or
/// with the text. Whatever precedes such a space, GPT-2's cut ends there, as nothing visible goes
/// on with white space; and the space belongs to what follows it.
fn end_of_word(text: &str) -> usize {
    let around = text.as_bytes().windows(3).position(|around| {
        around[1] == b' ' && around[0].is_ascii_graphic() && around[2].is_ascii_graphic()
    });
    around.map_or(text.len(), |before| before + 1)
}

#[cfg(test)]
#[path = "pretokens_tests.rs"]
mod tests;
