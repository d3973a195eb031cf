//! Writing a story: every choice is drawn, leftmost first.

use super::orthography::Orthography;
use super::rules::options;
use super::story::{Story, size, word_at};
use super::symbols::{Alternatives, Symbol};
use super::{harmonic, ln_option, ln_rank};
use crate::random::{Purpose, Seed, Stream};

/// A story and the natural logarithm of its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub text: String,
    pub log_probability: f64,
}

/// Document `index` of the split `split` under `seed`: always the same, whatever was generated
/// before.
pub fn generate(seed: u64, split: &str, index: u64) -> Document {
    generate_told(seed, split, index, &mut |_| {})
}

/// A word that is about to be written.
pub(super) struct NextWord<'a> {
    pub symbol: Symbol,
    pub word: &'static str,
    /// What is settled, this word included.
    pub story: &'a Story,
    /// The text before it, and what that asks of it.
    pub before: &'a str,
    pub orthography: Orthography,
}

/// The same; `told` hears of every word before it is written.
pub(super) fn generate_told(
    seed: u64,
    split: &str,
    index: u64,
    told: &mut dyn FnMut(NextWord),
) -> Document {
    let mut stream = Stream::of(Seed::Text(seed), Purpose::Document(split), index);
    let (mut story, mut orthography) = (Story::new(), Orthography::new());
    let mut text = String::with_capacity(1024);
    let mut log_probability = 0.0;
    let mut pending = vec![Symbol::Story];
    while let Some(symbol) = pending.pop() {
        let word = if let Symbol::Pick(class) = symbol {
            let rank = draw_rank(size(class), &mut stream);
            log_probability += ln_rank(rank, size(class));
            Some(story.settle(class, word_at(class, rank, &story.clone())))
        } else {
            let alternatives = options(symbol);
            if alternatives.is_empty() {
                story.perform(symbol)
            } else {
                let chosen = draw_option(alternatives, &mut stream);
                log_probability += ln_option(alternatives, chosen);
                pending.extend(alternatives[chosen].1.iter().rev());
                None
            }
        };
        if let Some(word) = word {
            told(NextWord {
                symbol,
                word,
                story: &story,
                before: &text,
                orthography,
            });
            orthography.write(word, &mut text);
        }
    }
    Document {
        text,
        log_probability,
    }
}

fn draw_rank(count: usize, stream: &mut Stream) -> usize {
    let mut left = stream.uniform() * harmonic(count);
    for rank in 0..count - 1 {
        left -= 1.0 / (rank + 1) as f64;
        if left < 0.0 {
            return rank;
        }
    }
    count - 1
}

fn draw_option(options: Alternatives, stream: &mut Stream) -> usize {
    if options.len() == 1 {
        return 0;
    }
    let total: u32 = options.iter().map(|(weight, _)| weight).sum();
    let mut left = stream.below(u64::from(total)) as u32;
    options
        .iter()
        .position(|&(weight, _)| {
            left < weight || {
                left -= weight;
                false
            }
        })
        .expect("the weights add up to their sum")
}

#[cfg(test)]
#[path = "generate_tests.rs"]
mod tests;
