//! Pieces of documents, gathered until there is enough to tokenize on all cores.

use super::tokenizer::Tokenizer;

/// Bytes of text that are tokenized at a time.
pub const BATCH: usize = 4 << 20;

/// A piece that waits to be tokenized, or several that an added token holds together.
#[derive(Debug)]
pub struct WaitingPiece {
    pub text: String,
    pub words: u64,
    /// Whether a document begins with it.
    pub begins: bool,
    /// Whether a document ends with it.
    pub ends: bool,
}

/// The pieces that wait, in order.
#[derive(Debug, Default)]
pub struct PieceBatch {
    pieces: Vec<WaitingPiece>,
    bytes: usize,
    is_inside_document: bool,
}

impl PieceBatch {
    /// Bytes of text that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a piece of the document in hand; to the piece before it where an added token may reach
    /// from one into the other.
    pub fn add(&mut self, text: &str, words: u64, tokenizer: &Tokenizer) {
        self.bytes += text.len();
        match self.pieces.last_mut() {
            Some(last) if self.is_inside_document && !tokenizer.may_cut(&last.text, text) => {
                last.text.push_str(text);
                last.words += words;
            }
            _ => self.pieces.push(WaitingPiece {
                text: text.to_owned(),
                words,
                begins: !self.is_inside_document,
                ends: false,
            }),
        }
        self.is_inside_document = true;
    }

    /// Ends the document in hand. Its last piece is still here: none that does not end a document
    /// goes before the next is seen.
    pub fn end_document(&mut self) {
        if let Some(last) = self.pieces.last_mut() {
            last.ends = true;
        }
        self.is_inside_document = false;
    }

    /// Takes what is complete: all but a last piece that waits for what may belong to it.
    pub fn take(&mut self) -> Vec<WaitingPiece> {
        let last = self.pieces.pop_if(|last| !last.ends);
        self.bytes = last.as_ref().map_or(0, |last| last.text.len());
        std::mem::replace(&mut self.pieces, last.into_iter().collect())
    }

    /// What is left when there is no more.
    pub fn finish(self) -> Vec<WaitingPiece> {
        self.pieces
    }
}
