//! Training a byte-level BPE (Sennrich, Haddow and Birch, arXiv 1508.07909, over bytes as GPT-2 has
//! it) with the trainer of the tokenizers crate.
//!
//! Ids are those of GPT-2's layout: 256 bytes, merges in order, `<|endoftext|>` last. The same text
//! gives the same tokenizer.

use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Map, Value, json};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::tokenizer::{
    Model, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Trainer,
};

use super::codec::Tokenizer;
use super::pairs::{PairCounts, TRAINERS_LIMIT};
use super::vocabulary::{END_OF_TEXT, byte_char};
use crate::data::source::Dataset;
use crate::data::source::document::{Part, Piece};
use crate::plan::InputFault;

/// Changes with every change of what training makes of the same text.
pub const VERSION: u32 = 1;

/// The version of the tokenizers crate, which trains: its regular expressions bring a table of
/// Unicode, and another table makes other words of some texts. A test holds it against Cargo.lock.
pub const CRATE: &str = "0.22.2";

/// The version that stands for itself in every key: keys name another.
pub const UNNAMED_CRATE: &str = "0.22.2";

/// The 256 bytes and `<|endoftext|>`.
const SMALLEST: usize = 257;

/// Pieces of text that wait to be counted: memory stays flat in the size of the corpus.
const WAITING: usize = 256;

/// A tokenizer of exactly `vocab_size` tokens, trained on the whole training split.
///
/// # Errors
/// A size below 257, a text that has not enough different words to reach it, and what reading the
/// text reports.
pub fn train(dataset: &Dataset, vocab_size: usize) -> Result<Tokenizer> {
    ensure!(
        vocab_size >= SMALLEST,
        "tokenizer.vocab_size = {vocab_size} is too small: the 256 bytes and {END_OF_TEXT} take \
         {SMALLEST}"
    );
    ensure!(
        vocab_size <= 1 << 24,
        "tokenizer.vocab_size = {vocab_size} is too large: at most {} are allowed",
        1 << 24
    );
    dataset.room_for_all(Part::Train)?;
    let alphabet = (0..=255).map(byte_char).collect();
    let mut trainer = BpeTrainer::builder()
        .vocab_size(vocab_size - 1)
        .min_frequency(1)
        .show_progress(false)
        .initial_alphabet(alphabet)
        .build();
    count(dataset, &mut trainer)?;
    let mut model = BPE::default();
    trainer
        .train(&mut model)
        .map_err(|error| anyhow!("the tokenizer could not be trained: {error}"))?;
    let found = model.get_vocab_size();
    if found != vocab_size - 1 {
        let message = format!(
            "tokenizer.vocab_size = {vocab_size} is more than the training split can fill: all \
             its words give {} tokens",
            found + 1
        );
        let hint = "write at most that, or give it more text";
        return Err(InputFault::of_key("tokenizer.vocab_size", message, hint).into());
    }
    let tokens = (0..found as u32)
        .map(|id| model.id_to_token(id).context("ids without gaps"))
        .collect::<Result<Vec<String>>>()?;
    let merges = serde_json::to_value(&model).context("a model is plain data")?["merges"].take();
    Tokenizer::from_json(to_json(tokens, &merges))
}

/// Has the trainer count the words of the training split, as GPT-2's pre-tokenisation cuts them.
/// The text is read on one thread and counted on all.
fn count(dataset: &Dataset, trainer: &mut BpeTrainer) -> Result<()> {
    let (sender, receiver) = sync_channel::<String>(WAITING);
    // A pool of the reader's own: the trainer's threads wait for it, so it must not wait for them.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(rayon::current_num_threads())
        .build()
        .context("no threads to read with")?;
    let words = |text: &str| {
        let mut words = PreTokenizedString::from(text);
        ByteLevel::new(false, false, true).pre_tokenize(&mut words)?;
        Ok(words
            .get_splits(OffsetReferential::Normalized, OffsetType::None)
            .into_iter()
            .map(|(word, ..)| word.to_owned())
            .collect())
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut pairs = PairCounts::new(TRAINERS_LIMIT);
            let mut send = |piece: Piece| {
                if let Piece::Text { text, .. } = piece {
                    pairs.add(text);
                    if sender.send(text.to_owned()).is_err() {
                        // The trainer failed; what it says is the error.
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            };
            pool.install(|| dataset.visit(Part::Train, None, END_OF_TEXT, &mut send))?;
            pairs.check()
        });
        let counted = trainer.feed(receiver.into_iter(), words);
        let read = reader
            .join()
            .map_err(|_| anyhow!("reading the training split panicked"))?;
        counted.map_err(|error| anyhow!("cannot cut the text into words: {error}"))?;
        read
    })
}

/// tokenizer.json of a byte-level BPE with `<|endoftext|>` as its last token.
fn to_json(tokens: Vec<String>, merges: &Value) -> String {
    let end = tokens.len();
    let mut vocabulary: Map<String, Value> = tokens
        .into_iter()
        .zip(0u32..)
        .map(|(token, id)| (token, json!(id)))
        .collect();
    vocabulary.insert(END_OF_TEXT.to_string(), json!(end));
    let byte_level = json!({
        "type": "ByteLevel",
        "add_prefix_space": false,
        "trim_offsets": true,
        "use_regex": true,
    });
    let end_of_text = json!({
        "id": end,
        "content": END_OF_TEXT,
        "single_word": false,
        "lstrip": false,
        "rstrip": false,
        "normalized": false,
        "special": true,
    });
    let content = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [end_of_text],
        "normalizer": null,
        "pre_tokenizer": byte_level,
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": false,
            "vocab": vocabulary,
            "merges": merges,
        },
    });
    format!("{content:#}\n")
}

#[cfg(test)]
#[path = "bpe_tests.rs"]
mod tests;
