//! From a dataset to streams of tokens, and from streams to batches.
//!
//! [`prepare`] is the way in. It reads the documents of the three splits ([`sources`]; the embedded
//! source is [`grammar`], those of the hub are found by [`shards`] and cut by [`shares`]), trains
//! or loads the [`tokenizer`], encodes every document followed by `<|endoftext|>` ([`encode`]) and
//! keeps the streams in one memory-mapped file ([`cache`]) named by the content of both
//! ([`fingerprint`]), so that a second start reads no text. [`batches`] says which tokens a
//! training step reads; [`single`] tokenizes one file for itself. Memory stays flat in the size of
//! the corpus; the bytes are the same for any number of threads. This module does not know that
//! there are models.

pub mod archive;
pub mod batches;
pub mod bpe;
pub mod cache;
pub mod detokenize;
pub mod encode;
pub mod fingerprint;
pub mod grammar;
pub mod parquet;
pub mod shards;
pub mod shares;
pub mod single;
pub mod sources;
pub mod text;
pub mod tokenizer;
mod tokenizer_files;
pub mod utf8;

use std::path::Path;

use anyhow::{Context, Result, ensure};

pub use batches::{Batch, Order, batch};
pub use cache::Split;
pub use fingerprint::{dataset_fingerprint, tokenizer_fingerprint};
pub use single::{Single, single};
pub use tokenizer::Tokenizer;
pub use utf8::Utf8Stream;

use crate::files;
use crate::hub::{Hub, Repo};
use crate::plan::run::{self, DatasetSpec};

/// What training and evaluation need of a dataset under a tokenizer.
#[derive(Debug)]
pub struct Prepared {
    /// Rows of the embedding: the tokenizer's ids are 0 … `vocabulary` − 1.
    pub vocabulary: usize,
    /// The id of `<|endoftext|>`.
    pub end_of_text: u32,
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

/// The token streams of a dataset: read from the folder `cache`, or built and left there.
///
/// `progress` is told in plain lines what takes time, and when a broken cache file was set aside.
///
/// # Errors
/// Missing, empty or broken inputs, each named with what to do about it.
pub fn prepare(
    dataset: &DatasetSpec,
    tokenizer: &run::TokenizerSpec,
    hub: &Hub,
    cache: &Path,
    progress: &dyn Fn(&str),
) -> Result<Prepared> {
    let fingerprint = dataset_fingerprint(dataset, hub)?;
    let key = fingerprint::streams_key(&fingerprint, &tokenizer_fingerprint(tokenizer, hub)?);
    let path = cache.join(format!("{key}.{}", cache::EXTENSION));
    match cache::open(&path, &key) {
        Ok(Some(prepared)) => return Ok(prepared),
        Ok(None) => {}
        Err(reason) => {
            let bad = files::set_aside(&path, &format!("{reason:#}"))?;
            progress(&format!(
                "{} is broken ({reason:#}); it is set aside as {} and built again",
                path.display(),
                bad.display()
            ));
        }
    }
    let tokenizer = match tokenizer {
        run::TokenizerSpec::Train { vocab_size } => {
            progress(&format!("training a tokenizer of {vocab_size} tokens"));
            bpe::train(dataset, hub, *vocab_size)?
        }
        run::TokenizerSpec::Dir { path } => Tokenizer::open(&path.resolve())?,
        run::TokenizerSpec::Hub { repo, revision } => {
            Tokenizer::open(&hub.tokenizer(&Repo::model(repo, revision))?.folder)?
        }
    };
    // The key was taken from the files as they were before they were read.
    let unchanged = || {
        let now = dataset_fingerprint(dataset, hub)?;
        ensure!(
            now == fingerprint,
            "the dataset's files changed while they were read; run again when they are complete"
        );
        Ok(())
    };
    encode::build(dataset, hub, &tokenizer, &key, &path, &unchanged, progress)?;
    cache::open(&path, &key)?
        .with_context(|| format!("{} vanished as soon as it was written", path.display()))
}

#[cfg(test)]
mod tests;
