//! What a source hands on: the documents of a split, in order, piece by piece.
//!
//! Every document comes as pieces of bounded size followed by [`Piece::End`], so that memory does
//! not grow with the corpus (a WikiText split is a single document).

use std::ops::ControlFlow;

use anyhow::Result;

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

    /// What belongs to this split of something that every split has.
    pub fn of<T>(self, train: T, validation: T, test: T) -> T {
        match self {
            Self::Train => train,
            Self::Validation => validation,
            Self::Test => test,
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

/// Whether more is wanted.
pub type Flow = ControlFlow<()>;

/// Receives pieces; `Break` means that nothing more is wanted.
pub type PieceVisitor<'a> = dyn FnMut(Piece) -> Result<ControlFlow<()>> + 'a;

/// How many training documents were read, where not all of them were: the shares of them that are
/// the other splits are cut from as many.
pub type ReadLimit = Option<u64>;

/// Words between whitespace.
pub fn count_words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
