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

use super::sources::{self, Part, Piece};
use super::tokenizer::{END_OF_TEXT, Tokenizer, byte_char};
use crate::hub::Hub;
use crate::spec::run::Dataset;

/// Changes with every change of what training makes of the same text.
pub const VERSION: u32 = 1;

/// The 256 bytes and `<|endoftext|>`.
const SMALLEST: usize = 257;

/// Pieces of text that wait to be counted: memory stays flat in the size of the corpus.
const WAITING: usize = 256;

/// A tokenizer of exactly `vocab_size` tokens, trained on the whole training split.
///
/// # Errors
/// A size below 257, a text that has not enough different words to reach it, and what reading the
/// text reports.
pub fn train(dataset: &Dataset, hub: &Hub, vocab_size: usize) -> Result<Tokenizer> {
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
    let alphabet = (0..=255).map(byte_char).collect();
    let mut trainer = BpeTrainer::builder()
        .vocab_size(vocab_size - 1)
        .min_frequency(1)
        .show_progress(false)
        .initial_alphabet(alphabet)
        .build();
    count(dataset, hub, &mut trainer)?;
    let mut model = BPE::default();
    trainer
        .train(&mut model)
        .map_err(|error| anyhow!("the tokenizer could not be trained: {error}"))?;
    let found = model.get_vocab_size();
    ensure!(
        found == vocab_size - 1,
        "tokenizer.vocab_size = {vocab_size} is more than the training split can fill: all its \
         words give {} tokens; write at most that, or give it more text",
        found + 1
    );
    let tokens = (0..found as u32)
        .map(|id| model.id_to_token(id).context("ids without gaps"))
        .collect::<Result<Vec<String>>>()?;
    let merges = serde_json::to_value(&model).context("a model is plain data")?["merges"].take();
    Tokenizer::from_json(to_json(tokens, &merges))
}

/// Has the trainer count the words of the training split, as GPT-2's pre-tokenisation cuts them.
/// The text is read on one thread and counted on all.
fn count(dataset: &Dataset, hub: &Hub, trainer: &mut BpeTrainer) -> Result<()> {
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
            let mut send = |piece: Piece| {
                if let Piece::Text { text, .. } = piece
                    && sender.send(text.to_owned()).is_err()
                {
                    // The trainer failed; what it says is the error.
                    return Ok(ControlFlow::Break(()));
                }
                Ok(ControlFlow::Continue(()))
            };
            pool.install(move || sources::visit(dataset, hub, Part::Train, None, &mut send))
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
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let content = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [
            {"id": end, "content": END_OF_TEXT, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}
        ],
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
mod tests {
    use super::super::tests::no_hub;
    use super::*;

    fn text(folder: &std::path::Path, content: &str) -> Dataset {
        std::fs::write(folder.join("text"), content).unwrap();
        let paths = || vec![crate::spec::path::InputPath::new("text", folder)];
        Dataset::Text {
            train: paths(),
            validation: paths(),
            test: paths(),
            detokenize: crate::spec::run::Detokenize::None,
            train_tokens: None,
        }
    }

    #[test]
    fn the_most_frequent_pair_is_joined_first() {
        let folder = tempfile::tempdir().unwrap();
        let content = format!("{}{}{}", "ab".repeat(9), " cd".repeat(5), " e");
        let json: Value = serde_json::from_str(
            train(&text(folder.path(), &content), &no_hub(), 258)
                .unwrap()
                .json(),
        )
        .unwrap();
        assert_eq!(json["model"]["merges"].as_array().unwrap().len(), 1);
        assert_eq!(json["model"]["vocab"]["ab"], 256);
        assert_eq!(json["model"]["vocab"][END_OF_TEXT], 257);
    }

    #[test]
    fn training_repeats_itself_whatever_the_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        let content: String = (0..400)
            .map(|i| {
                format!(
                    "{} the {} of words number {i}. ",
                    ["one", "two"][i % 2],
                    ["cat", "dog", "bird"][i % 3]
                )
            })
            .collect();
        let dataset = text(folder.path(), &content);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| train(&dataset, &no_hub(), 300).unwrap().json().to_owned())
        };
        assert!(on(1) == on(1) && on(1) == on(2) && on(1) == on(3));
    }

    #[test]
    fn a_trained_tokenizer_has_the_size_asked_for_and_gives_text_back() {
        let folder = tempfile::tempdir().unwrap();
        let content = "the quick brown fox jumps over the lazy dog; the dog's fox quickly jumped \
                       over it.\n"
            .repeat(50);
        let tokenizer = train(&text(folder.path(), &content), &no_hub(), 290).unwrap();
        assert_eq!(
            (tokenizer.vocabulary(), tokenizer.end_of_text()),
            (290, 289)
        );
        let tokens = tokenizer.encode(&content).unwrap();
        assert_eq!(tokenizer.decode(&tokens), content);
        assert!(
            tokens.len() < content.len() / 2,
            "{} of {}",
            tokens.len(),
            content.len()
        );
        assert_eq!(tokenizer.encode(" the").unwrap().len(), 1);
    }

    #[test]
    fn sizes_that_cannot_be_are_errors_with_the_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = text(folder.path(), "few words");
        let error = |size| train(&dataset, &no_hub(), size).unwrap_err().to_string();
        assert!(error(256).starts_with(
            "tokenizer.vocab_size = 256 is too small: the 256 bytes and <|endoftext|> take 257"
        ));
        assert!(
            error(1000).contains("all its words give 26"),
            "{}",
            error(1000)
        );
        assert_eq!(train(&dataset, &no_hub(), 257).unwrap().vocabulary(), 257);
    }
}
