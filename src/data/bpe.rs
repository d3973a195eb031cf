//! Training a byte-level BPE (Sennrich, Haddow and Birch, arXiv 1508.07909, over bytes as GPT-2 has it).
//!
//! The words of the training split, as GPT-2's pre-tokenisation cuts them, are counted; then the most frequent pair of neighbouring tokens is joined to a new token, again and again.
//! Among equally frequent pairs the one of the smallest ids is taken, so the result is a function of the counts alone. (The trainer of the tokenizers crate breaks some of
//! these ties by the order of a hash map that differs from process to process, and counts in 32 bits; it is the reference of the tests where no ties decide.)
//! Ids are those of GPT-2's layout: 256 bytes, merges in order, `<|endoftext|>` last.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::ops::ControlFlow;

use anyhow::{Result, anyhow, ensure};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::tokenizer::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

use super::sources::{self, Part, Piece};
use super::tokenizer::{END_OF_TEXT, Tokenizer, byte_char};
use crate::spec::run::Dataset;

/// Changes with every change of what the trainer makes of the same text.
pub const VERSION: u32 = 1;

/// The 256 bytes and `<|endoftext|>`.
const SMALLEST: usize = 257;

type Pair = (u32, u32);

/// A tokenizer of exactly `vocab_size` tokens, trained on the whole training split.
///
/// # Errors
/// A size below 257, a text that has not enough different words to reach it, and what reading the text reports.
pub fn train(dataset: &Dataset, vocab_size: usize) -> Result<Tokenizer> {
    ensure!(vocab_size >= SMALLEST, "tokenizer.vocab_size = {vocab_size} is too small: the 256 bytes and {END_OF_TEXT} take {SMALLEST}");
    ensure!(vocab_size <= 1 << 24, "tokenizer.vocab_size = {vocab_size} is too large: at most {} are allowed", 1 << 24);
    let (tokens, merges) = learn(&count(dataset)?, vocab_size - 1);
    ensure!(
        tokens.len() == vocab_size - 1,
        "tokenizer.vocab_size = {vocab_size} is more than the training split can fill: all its words give {} tokens; write at most that, or give it more text",
        tokens.len() + 1
    );
    Tokenizer::from_json(to_json(tokens, &merges))
}

/// Bytes of text that are counted at a time.
const BATCH: usize = 8 << 20;

