//! The embedded source: short stories in English from a probabilistic grammar of this project's
//! own.
//!
//! It gives studies that need no data and no download, and a yardstick that no corpus has: the
//! exact probability of every text. [`generate`] writes document i of a split and its
//! log-probability, [`log_probability`] finds that of any text by parsing it, [`entropy`] is the
//! mean of −ln p over documents.
//!
//! Three characters, each of a kind, with a name, a gender or number and a trait, a home and a
//! treasure are introduced, then two to twelve events happen and the story ends. Tense is one for
//! the whole story; verbs, pronouns and articles agree with what may have been said long before,
//! across nested relative clauses; the treasure has an owner; what a character does depends on its
//! kind and trait, where it goes on where it is. The rules are in `rules`, what they are
//! made of in `symbols`, what they have settled in `story`, the words in `lexicon` and `verbs`.
//!
//! **Why a text has one parse only.** Read from left to right, at every choice the alternatives
//! differ in the words that they can write next, or after words that they share (a subject before
//! its verb, a speech before its speaker) in the ones that follow: the first words of events, and
//! verbs of different classes, are different words; a relative clause opens with "that" and closes
//! after a fixed number of parts; a class never holds a word twice, nor do classes that can stand
//! at the same place. What a choice settles without a word (tense, gender, speaker, number) is
//! spelled out by a form before it can matter twice. So the probability of a text is the product of
//! its choices. The parser does not rely on this: it follows every alternative that agrees with the
//! text and adds up all parses, and the tests compare that sum to the product.

mod entropy;
mod generate;
mod lexicon;
mod minimal_pairs;
mod orthography;
mod rules;
mod score;
mod story;
mod symbols;
mod verbs;

pub use entropy::entropy;
pub use generate::{Document, generate};
pub use minimal_pairs::{MinimalPair, minimal_pairs};
pub use score::log_probability;

/// Changes with every change of what [`generate`] writes.
pub const VERSION: u32 = 1;

/// ln of the probability (1/(rank + 1))/H_n of a rank among n words.
fn ln_rank(rank: usize, count: usize) -> f64 {
    -((rank + 1) as f64 * harmonic(count)).ln()
}

/// H_n = 1 + 1/2 + … + 1/n.
fn harmonic(count: usize) -> f64 {
    (1..=count).map(|i| 1.0 / i as f64).sum()
}

/// ln of the probability of option `chosen`.
fn ln_option(options: symbols::Alternatives, chosen: usize) -> f64 {
    let total: u32 = options.iter().map(|(weight, _)| weight).sum();
    (f64::from(options[chosen].0) / f64::from(total)).ln()
}

#[cfg(test)]
mod tests;
