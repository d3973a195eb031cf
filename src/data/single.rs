//! One text file for itself: its tokens, with nothing added.
//!
//! The text is tokenized a batch at a time while it is read, so that only the tokens are ever whole
//! in memory.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Result, ensure};
use rayon::prelude::*;

use super::piece_batch::{BATCH, PieceBatch, WaitingPiece};
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

/// Tokenizes a file, which may be packed, as one text, without `<|endoftext|>` behind it. Special
/// tokens that the text spells are tokens, as they are for transformers.
///
/// # Errors
/// A file that cannot be read, is empty or is not UTF-8.
pub fn single(path: &Path, tokenizer: &Tokenizer) -> Result<Single> {
    let mut found = Single::default();
    let mut batch = PieceBatch::default();
    text::visit([path], Detokenize::None, &mut |piece| {
        let Piece::Text { text, words } = piece else {
            return Ok(ControlFlow::Continue(()));
        };
        found.words += words;
        found.bytes += text.len() as u64;
        batch.add(text, words, tokenizer);
        if batch.bytes() >= BATCH {
            append(&mut found.tokens, &batch.take(), tokenizer)?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    append(&mut found.tokens, &batch.finish(), tokenizer)?;
    ensure!(
        found.bytes > 0,
        "{} is empty; there is nothing to score",
        path.display()
    );
    Ok(found)
}

fn append(tokens: &mut Vec<u32>, batch: &[WaitingPiece], tokenizer: &Tokenizer) -> Result<()> {
    let encoded: Vec<Vec<u32>> = batch
        .par_iter()
        .map(|piece| tokenizer.encode_with_specials(&piece.text))
        .collect::<Result<_>>()?;
    encoded
        .iter()
        .for_each(|piece| tokens.extend_from_slice(piece));
    Ok(())
}
