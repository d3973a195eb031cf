//! Token streams that are ready to train on.

use std::ops::Range;
use std::sync::Arc;

use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use super::overlap::SharedDocuments;
use super::tasks::KeptTasks;
use super::tokenizer::{KeptFiles, Tokenizer};

/// What training and evaluation need of a dataset under a tokenizer.
#[derive(Debug)]
pub struct Prepared {
    /// Rows of the embedding: the tokenizer's ids are 0 … `vocabulary` − 1.
    pub vocabulary: usize,
    /// The id of the token that follows every document: `<|endoftext|>`, or the one that the
    /// tokenizer names.
    pub end_of_text: u32,
    /// The largest id that the streams hold.
    pub largest_token: u32,
    /// The files of a tokenizer that was there, as they are.
    pub kept: KeptFiles,
    pub train: Split,
    pub validation: Split,
    pub test: Split,
    /// Hash of the content: equal keys mean equal streams.
    pub key: String,
    pub tokenizer: Tokenizer,
    /// NLL of the test tokens under the add-one unigram frequencies of the training tokens: −(1/n)
    /// Σ ln((c(x) + 1)/(N + V)).
    pub unigram_nats_per_token: f64,
    /// What the source itself knows of the test text; synthetic text only.
    pub exact: Option<Exact>,
    /// Documents that two splits have.
    pub shared: SharedDocuments,
    /// What the user should know of the text, in sentences.
    pub notes: Vec<String>,
    /// The items of tasks under its tokenizer, as far as they were asked for.
    pub tasks: KeptTasks,
}

/// The synthetic source's own figures of the test split, in nats per token of the tokenizer in use
/// (`<|endoftext|>` counts as a token: the end of a document is a choice as well).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exact {
    /// −log p of this very text.
    pub nats_per_token: f64,
    /// The entropy of a document times the number of documents: what `nats_per_token` is in
    /// expectation.
    pub entropy_nats_per_token: f64,
}

/// The token stream of one split.
#[derive(Debug, Clone)]
pub struct Split {
    file: Arc<Mmap>,
    /// Where in the file the tokens lie, at a multiple of four.
    place: Range<usize>,
    /// Where each document starts; its last token is the `<|endoftext|>` before the next start.
    pub documents: Vec<u64>,
    /// Words between whitespace in the source, before detokenization.
    pub words: u64,
    /// Bytes of the text as it was tokenized, `<|endoftext|>` not counted.
    pub bytes: u64,
}

impl Split {
    /// A stream that lies in a mapped file, at a multiple of four.
    pub(super) fn mapped(
        file: &Arc<Mmap>,
        place: Range<usize>,
        documents: Vec<u64>,
        sizes: SplitSizes,
    ) -> Self {
        Self {
            file: Arc::clone(file),
            place,
            documents,
            words: sizes.words,
            bytes: sizes.bytes,
        }
    }

    /// Every token of the split, documents one after the other.
    pub fn tokens(&self) -> &[u32] {
        as_tokens(&self.file[self.place.clone()])
    }

    /// The tokens of document `index`, with its `<|endoftext|>`.
    pub fn document(&self, index: usize) -> &[u32] {
        let end = self
            .documents
            .get(index + 1)
            .map_or(self.tokens().len(), |&end| end as usize);
        &self.tokens()[self.documents[index] as usize..end]
    }
}

/// Bytes at an address that is a multiple of four, as numbers.
pub(super) fn as_tokens(bytes: &[u8]) -> &[u32] {
    bytemuck::try_cast_slice(bytes).expect("tokens lie at multiples of four bytes")
}

/// Sizes of a split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitSizes {
    pub tokens: u64,
    pub words: u64,
    pub bytes: u64,
}

#[cfg(test)]
#[path = "prepared_tests.rs"]
mod tests;
