//! Documents of a dataset's splits, in order, piece by piece.
//!
//! A source hands every document to a visitor as pieces of bounded size followed by [`Piece::End`],
//! so that memory does not grow with the corpus (a WikiText split is a single document). Pieces are
//! cut where no token can reach across ([`Segments`]), and text is detokenized after the cut. A
//! document without text is none; a split without documents is an error.

use std::ops::ControlFlow;

use anyhow::{Result, bail, ensure};
use rayon::prelude::*;

use super::parquet::RowAction;
use super::shares::Shares;
use super::{detokenize, grammar, parquet, shards, text};
use crate::hub::Hub;
use crate::plan::run::{DatasetSpec, Detokenize};

/// One of the three splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The name as the spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// What a visitor is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece<'a> {
    /// Text of the document in hand, to be joined unchanged to what came before.
    Text {
        text: &'a str,
        /// Words between whitespace in the source, before detokenization: word perplexities of one
        /// corpus then share their denominator.
        words: u64,
    },
    /// The end of the document, and its log-probability in nats where the source knows it.
    End { log_probability: Option<f64> },
}

/// Receives pieces; `Break` means that nothing more is wanted.
pub type PieceVisitor<'a> = dyn FnMut(Piece) -> Result<ControlFlow<()>> + 'a;

/// How far the training documents were read; where shares of them are the other splits, these are
/// cut from as many.
pub type ReadLimit = Option<u64>;

/// Hands the documents of a split to `visitor`. A share that is cut from the training documents is
/// cut from those before the `reach`-th of them ends, or from all.
///
/// # Errors
/// Inputs that are missing, unreadable or not UTF-8 (file and byte), a split without text, what
/// cannot be fetched; and whatever the visitor returns.
pub fn visit(
    dataset: &DatasetSpec,
    hub: &Hub,
    part: Part,
    reach: ReadLimit,
    visitor: &mut PieceVisitor,
) -> Result<()> {
    let (mut any, mut pending) = (false, false);
    let mut checked = |piece: Piece| match piece {
        Piece::Text { text: "", .. } => Ok(ControlFlow::Continue(())),
        Piece::Text { .. } => {
            (any, pending) = (true, true);
            visitor(piece)
        }
        Piece::End { .. } if !pending => Ok(ControlFlow::Continue(())),
        Piece::End { .. } => {
            pending = false;
            visitor(piece)
        }
    };
    match dataset {
        DatasetSpec::Synthetic {
            seed,
            train_words,
            validation_words,
            test_words,
            ..
        } => {
            let words = match part {
                Part::Train => *train_words,
                Part::Validation => *validation_words,
                Part::Test => *test_words,
            };
            synthetic(*seed, part, words, &mut checked)?;
        }
        DatasetSpec::Text {
            train,
            validation,
            test,
            detokenize,
            ..
        } => {
            let inputs = choose(part, train, validation, test);
            text::visit(&text::expand(inputs, part)?, *detokenize, &mut checked)?;
        }
        DatasetSpec::Parquet {
            train,
            validation,
            test,
            column,
            rows,
            detokenize,
            ..
        } => {
            let inputs = choose(part, train, validation, test);
            let files = text::expand(inputs, part)?;
            parquet::visit(
                files.into_iter().map(Ok),
                column,
                *rows,
                *detokenize,
                &mut |_| RowAction::Take,
                &mut checked,
            )?;
        }
        DatasetSpec::Hub {
            train,
            validation,
            test,
            column,
            rows,
            detokenize,
            ..
        } => {
            let shares = Shares::new(validation, test);
            let split = match part {
                Part::Train => train,
                Part::Validation if shares.of_validation() => train,
                Part::Test if shares.of_test() => train,
                Part::Validation => validation,
                Part::Test => test,
            };
            let shards = shards::of_split(dataset, hub, split)?;
            if let Some(first) = shards.first() {
                hub.room_for(
                    &first.repo,
                    &first.commit,
                    shards.iter().map(|shard| shard.path.as_str()),
                )?;
            }
            let files = shards
                .iter()
                .map(|shard| hub.file(&shard.repo, &shard.commit, &shard.path));
            let mut choose: Box<dyn FnMut(&str) -> RowAction> = if split == train && shares.any() {
                Box::new(shares.chooser(part, reach))
            } else {
                Box::new(|_| RowAction::Take)
            };
            parquet::visit(files, column, *rows, *detokenize, &mut choose, &mut checked)?;
        }
    }
    ensure!(
        any,
        "the {} split is empty: {}",
        part.name(),
        empty_remedy(dataset, part)
    );
    Ok(())
}

fn empty_remedy(dataset: &DatasetSpec, part: Part) -> String {
    match dataset {
        DatasetSpec::Synthetic { .. } => {
            format!("write dataset.{}_words of at least 1", part.name())
        }
        DatasetSpec::Hub { .. } => format!(
            "name a split with text, or a larger share, in dataset.{}",
            part.name()
        ),
        DatasetSpec::Text { .. } | DatasetSpec::Parquet { .. } => {
            format!("name files with text in dataset.{}", part.name())
        }
    }
}

pub(super) fn choose<'a, T>(
    part: Part,
    train: &'a [T],
    validation: &'a [T],
    test: &'a [T],
) -> &'a [T] {
    match part {
        Part::Train => train,
        Part::Validation => validation,
        Part::Test => test,
    }
}

/// Documents generated at a time.
const BLOCK: u64 = 256;

/// Documents 0, 1 … of the split until `words` words are reached; the last one is whole.
fn synthetic(seed: u64, part: Part, words: u64, visitor: &mut PieceVisitor) -> Result<()> {
    let mut total = 0;
    for block in 0.. {
        let documents: Vec<grammar::Document> = (block * BLOCK..(block + 1) * BLOCK)
            .into_par_iter()
            .map(|index| grammar::generate(seed, part.name(), index))
            .collect();
        for document in documents {
            if total >= words {
                return Ok(());
            }
            let count = count_words(&document.text);
            total += count;
            let text = Piece::Text {
                text: &document.text,
                words: count,
            };
            let end = Piece::End {
                log_probability: Some(document.log_probability),
            };
            if visitor(text)?.is_break() || visitor(end)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Words between whitespace.
pub fn count_words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

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
/// whoever tokenizes asks [`super::Tokenizer::may_cut`].
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
                    bail!(
                        "{} MiB of a document hold no {wanted}: is it text? break it into lines",
                        LONGEST >> 20
                    );
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
#[path = "sources_tests.rs"]
mod tests;
