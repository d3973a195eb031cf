//! Reading a text: its probability under the grammar, over all its parses.

use super::orthography::Orthography;
use super::rules::options;
use super::story::{Story, size, word_at};
use super::symbols::Symbol;
use super::{ln_option, ln_rank};

/// A parse of the text up to `position`.
#[derive(Debug, Clone)]
struct Parse {
    pending: Vec<Symbol>,
    story: Story,
    orthography: Orthography,
    position: usize,
    log_probability: f64,
}

impl Parse {
    /// Reads what `word` would be written as; false where the text has something else.
    fn read(&mut self, word: &str, text: &str, scratch: &mut String) -> bool {
        scratch.clear();
        self.orthography.write(word, scratch);
        let agrees = text.as_bytes()[self.position..].starts_with(scratch.as_bytes());
        self.position += if agrees { scratch.len() } else { 0 };
        agrees
    }
}

/// ln p of a text: the logarithm of the sum over its parses; −∞ for a text that the grammar does
/// not write, down to the last letter.
pub fn log_probability(text: &str) -> f64 {
    let parses = parses(text);
    let largest = parses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest
        + parses
            .iter()
            .map(|parse| (parse - largest).exp())
            .sum::<f64>()
            .ln()
}

/// The log-probability of every parse of the whole text.
pub(super) fn parses(text: &str) -> Vec<f64> {
    let mut scratch = String::new();
    let mut found = Vec::new();
    let mut open = vec![Parse {
        pending: vec![Symbol::Story],
        story: Story::new(),
        orthography: Orthography::new(),
        position: 0,
        log_probability: 0.0,
    }];
    while let Some(mut parse) = open.pop() {
        loop {
            let Some(symbol) = parse.pending.pop() else {
                if parse.position == text.len() {
                    found.push(parse.log_probability);
                }
                break;
            };
            if let Symbol::Pick(class) = symbol {
                for rank in 0..size(class) {
                    let mut story = parse.story;
                    let word = story.settle(class, word_at(class, rank, &parse.story));
                    let mut next = Parse {
                        pending: Vec::new(),
                        story,
                        ..parse
                    };
                    if next.read(word, text, &mut scratch) {
                        next.log_probability += ln_rank(rank, size(class));
                        next.pending.clone_from(&parse.pending);
                        open.push(next);
                    }
                }
                break;
            }
            let alternatives = options(symbol);
            if !alternatives.is_empty() {
                for (chosen, (_, symbols)) in alternatives.iter().enumerate() {
                    let mut next = parse.clone();
                    next.log_probability += ln_option(alternatives, chosen);
                    next.pending.extend(symbols.iter().rev());
                    open.push(next);
                }
                break;
            }
            if let Some(word) = parse.story.perform(symbol)
                && !parse.read(word, text, &mut scratch)
            {
                break;
            }
        }
    }
    found
}
