//! A guard of the tokenizers crate's trainer, which counts pairs of neighbours in 32 bits: one that
//! occurs more often is never merged, and nobody is told.

use anyhow::{Result, ensure};

/// The most that the trainer counts to.
pub(super) const TRAINERS_LIMIT: u64 = i32::MAX as u64;

/// How often each pair of neighbouring bytes occurs in a text.
///
/// Every occurrence of a pair of tokens is one of the pair of bytes where they meet, and no two
/// are the same; so no pair of tokens ever occurs more often than the most frequent pair of bytes.
/// Pairs that no word holds, such as a letter with the space after it, are counted too: the bound
/// is never too low.
pub(super) struct PairCounts {
    counts: Vec<u64>,
    limit: u64,
}

impl PairCounts {
    pub fn new(limit: u64) -> Self {
        Self {
            counts: vec![0; 1 << 16],
            limit,
        }
    }

    /// Counts a piece of text; words do not reach from one piece into the next.
    pub fn add(&mut self, text: &str) {
        for pair in text.as_bytes().windows(2) {
            self.counts[usize::from(pair[0]) << 8 | usize::from(pair[1])] += 1;
        }
    }

    /// Refuses a text whose pairs the trainer cannot count.
    ///
    /// # Errors
    /// A pair that occurs more often than the limit, and what to do about it.
    pub fn check(&self) -> Result<()> {
        let most = self
            .counts
            .iter()
            .enumerate()
            .max_by_key(|(_, count)| **count);
        let (pair, count) = most.map_or((0, 0), |(pair, count)| (pair, *count));
        let bytes = [(pair >> 8) as u8, pair as u8];
        ensure!(
            count <= self.limit,
            "the training split has the pair of bytes \"{}\" {count} times, and the trainer of \
             tokenizers counts to {}: train it on less (dataset.train_tokens), or take a \
             tokenizer that is there (tokenizer.source = \"dir\")",
            bytes.escape_ascii(),
            self.limit
        );
        Ok(())
    }
}

#[cfg(test)]
#[path = "pairs_tests.rs"]
mod tests;
