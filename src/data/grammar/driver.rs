//! The two ways to run the grammar's program: drawing a story, and reading one.

use crate::random::Stream;

/// The text does not go on as any option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contradiction;

/// An option: the word that comes next, and its weight among the options.
pub type Choice<'a> = (&'a str, f64);

/// Runs the program.
pub trait Driver {
    /// The option taken. Options have different words, and weights above 0 (those of 0 are never taken).
    fn choose(&mut self, options: &[Choice]) -> Result<usize, Contradiction>;

    /// A word without alternative.
    fn say(&mut self, word: &str) -> Result<(), Contradiction> {
        self.choose(&[(word, 1.0)]).map(drop)
    }
}

/// Draws.
pub struct Draw {
    stream: Stream,
    pub words: Vec<String>,
    pub log_probability: f64,
    pub entropy: f64,
}

impl Draw {
    pub fn new(stream: Stream) -> Self {
        Self { stream, words: Vec::new(), log_probability: 0.0, entropy: 0.0 }
    }
}

impl Driver for Draw {
    fn choose(&mut self, options: &[Choice]) -> Result<usize, Contradiction> {
        let total: f64 = options.iter().map(|(_, weight)| weight).sum();
        let taken = if options.len() == 1 {
            0
        } else {
            let mut left = self.stream.uniform() * total;
            let passed = options.iter().position(|(_, weight)| {
                left -= weight;
                left < 0.0
            });
            // Rounding may leave a hair beyond the last option.
            passed.or_else(|| options.iter().rposition(|(_, weight)| *weight > 0.0)).ok_or(Contradiction)?
        };
        self.log_probability += (options[taken].1 / total).ln();
        self.entropy -=
            options.iter().filter(|(_, weight)| *weight > 0.0).map(|(_, weight)| weight / total * (weight / total).ln()).sum::<f64>();
        self.words.push(options[taken].0.to_owned());
        Ok(taken)
    }
}

/// Reads.
pub struct Read<'a> {
    words: &'a [String],
    next: usize,
    pub log_probability: f64,
}

impl<'a> Read<'a> {
    pub fn new(words: &'a [String]) -> Self {
        Self { words, next: 0, log_probability: 0.0 }
    }

    pub fn is_at_end(&self) -> bool {
        self.next == self.words.len()
    }
}

impl Driver for Read<'_> {
    fn choose(&mut self, options: &[Choice]) -> Result<usize, Contradiction> {
        let word = self.words.get(self.next).ok_or(Contradiction)?;
        let mut fitting = options.iter().enumerate().filter(|(_, (option, weight))| option == word && *weight > 0.0);
        let (taken, (_, weight)) = fitting.next().ok_or(Contradiction)?;
        assert!(fitting.next().is_none(), "two options begin with {word}: the grammar is ambiguous");
        let total: f64 = options.iter().map(|(_, weight)| weight).sum();
        self.log_probability += (weight / total).ln();
        self.next += 1;
        Ok(taken)
    }
}

/// Words and marks as text: a space between words, none before a mark, quotes around what is said.
pub fn render(words: &[String]) -> String {
    let mut text = String::new();
    let mut quoted = false;
    let mut glue = true;
    for word in words {
        let closes = word == "\"" && quoted;
        let mark = matches!(word.as_str(), "." | "," | "?" | "!" | ":");
        if !(glue || mark || closes) {
            text.push(' ');
        }
        text.push_str(word);
        glue = word == "\"" && !quoted;
        quoted ^= word == "\"";
    }
    text
}

/// The words and marks of a text.
pub fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if character.is_alphabetic() {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character != ' ' {
            words.push(character.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
