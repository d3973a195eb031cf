//! From documents to the token streams of a cache file.
//!
//! Pieces are gathered into batches, a batch is tokenized in parallel and written in order: the
//! stream does not depend on the number of threads, and memory not on the corpus.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Result, bail};
use rayon::prelude::*;

use super::cache::{Summary, Writer};
use super::overlap::{SharedDocuments, SplitDocuments, shared_documents};
use super::piece_batch::{BATCH, PieceBatch, WaitingPiece};
use super::prepared::{Exact, SplitSizes};
use super::source::Dataset;
use super::source::document::{Part, Piece, ReadLimit, count_words};
use super::tokenizer::Tokenizer;
use crate::files;

/// Bytes of text after which progress is told again.
const TELL_EVERY: usize = 64 << 20;

/// Tokenizes the three splits and publishes the cache file `path`, unless the dataset changed while
/// it was read.
///
/// # Errors
/// What reading the documents and writing the file report; splits that are empty; inputs that
/// changed.
pub fn build(
    dataset: &Dataset,
    tokenizer: &Tokenizer,
    key: &str,
    path: &Path,
    progress: &dyn Fn(&str),
) -> Result<()> {
    // What is wrong with the text is no fault of the file that was to hold it.
    let mut text_fault = None;
    let written = files::write_by(path, &mut |file| {
        let mut writer = Writer::new(file)?;
        let streams = write_streams(dataset, tokenizer, &mut writer, progress);
        let [train, validation, test] = match streams {
            Ok(streams) => streams,
            Err(error) => {
                text_fault = Some(error);
                bail!("the text could not be read");
            }
        };
        let summary = Summary {
            key: key.to_string(),
            tokenizer: tokenizer.json().to_string(),
            splits: [train.sizes, validation.sizes, test.sizes],
            unigram_nats_per_token: unigram(&train.token_counts, &test.token_counts),
            exact: exact(dataset, &test),
            shared: shared([&train, &validation, &test], tokenizer, &mut writer)?,
        };
        writer.finish(
            &[train.documents, validation.documents, test.documents],
            &summary,
        )
    });
    match text_fault {
        Some(error) => Err(error),
        None => written,
    }
}

/// The streams of the three splits, one after the other.
fn write_streams(
    dataset: &Dataset,
    tokenizer: &Tokenizer,
    writer: &mut Writer,
    progress: &dyn Fn(&str),
) -> Result<[WrittenSplit; 3]> {
    let mut split = |part, reach| split(dataset, part, reach, tokenizer, writer, progress);
    let train = split(Part::Train, None)?;
    let is_cut = dataset.train_tokens() == Some(train.sizes.tokens);
    let reach = is_cut.then_some(train.documents.len() as u64);
    let validation = split(Part::Validation, reach)?;
    let test = split(Part::Test, reach)?;
    dataset.ensure_unchanged()?;
    Ok([train, validation, test])
}

fn shared(
    splits: [&WrittenSplit; 3],
    tokenizer: &Tokenizer,
    writer: &mut Writer,
) -> Result<SharedDocuments> {
    let written = writer.written()?;
    let mut rest = written.tokens();
    let documents = splits.map(|split| {
        let (tokens, after) = rest.split_at(split.sizes.tokens as usize);
        rest = after;
        SplitDocuments {
            tokens,
            starts: &split.documents,
        }
    });
    Ok(shared_documents(
        documents,
        tokenizer.document_end()?,
        &|tokens| tokenizer.decode_bytes(tokens),
    ))
}

/// The source's own figures of the test split, where it knows them.
fn exact(dataset: &Dataset, test: &WrittenSplit) -> Option<Exact> {
    let (log_probability, entropy) = test.log_probability.zip(dataset.document_entropy())?;
    let tokens = test.sizes.tokens as f64;
    Some(Exact {
        nats_per_token: -log_probability / tokens,
        entropy_nats_per_token: entropy * test.documents.len() as f64 / tokens,
    })
}

/// NLL per token of the test counts under the add-one frequencies of the training counts: the
/// reference that every model should beat.
fn unigram(train: &[u64], test: &[u64]) -> f64 {
    let total = (train.iter().sum::<u64>() + train.len() as u64) as f64;
    let nats: f64 = train
        .iter()
        .zip(test)
        .map(|(&seen, &count)| count as f64 * (total / (seen + 1) as f64).ln())
        .sum();
    nats / test.iter().sum::<u64>() as f64
}

/// What is known of a split when its stream is written.
struct WrittenSplit {
    sizes: SplitSizes,
    /// Where each document starts in the split's stream.
    documents: Vec<u64>,
    /// Sum over the documents, where the source knows it.
    log_probability: Option<f64>,
    /// How often each token occurs.
    token_counts: Vec<u64>,
}

