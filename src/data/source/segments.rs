//! Cutting long documents into pieces that tokenize by themselves.

use std::ops::ControlFlow;

use anyhow::Result;

use super::detokenize;
use super::document::{Piece, PieceVisitor, count_words};
use crate::plan::InputFault;
use crate::plan::run::Detokenize;

/// Bytes at which a piece is cut off: what the tokenizers crate notes of a piece then fits the
/// caches, where long ones take it twice the time.
const SEGMENT: usize = 4 * 1024;

/// A stretch without a place to cut is refused from here on, so that no file fills the memory: what
/// has none is hardly text.
const LONGEST: usize = 16 << 20;

/// Cuts a long document into pieces that tokenize by themselves as they do together.
///
/// GPT-2's pre-tokenisation never lets a token run from a visible character into the whitespace
/// after it, nor looks back over one; so the text is cut between a visible character and an ASCII
/// whitespace. Where the text is detokenized, a line at a time, the whitespace must reach an end of
/// line. Elsewhere, where a stretch has no whitespace, it is cut between ASCII characters of
/// different kinds (letter, digit, mark), which no token joins but for the apostrophe of `'s` and
/// its kin. A stretch without such a place stays in one piece. Added tokens know no such bounds:
/// whoever tokenizes asks [`crate::data::Tokenizer::may_cut`].
#[derive(Debug)]
pub struct Segments {
    buffer: String,
    /// No place to cut lies before this byte.
    searched: usize,
    detokenize: Detokenize,
    /// The last cut was inside a word, which is counted already.
    in_word: bool,
}

impl Segments {
    pub fn new(detokenize: Detokenize) -> Self {
        Self {
            buffer: String::new(),
            searched: 0,
            detokenize,
            in_word: false,
        }
    }

    /// Adds text to the document in hand, and hands on what is complete.
    ///
    /// # Errors
    /// A stretch without a place to cut that is too long to be text; whatever the visitor returns.
    pub fn push(&mut self, mut text: &str, visitor: &mut PieceVisitor) -> Result<ControlFlow<()>> {
        while !text.is_empty() {
            let (now, later) = text.split_at(text.floor_char_boundary(SEGMENT));
            self.buffer.push_str(now);
            text = later;
            if self.buffer.len() >= SEGMENT {
                match self.cut() {
                    Some(cut) => {
                        if self.emit(cut, visitor)?.is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    None => self.searched = self.buffer.len(),
                }
                if self.buffer.len() >= LONGEST {
                    let wanted = match self.detokenize {
                        Detokenize::None => "white space or another place where tokens must end",
                        Detokenize::Wikitext => {
                            "an end of line, as detokenize = \"wikitext\" needs it"
                        }
                    };
                    let message = format!("{} MiB of a document hold no {wanted}", LONGEST >> 20);
                    let fault = InputFault::new(message, "is it text? break it into lines");
                    return Err(fault.into());
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Hands on the rest and ends the document.
    pub fn end(&mut self, visitor: &mut PieceVisitor) -> Result<ControlFlow<()>> {
        if self.emit(self.buffer.len(), visitor)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        visitor(Piece::End {
            log_probability: None,
        })
    }

    fn emit(&mut self, cut: usize, visitor: &mut PieceVisitor) -> Result<ControlFlow<()>> {
        let source = &self.buffer[..cut];
        let words = count_words(source) - u64::from(self.in_word && cut > 0);
        self.in_word = self.buffer[cut..].starts_with(|c: char| !c.is_whitespace());
        let flow = match self.detokenize {
            Detokenize::None => visitor(Piece::Text {
                text: source,
                words,
            })?,
            Detokenize::Wikitext => visitor(Piece::Text {
                text: &detokenize::wikitext(source),
                words,
            })?,
        };
        self.buffer.drain(..cut);
        self.searched = 0;
        Ok(flow)
    }

    /// The last place at which the buffer may be cut.
    fn cut(&self) -> Option<usize> {
        match self.detokenize {
            Detokenize::None => self
                .cut_before_whitespace()
                .or_else(|| self.cut_between_kinds()),
            Detokenize::Wikitext => self.cut_before_whitespace(),
        }
    }

    fn cut_between_kinds(&self) -> Option<usize> {
        let bytes = self.buffer.as_bytes();
        let parts = |&place: &usize| {
            let (before, after) = (kind(bytes[place - 1]), kind(bytes[place]));
            before.is_some() && after.is_some() && before != after && bytes[place - 1] != b'\''
        };
        (self.searched.max(1)..bytes.len()).rev().find(parts)
    }

    fn cut_before_whitespace(&self) -> Option<usize> {
        let is_place = |byte: u8| match self.detokenize {
            Detokenize::None => byte.is_ascii_whitespace(),
            Detokenize::Wikitext => byte == b'\n',
        };
        let bytes = self.buffer.as_bytes();
        let mut end = bytes.len();
        while end > self.searched {
            let place = self.searched
                + bytes[self.searched..end]
                    .iter()
                    .rposition(|&byte| is_place(byte))?;
            let head = self.buffer[..place].trim_end_matches(|c: char| c.is_ascii_whitespace());
            match head.chars().next_back() {
                None => return None,
                // Whether the Mongolian vowel separator is whitespace depends on the version of
                // Unicode.
                Some(before) if before.is_whitespace() || before == '\u{180e}' => end = head.len(),
                Some(_) => return Some(head.len()),
            }
        }
        None
    }
}

/// What GPT-2's pre-tokenisation takes a visible ASCII character for: 0 a letter, 1 a digit, 2
/// another mark.
fn kind(byte: u8) -> Option<u8> {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => Some(0),
        b'0'..=b'9' => Some(1),
        b'!'..=b'~' => Some(2),
        _ => None,
    }
}

#[cfg(test)]
#[path = "segments_tests.rs"]
mod tests;
