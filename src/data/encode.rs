//! From documents to the token streams of a cache file.
//!
//! Pieces are gathered into batches, a batch is tokenized in parallel and written in order: the
//! stream does not depend on the number of threads, and memory not on the corpus.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use super::Exact;
use super::cache::{SplitFacts, Summary, Writer};
use super::grammar;
use super::sources::{self, Part, Piece, ReadLimit, count_words};
use super::tokenizer::Tokenizer;
use crate::files;
use crate::hub::Hub;
use crate::plan::run::DatasetSpec;

/// Bytes of text that are tokenized at a time.
const BATCH: usize = 4 << 20;
/// Bytes of text after which progress is told again.
const TELL_EVERY: usize = 64 << 20;

/// Tokenizes the three splits and publishes the cache file `path`. `unchanged` is asked when
/// everything is read.
///
/// # Errors
/// What reading the documents and writing the file report; splits that are empty; what `unchanged`
/// says.
pub fn build(
    dataset: &DatasetSpec,
    hub: &Hub,
    tokenizer: &Tokenizer,
    key: &str,
    path: &Path,
    unchanged: &dyn Fn() -> Result<()>,
    progress: &dyn Fn(&str),
) -> Result<()> {
    files::write_by(path, &mut |file| {
        let mut writer = Writer::new(file)?;
        let mut split =
            |part, reach| split(dataset, hub, part, reach, tokenizer, &mut writer, progress);
        let (train, train_counts) = split(Part::Train, None)?;
        let is_cut = train_tokens(dataset).is_some_and(|wanted| wanted == train.facts.tokens);
        let reach = is_cut.then_some(train.documents.len() as u64);
        let (validation, _) = split(Part::Validation, reach)?;
        let (test, test_counts) = split(Part::Test, reach)?;
        let exact = test
            .log_probability
            .filter(|_| matches!(dataset, DatasetSpec::Synthetic { .. }))
            .map(|log_probability| {
                let tokens = test.facts.tokens as f64;
                Exact {
                    nats_per_token: -log_probability / tokens,
                    entropy_nats_per_token: grammar::entropy() * test.documents.len() as f64
                        / tokens,
                }
            });
        let summary = Summary {
            key: key.to_string(),
            tokenizer: tokenizer.json().to_string(),
            splits: [train.facts, validation.facts, test.facts],
            unigram_nats_per_token: unigram(&train_counts, &test_counts),
            exact,
        };
        unchanged()?;
        writer.finish(
            &[train.documents, validation.documents, test.documents],
            &summary,
        )
    })
}

/// NLL per token of the test counts under the add-one frequencies of the training counts.
fn unigram(train: &[u64], test: &[u64]) -> f64 {
    let total = (train.iter().sum::<u64>() + train.len() as u64) as f64;
    let nats: f64 = train
        .iter()
        .zip(test)
        .map(|(&seen, &count)| count as f64 * (total / (seen + 1) as f64).ln())
        .sum();
    nats / test.iter().sum::<u64>() as f64
}

fn train_tokens(dataset: &DatasetSpec) -> Option<u64> {
    match dataset {
        DatasetSpec::Synthetic { train_tokens, .. }
        | DatasetSpec::Text { train_tokens, .. }
        | DatasetSpec::Parquet { train_tokens, .. }
        | DatasetSpec::Hub { train_tokens, .. } => *train_tokens,
    }
}

/// What is known of a split when its stream is written.
struct WrittenSplit {
    facts: SplitFacts,
    /// Where each document starts in the split's stream.
    documents: Vec<u64>,
    /// Sum over the documents, where the source knows it.
    log_probability: Option<f64>,
}

/// A piece that waits to be tokenized, or several that an added token holds together.
struct Waiting {
    text: String,
    words: u64,
    begins: bool,
    ends: bool,
}