fn split(
    dataset: &Dataset,
    part: Part,
    reach: ReadLimit,
    tokenizer: &Tokenizer,
    writer: &mut Writer,
    progress: &dyn Fn(&str),
) -> Result<WrittenSplit> {
    let limit = part.of(dataset.train_tokens(), None, None);
    let mut stream = SplitStream::new(tokenizer, writer, limit);
    progress(&format!("tokenizing the {} split", part.name()));
    let mut batch = PieceBatch::default();
    let (mut read_bytes, mut told_bytes) = (0, 0);
    dataset.visit(part, reach, &tokenizer.separator(), &mut |piece| {
        match piece {
            Piece::Text { text, words } => batch.add(text, words, tokenizer),
            Piece::End { log_probability } => {
                batch.end_document();
                stream.add_log_probability(log_probability);
            }
        }
        // Where few tokens are left to find, little is read ahead: the next file may have to be
        // fetched.
        let is_enough = batch.bytes() >= BATCH || batch.bytes() as f64 >= stream.bytes_left();
        if !is_enough {
            return Ok(ControlFlow::Continue(()));
        }
        let before = batch.bytes();
        let complete = batch.take();
        read_bytes += before - batch.bytes();
        if read_bytes >= told_bytes + TELL_EVERY {
            told_bytes = read_bytes;
            progress(&format!(
                "tokenizing the {} split: {} MB",
                part.name(),
                read_bytes / 1_000_000
            ));
        }
        stream.append(complete)
    })?;
    let _: ControlFlow<()> = stream.append(batch.finish())?;
    Ok(stream.written)
}

/// The stream of one split as it grows.
struct SplitStream<'a, 'f> {
    tokenizer: &'a Tokenizer,
    writer: &'a mut Writer<'f>,
    limit: u64,
    written: WrittenSplit,
}

impl<'a, 'f> SplitStream<'a, 'f> {
    /// An empty stream of at most `limit` tokens.
    fn new(tokenizer: &'a Tokenizer, writer: &'a mut Writer<'f>, limit: Option<u64>) -> Self {
        Self {
            tokenizer,
            writer,
            limit: limit.unwrap_or(u64::MAX),
            written: WrittenSplit {
                sizes: SplitSizes::default(),
                documents: Vec::new(),
                log_probability: None,
                token_counts: vec![0; tokenizer.vocabulary()],
            },
        }
    }

    fn add_log_probability(&mut self, of_document: Option<f64>) {
        if let Some(log_probability) = of_document {
            *self.written.log_probability.get_or_insert(0.0) += log_probability;
        }
    }

    /// Tokens that are still wanted.
    fn tokens_left(&self) -> u64 {
        self.limit - self.written.sizes.tokens
    }

    /// Bytes of text that these will take, going by what the tokens so far took; at first one each,
    /// which is the least.
    fn bytes_left(&self) -> f64 {
        let SplitSizes { tokens, bytes, .. } = self.written.sizes;
        let bytes_per_token = if tokens == 0 {
            1.0
        } else {
            bytes as f64 / tokens as f64
        };
        self.tokens_left() as f64 * bytes_per_token
    }

    fn append(&mut self, batch: Vec<WaitingPiece>) -> Result<ControlFlow<()>> {
        let encoded: Vec<Vec<u32>> = batch
            .par_iter()
            .map(|piece| self.tokenizer.encode(&piece.text))
            .collect::<Result<_>>()?;
        for (piece, tokens) in batch.into_iter().zip(encoded) {
            if self.tokens_left() == 0 {
                return Ok(ControlFlow::Break(()));
            }
            self.append_piece(&piece, tokens)?;
        }
        Ok(if self.tokens_left() == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// Adds the tokens of a piece, as many as are still wanted, and the end of its document.
    fn append_piece(&mut self, piece: &WaitingPiece, mut tokens: Vec<u32>) -> Result<()> {
        let left = usize::try_from(self.tokens_left()).unwrap_or(usize::MAX);
        let written = &mut self.written;
        if piece.begins {
            written.documents.push(written.sizes.tokens);
        }
        if tokens.len() > left {
            tokens.truncate(left);
            let kept = self.tokenizer.decode_bytes(&tokens);
            written.sizes.words += count_words(&String::from_utf8_lossy(&kept));
            written.sizes.bytes += kept.len() as u64;
        } else {
            written.sizes.words += piece.words;
            written.sizes.bytes += piece.text.len() as u64;
            if piece.ends && tokens.len() < left {
                tokens.push(self.tokenizer.document_end()?);
            }
        }
        for &token in &tokens {
            written.token_counts[token as usize] += 1;
        }
        written.sizes.tokens += tokens.len() as u64;
        self.writer.push(&tokens)
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
