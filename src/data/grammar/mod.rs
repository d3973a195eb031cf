//! The embedded source of text: short stories from a probabilistic grammar whose own probability is known.
//!
//! A story is written by one program of choices ([`story`]): at each the next word is one of several, with probabilities that depend on everything said before. No two options of a choice
//! begin with the same word, so a text is read back in one way only, from left to right, and its probability is the product of its choices. The same program runs with two drivers
//! ([`driver`]): one draws, the other reads a text and scores it.
//!
//! There is something to learn at every distance: spelling and word order; agreement of verbs with subjects that stand before nested clauses; pronouns with the last person named; names,
//! places, and the adjective that a thing was given, which come back through a story.

mod driver;
mod lexicon;
mod story;

use std::sync::OnceLock;

use driver::{Draw, Read, render, split};
use rayon::prelude::*;

use crate::random::Stream;

/// Stories whose mean is the entropy.
const SAMPLE: u64 = 20_000;

/// Changes whenever the stories of a seed do.
pub const VERSION: u32 = 1;

/// A story and what the grammar knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub text: String,
    /// log p(text), in nats.
    pub log_probability: f64,
    /// Σ over its choices of the entropy of the choice, in nats: its mean over stories is the entropy of a story.
    pub entropy: f64,
}

/// Document `index` of a split under `seed`.
pub fn generate(seed: u64, split: &str, index: u64) -> Document {
    let mut draw = Draw::new(Stream::new(seed, &format!("grammar.{split}"), index));
    story::tell(&mut draw).expect("a drawn story never contradicts itself");
    Document { text: render(&draw.words), log_probability: draw.log_probability, entropy: draw.entropy }
}

/// The entropy of a document in nats: the mean over stories of the sum of the entropies of their choices, which varies far less than −log p does. It is taken over a fixed sample, large
/// enough that its standard error is below 0.3 %.
pub fn entropy() -> f64 {
    static ENTROPY: OnceLock<f64> = OnceLock::new();
    *ENTROPY.get_or_init(|| {
        let sums: Vec<f64> = (0..SAMPLE).into_par_iter().map(|index| generate(0, "entropy", index).entropy).collect();
        sums.iter().sum::<f64>() / SAMPLE as f64
    })
}

/// log p(text) of a text, in nats; none if the grammar cannot write it.
pub fn log_probability(text: &str) -> Option<f64> {
    let words = split(text);
    let mut read = Read::new(&words);
    story::tell(&mut read).ok()?;
    // Only the exact spelling and spacing counts.
    (read.is_at_end() && render(&words) == text).then_some(read.log_probability)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_reads_as_english() {
        insta::assert_snapshot!(generate(0, "test", 3).text);
    }

    #[test]
    fn reading_a_story_back_gives_the_probability_it_was_drawn_with() {
        for index in 0..3000 {
            let story = generate(1, "test", index);
            let read = log_probability(&story.text).unwrap_or_else(|| panic!("story {index} is not read back: {}", story.text));
            assert!((read - story.log_probability).abs() < 1e-9, "story {index}: {read} against {}", story.log_probability);
        }
    }

    #[test]
    fn texts_that_the_grammar_cannot_write_have_no_probability() {
        let story = generate(2, "test", 0).text;
        assert!(log_probability(&story).is_some());
        for (from, to) in [(" ", "  "), (".", ""), (" the ", " teh ")] {
            assert_eq!(log_probability(&story.replacen(from, to, 1)), None, "{from} to {to}");
        }
        assert_eq!(log_probability(&story[..story.len() / 2]), None);
        assert_eq!(log_probability(&format!("{story} The end.")), None);
        assert_eq!(log_probability(""), None);
    }

    #[test]
    fn the_entropy_of_choices_is_the_mean_surprise() {
        let stories: Vec<Document> = (0..4000).map(|index| generate(3, "test", index)).collect();
        let differences: Vec<f64> = stories.iter().map(|story| -story.log_probability - story.entropy).collect();
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (differences.len() - 1) as f64;
        let error = (variance / differences.len() as f64).sqrt();
        assert!(mean.abs() < 4.0 * error, "{mean} ± {error}");
    }

    #[test]
    fn the_entropy_is_that_of_other_samples_too() {
        let other = (0..4000).map(|index| generate(9, "other", index).entropy).sum::<f64>() / 4000.0;
        assert!((entropy() / other - 1.0).abs() < 0.02, "{} against {other}", entropy());
    }

    #[test]
    fn stories_have_a_sensible_length_and_differ() {
        let texts: Vec<String> = (0..500).map(|index| generate(4, "test", index).text).collect();
        let words: Vec<usize> = texts.iter().map(|text| text.split_whitespace().count()).collect();
        let mean = words.iter().sum::<usize>() as f64 / words.len() as f64;
        assert!((60.0..200.0).contains(&mean), "{mean}");
        let mut distinct = texts.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), texts.len());
    }
}