/// How often each word, in the characters of [`byte_char`], occurs in the training split.
fn count(dataset: &Dataset) -> Result<BTreeMap<String, u64>> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    sources::visit(dataset, Part::Train, &mut |piece| {
        if let Piece::Text { text, .. } = piece {
            bytes += text.len();
            batch.push(text.to_string());
            if bytes >= BATCH {
                count_batch(&batch, &mut counts)?;
                (batch, bytes) = (Vec::new(), 0);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    count_batch(&batch, &mut counts)?;
    Ok(counts.into_iter().collect())
}

fn count_batch(texts: &[String], counts: &mut HashMap<String, u64>) -> Result<()> {
    let found: Vec<HashMap<String, u64>> = texts.par_chunks(64).map(count_words).collect::<Result<_>>()?;
    for (word, count) in found.into_iter().flatten() {
        *counts.entry(word).or_default() += count;
    }
    Ok(())
}

fn count_words(texts: &[String]) -> Result<HashMap<String, u64>> {
    let byte_level = ByteLevel::new(false, false, true);
    let mut counts = HashMap::new();
    for text in texts {
        let mut words = PreTokenizedString::from(text.as_str());
        byte_level.pre_tokenize(&mut words).map_err(|error| anyhow!("cannot cut the text into words: {error}"))?;
        for (word, ..) in words.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            match counts.get_mut(word) {
                Some(count) => *count += 1,
                None => _ = counts.insert(word.to_string(), 1),
            }
        }
    }
    Ok(counts)
}

/// A word as its tokens so far, and how often it occurs.
struct Word {
    tokens: Vec<u32>,
    count: u64,
}

/// Tokens and merges, until there are `size` tokens or no pair is left.
fn learn(counts: &BTreeMap<String, u64>, size: usize) -> (Vec<String>, Vec<Pair>) {
    let mut alphabet: Vec<char> = (0..=255).map(byte_char).collect();
    alphabet.sort_unstable();
    let mut tokens: Vec<String> = alphabet.iter().map(char::to_string).collect();
    let mut ids: HashMap<String, u32> = (0..).zip(&tokens).map(|(id, token)| (token.clone(), id)).collect();
    let letters: HashMap<char, u32> = (0..).zip(&alphabet).map(|(id, &letter)| (letter, id)).collect();
    let mut words: Vec<Word> =
        counts.iter().map(|(word, &count)| Word { tokens: word.chars().map(|c| letters[&c]).collect(), count }).collect();

    // Frequencies of the pairs, and the words that may hold them: a word stays listed when its last such pair is gone.
    let mut frequencies: HashMap<Pair, u64> = HashMap::new();
    let mut places: HashMap<Pair, Vec<usize>> = HashMap::new();
    for (index, word) in words.iter().enumerate() {
        for pair in pairs(&word.tokens) {
            *frequencies.entry(pair).or_default() += word.count;
            note(places.entry(pair).or_default(), index);
        }
    }
    // The heap may hold outdated frequencies; an entry counts only if it is the present one.
    let mut heap: BinaryHeap<(u64, Reverse<Pair>)> = frequencies.iter().map(|(&pair, &count)| (count, Reverse(pair))).collect();
    let mut merges = Vec::new();
    while tokens.len() < size
        && let Some((count, Reverse(pair))) = heap.pop()
    {
        if count == 0 || frequencies.get(&pair) != Some(&count) {
            continue;
        }
        let joined = format!("{}{}", tokens[pair.0 as usize], tokens[pair.1 as usize]);
        let new = *ids.entry(joined).or_insert_with_key(|joined| {
            tokens.push(joined.clone());
            tokens.len() as u32 - 1
        });
        merges.push(pair);
        let mut changed = Vec::new();
        for index in places.remove(&pair).unwrap_or_default() {
            let word = &mut words[index];
            let before: Vec<Pair> = pairs(&word.tokens).collect();
            if !before.contains(&pair) {
                continue;
            }
            join(&mut word.tokens, pair, new);
            for old in before {
                *frequencies.get_mut(&old).expect("counted when it arose") -= word.count;
                changed.push(old);
            }
            for now in pairs(&word.tokens) {
                *frequencies.entry(now).or_default() += word.count;
                note(places.entry(now).or_default(), index);
                changed.push(now);
            }
        }
        changed.sort_unstable();
        changed.dedup();
        heap.extend(changed.into_iter().map(|pair| (frequencies[&pair], Reverse(pair))));
    }
    (tokens, merges)
}

fn pairs(tokens: &[u32]) -> impl Iterator<Item = Pair> {
    tokens.windows(2).map(|pair| (pair[0], pair[1]))
}

/// Lists a word once for a run of notes of it.
fn note(places: &mut Vec<usize>, index: usize) {
    if places.last() != Some(&index) {
        places.push(index);
    }
}

/// Replaces the pair by its token, from the left.
fn join(tokens: &mut Vec<u32>, pair: Pair, new: u32) {
    let (mut read, mut write) = (0, 0);
    while read < tokens.len() {
        let is_pair = read + 1 < tokens.len() && (tokens[read], tokens[read + 1]) == pair;
        tokens[write] = if is_pair { new } else { tokens[read] };
        read += if is_pair { 2 } else { 1 };
        write += 1;
    }
    tokens.truncate(write);
}

fn to_json(tokens: Vec<String>, merges: &[Pair]) -> String {
    let merges: Vec<String> = merges.iter().map(|&(a, b)| format!("{} {}", tokens[a as usize], tokens[b as usize])).collect();
    let end = tokens.len();
    let mut vocabulary: Map<String, Value> = tokens.into_iter().zip(0u32..).map(|(token, id)| (token, json!(id))).collect();
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
    use tokenizers::models::bpe::{BPE, BpeTrainer};
    use tokenizers::tokenizer::{Model, Trainer};

    use super::*;

    fn counts(words: &[(&str, u64)]) -> BTreeMap<String, u64> {
        words.iter().map(|(word, count)| (word.to_string(), *count)).collect()
    }

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
    fn the_most_frequent_pair_is_joined_first_and_ties_go_to_the_smallest_ids() {
        let (tokens, merges) = learn(&counts(&[("abab", 3), ("bc", 6), ("cd", 6)]), 259);
        let named: Vec<String> = merges.iter().map(|&(a, b)| format!("{}+{}", tokens[a as usize], tokens[b as usize])).collect();
        // ab, bc and cd occur six times each.
        assert_eq!(named, ["a+b", "b+c", "c+d"]);
        assert_eq!(&tokens[256..], ["ab", "bc", "cd"]);
    }

    #[test]
    fn runs_of_one_letter_are_joined_from_the_left() {
        let (tokens, _) = learn(&counts(&[("aaaaa", 10)]), 300);
        assert_eq!(&tokens[256..], ["aa", "aaa", "aaaaa"], "aa+a and aa+aa are as frequent");
        let mut word = vec![1, 1, 1, 2, 1, 1];
        join(&mut word, (1, 1), 9);
        assert_eq!(word, [9, 1, 2, 9]);
    }

    #[test]
    fn the_merges_are_those_of_the_tokenizers_crate_where_no_ties_decide() {
        // Frequencies are powers of two, so that different pairs hardly ever meet.
        let words = ["Ġthe", "Ġthen", "Ġother", "Ġhen", "Ġtent", "Ġrent", "Ġtorrent", "Ġno", "Ġnorth", "Ġmother"];
        let counts: BTreeMap<String, u64> = words.iter().enumerate().map(|(i, word)| (word.to_string(), 1 << (2 * i))).collect();
        let (tokens, _) = learn(&counts, 290);
        let mut trainer =
            BpeTrainer::builder().vocab_size(290).show_progress(false).initial_alphabet((0..=255).map(byte_char).collect()).build();
        let repeated = counts.iter().map(|(word, count)| (word.clone(), *count)).collect::<Vec<_>>();
        trainer
            .feed(repeated.iter().map(|(word, count)| format!("{word} {count}")), |line| {
                let (word, count) = line.split_once(' ').expect("written above");
                Ok(vec![word.to_string(); count.parse::<usize>().expect("written above")])
            })
            .unwrap();
        let mut model = BPE::default();
        trainer.train(&mut model).unwrap();
        let theirs: Vec<String> = (0..tokens.len() as u32).map(|id| model.id_to_token(id).unwrap()).collect();
        assert_eq!(tokens, theirs);
    }

    #[test]
    fn a_trained_tokenizer_has_the_size_asked_for_and_gives_text_back() {
        let folder = tempfile::tempdir().unwrap();
        let content = "the quick brown fox jumps over the lazy dog; the dog's fox quickly jumped over it.\nWhat a strange sight that was, said every sleepy neighbour afterwards.\n".repeat(50);
        let tokenizer = train(&text(folder.path(), &content), 300).unwrap();
        assert_eq!((tokenizer.vocabulary(), tokenizer.end_of_text()), (300, 299));
        let tokens = tokenizer.encode(&content).unwrap();
        assert_eq!(tokenizer.decode(&tokens), content);
        assert!(tokens.len() < content.len() / 2, "{} of {}", tokens.len(), content.len());
        assert_eq!(tokenizer.encode(" the").unwrap().len(), 1);
    }

    #[test]
    fn sizes_that_cannot_be_are_errors_with_the_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = text(folder.path(), "few words");
        let error = |size| train(&dataset, size).unwrap_err().to_string();
        assert!(error(256).starts_with("tokenizer.vocab_size = 256 is too small: the 256 bytes and <|endoftext|> take 257"));
        assert!(error(1000).contains("all its words give 264 tokens"), "{}", error(1000));
        assert_eq!(train(&dataset, 257).unwrap().vocabulary(), 257);
    }
}
