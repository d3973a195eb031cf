//! One text file for itself: its tokens, with nothing added.
//!
//! The text is tokenized a batch at a time while it is read, so that only the tokens are ever whole
//! in memory.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Result, ensure};
use rayon::prelude::*;

use super::piece_batch::{BATCH, PieceBatch, WaitingPiece};
use super::source::cutter::Cutter;
use super::source::document::Piece;
use super::source::text;
use super::tokenizer::Tokenizer;
use crate::plan::run::Detokenize;

/// A tokenized file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Single {
    pub tokens: Vec<u32>,
    /// Stretches between white space.
    pub words: u64,
    pub bytes: u64,
}

/// Tokenizes a file, which may be packed, without `<|endoftext|>` behind it. Special tokens that
/// the text spells are tokens, as they are for transformers; the token that ends documents
/// separates them as it does in a study, and is neither a word nor bytes of the text.
///
/// # Errors
/// A file that cannot be read, is empty or is not UTF-8.
pub fn single(path: &Path, tokenizer: &Tokenizer) -> Result<Single> {
    let mut found = Single::default();
    let mut batch = PieceBatch::default();
    let mut visitor = |piece: Piece| -> Result<ControlFlow<()>> {
        match piece {
            Piece::Text { text, words } => {
                found.words += words;
                found.bytes += text.len() as u64;
                batch.add(text, words, tokenizer);
            }
            Piece::End { .. } => batch.end_document(),
        }
        if batch.bytes() >= BATCH {
            append(&mut found.tokens, &batch.take(), tokenizer)?;
        }
        Ok(ControlFlow::Continue(()))
    };
    let mut cutter = Cutter::of_all(Detokenize::None, &mut visitor);
    let _: ControlFlow<()> = text::visit(path, &tokenizer.separator(), &mut cutter)?;
    append(&mut found.tokens, &batch.finish(), tokenizer)?;
    // The end of the file is none that the text spells.
    found.tokens.pop();
    ensure!(
        found.bytes > 0,
        "{} is empty; there is nothing to score",
        path.display()
    );
    Ok(found)
}

/// Adds the tokens of pieces, and one where a document ends. A tokenizer without a token for that
/// has one document alone, whose end is dropped again.
fn append(tokens: &mut Vec<u32>, batch: &[WaitingPiece], tokenizer: &Tokenizer) -> Result<()> {
    let encoded: Vec<Vec<u32>> = batch
        .par_iter()
        .map(|piece| tokenizer.encode_with_specials(&piece.text))
        .collect::<Result<_>>()?;
    for (piece, encoded) in batch.iter().zip(encoded) {
        tokens.extend_from_slice(&encoded);
        tokens.extend(piece.ends.then(|| tokenizer.text_end().unwrap_or(0)));
    }
    Ok(())
}
