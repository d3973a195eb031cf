//! Encoding by remembered words.
//!
//! Behind GPT-2's pre-tokenisation a text is a row of pretokens (words with the space before them,
//! numbers, punctuation, white space), each of which the merges see alone, and few of which are
//! new. The tokenizers library cuts (its own regular expression) and merges (its model); here the
//! tokens of a pretoken are remembered, and what the library keeps beside them (alignments, the
//! texts of tokens) is not made. So the tokens are the library's, for a fraction of its time.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};
use tokenizers::Model;
use tokenizers::utils::SysRegex;

use super::form::GPT2_CUT;
use super::vocabulary::byte_char;

/// Maps that share the remembered pretokens out, so that threads seldom wait for each other.
const SHARDS: usize = 64;
/// Pretokens that are remembered; far more than a corpus has that come often.
const MOST_PRETOKENS: usize = 1 << 18;
/// Bytes of the longest pretoken that is remembered.
const LONGEST: usize = 64;

/// Cuts texts into pretokens and remembers their tokens.
pub(super) struct PretokenEncoder {
    splitter: SysRegex,
    /// What a byte is in the vocabulary.
    chars: [char; 256],
    hasher: RandomState,
    shards: Vec<Mutex<KnownPretokens>>,
}

/// The tokens of pretokens by their bytes.
type KnownPretokens = HashMap<Box<[u8]>, Box<[u32]>>;

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
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        })
    }

    /// The tokens of a text without added tokens.
    ///
    /// # Errors
    /// What the library reports.
    pub fn encode(&self, text: &str, model: &impl Model) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        let mut end = 0;
        for (from, to) in self.splitter.find_iter(text) {
            if end < from {
                self.encode_pretoken(&text[end..from], model, &mut ids)?;
            }
            self.encode_pretoken(&text[from..to], model, &mut ids)?;
            end = to;
        }
        if end < text.len() {
            self.encode_pretoken(&text[end..], model, &mut ids)?;
        }
        Ok(ids)
    }

    fn encode_pretoken(&self, text: &str, model: &impl Model, ids: &mut Vec<u32>) -> Result<()> {
        let bytes = text.as_bytes();
        if bytes.len() > LONGEST {
            ids.extend(self.merged(bytes, model)?);
            return Ok(());
        }
        let shard = &self.shards[self.hasher.hash_one(bytes) as usize % SHARDS];
        // A thread that panicked has left whole entries.
        let lock = || shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(bytes) {
            ids.extend_from_slice(known);
            return Ok(());
        }
        let found = self.merged(bytes, model)?;
        ids.extend_from_slice(&found);
        let mut known = lock();
        if known.len() < MOST_PRETOKENS / SHARDS {
            known.insert(bytes.into(), found.into());
        }
        Ok(())
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

#[cfg(test)]
#[path = "pretokens_tests.rs"]
mod tests;
