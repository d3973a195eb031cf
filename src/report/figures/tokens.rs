//! What a token is, from its text alone, so that it holds for any tokenizer.

use super::palette::{Rgb, token};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A word, or its first piece.
    WordStart,
    /// A later piece of a word.
    WordPiece,
    Number,
    Punctuation,
    WhiteSpace,
    /// A mark such as `<unk>`, or a part of a character.
    Other,
}

impl TokenKind {
    /// In the order of the legend.
    pub const ALL: [Self; 6] = [
        Self::WordStart,
        Self::WordPiece,
        Self::Number,
        Self::Punctuation,
        Self::WhiteSpace,
        Self::Other,
    ];

    /// Its name in the legend.
    pub fn name(self) -> &'static str {
        match self {
            Self::WordStart => "word (or its first piece)",
            Self::WordPiece => "later piece of a word",
            Self::Number => "number",
            Self::Punctuation => "punctuation",
            Self::WhiteSpace => "white space",
            Self::Other => "other",
        }
    }

    /// Its colour.
    pub fn color(self) -> Rgb {
        token(match self {
            Self::WordStart => 0,
            Self::WordPiece => 1,
            Self::Punctuation => 2,
            Self::Number => 3,
            Self::WhiteSpace => 4,
            Self::Other => 5,
        })
    }
}

/// The kinds of tokens that follow each other in a text.
pub fn kinds(texts: &[&str]) -> Vec<TokenKind> {
    let before = |place: usize| place.checked_sub(1).map_or("", |before| texts[before]);
    texts
        .iter()
        .enumerate()
        .map(|(place, text)| kind(before(place), text))
        .collect()
}

fn kind(before: &str, text: &str) -> TokenKind {
    let inside = text.trim();
    let is_mark = |text: &str| text.len() > 2 && text.starts_with('<') && text.ends_with('>');
    if text.is_empty() || text.contains('\u{fffd}') || is_mark(inside) {
        TokenKind::Other
    } else if inside.is_empty() {
        TokenKind::WhiteSpace
    } else if inside.chars().any(char::is_alphabetic) {
        let goes_on = text.starts_with(char::is_alphanumeric)
            && before.ends_with(char::is_alphanumeric)
            && !is_mark(before.trim());
        if goes_on {
            TokenKind::WordPiece
        } else {
            TokenKind::WordStart
        }
    } else if inside.chars().any(char::is_numeric) {
        TokenKind::Number
    } else {
        TokenKind::Punctuation
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