fn split(
    dataset: &DatasetSpec,
    hub: &Hub,
    part: Part,
    reach: ReadLimit,
    tokenizer: &Tokenizer,
    writer: &mut Writer,
    progress: &dyn Fn(&str),
) -> Result<(WrittenSplit, Vec<u64>)> {
    let limit = if part == Part::Train {
        train_tokens(dataset).unwrap_or(u64::MAX)
    } else {
        u64::MAX
    };
    let facts = SplitFacts {
        tokens: 0,
        words: 0,
        bytes: 0,
    };
    let written = WrittenSplit {
        facts,
        documents: Vec::new(),
        log_probability: None,
    };
    let mut stream = SplitStream {
        tokenizer,
        writer,
        limit,
        written,
        counts: vec![0; tokenizer.vocabulary()],
    };
    progress(&format!("tokenizing the {} split", part.name()));
    let (mut batch, mut begins) = (Vec::<Waiting>::new(), true);
    let (mut bytes, mut total, mut told) = (0, 0, 0);
    sources::visit(dataset, hub, part, reach, &mut |piece| {
        match piece {
            Piece::Text { text, words } => {
                bytes += text.len();
                match batch.last_mut() {
                    Some(last) if !begins && !tokenizer.may_cut(&last.text, text) => {
                        last.text.push_str(text);
                        last.words += words;
                    }
                    _ => batch.push(Waiting {
                        text: text.to_string(),
                        words,
                        begins,
                        ends: false,
                    }),
                }
                begins = false;
            }
            Piece::End { log_probability } => {
                // Its last piece is still here: none that does not end goes before the next is
                // seen.
                if let Some(last) = batch.last_mut() {
                    last.ends = true;
                }
                begins = true;
                if let Some(log_probability) = log_probability {
                    *stream.written.log_probability.get_or_insert(0.0) += log_probability;
                }
            }
        }
        // Where few tokens are left to find, little is read ahead: the next file may have to be
        // fetched.
        if bytes >= BATCH || bytes as f64 >= stream.bytes_left() {
            // The last piece waits for what may belong to it.
            let last = batch.pop_if(|last| !last.ends);
            let kept = last.as_ref().map_or(0, |last| last.text.len());
            total += bytes - kept;
            bytes = kept;
            if total >= (told + TELL_EVERY) {
                told = total;
                progress(&format!(
                    "tokenizing the {} split: {} MB",
                    part.name(),
                    total / 1_000_000
                ));
            }
            let whole = std::mem::replace(&mut batch, last.into_iter().collect());
            return stream.append(whole);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let _: ControlFlow<()> = stream.append(batch)?;
    Ok((stream.written, stream.counts))
}

/// The stream of one split as it grows.
struct SplitStream<'a, 'f> {
    tokenizer: &'a Tokenizer,
    writer: &'a mut Writer<'f>,
    limit: u64,
    written: WrittenSplit,
    counts: Vec<u64>,
}

impl SplitStream<'_, '_> {
    /// Tokens that are still wanted.
    fn left(&self) -> u64 {
        self.limit - self.written.facts.tokens
    }

    /// Bytes of text that these will take, going by what the tokens so far took; at first one each,
    /// which is the least.
    fn bytes_left(&self) -> f64 {
        let SplitFacts { tokens, bytes, .. } = self.written.facts;
        let bytes_per_token = if tokens == 0 {
            1.0
        } else {
            bytes as f64 / tokens as f64
        };
        self.left() as f64 * bytes_per_token
    }

    fn append(&mut self, batch: Vec<Waiting>) -> Result<ControlFlow<()>> {
        let encoded: Vec<Vec<u32>> = batch
            .par_iter()
            .map(|waiting| self.tokenizer.encode(&waiting.text))
            .collect::<Result<_>>()?;
        for (waiting, mut tokens) in batch.into_iter().zip(encoded) {
            let left = usize::try_from(self.left()).unwrap_or(usize::MAX);
            if left == 0 {
                return Ok(ControlFlow::Break(()));
            }
            if waiting.begins {
                self.written.documents.push(self.written.facts.tokens);
            }
            if tokens.len() > left {
                tokens.truncate(left);
                let kept = self.tokenizer.decode_bytes(&tokens);
                self.written.facts.words += count_words(&String::from_utf8_lossy(&kept));
                self.written.facts.bytes += kept.len() as u64;
            } else {
                self.written.facts.words += waiting.words;
                self.written.facts.bytes += waiting.text.len() as u64;
                if waiting.ends && tokens.len() < left {
                    tokens.push(self.tokenizer.end_of_text());
                }
            }
            tokens
                .iter()
                .for_each(|&token| self.counts[token as usize] += 1);
            self.written.facts.tokens += tokens.len() as u64;
            self.writer.push(&tokens)?;
        }
        Ok(if self.left() == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
