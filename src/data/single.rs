//! One text file for itself: its tokens, with nothing added.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rayon::prelude::*;

use super::sources::{Piece, count_words};
use super::text;
use super::tokenizer::Tokenizer;
use crate::spec::run::Detokenize;

/// A tokenized file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Single {
    pub tokens: Vec<u32>,
    /// Stretches between white space.
    pub words: u64,
    pub bytes: u64,
}

/// Tokenizes a file as one text, without `<|endoftext|>` behind it.
///
/// # Errors
/// A file that cannot be read, is empty or is not UTF-8.
pub fn single(path: &Path, tokenizer: &Tokenizer) -> Result<Single> {
    let mut pieces: Vec<String> = Vec::new();
    text::visit(&[PathBuf::from(path)], Detokenize::None, &mut |piece| {
        if let Piece::Text { text, .. } = piece {
            pieces.push(text.to_owned());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let whole = pieces.concat();
    ensure!(!whole.is_empty(), "{} is empty; there is nothing to score", path.display());
    let encoded: Vec<Vec<u32>> = pieces.par_iter().map(|piece| tokenizer.encode(piece)).collect::<Result<_>>()?;
    Ok(Single { tokens: encoded.concat(), words: count_words(&whole), bytes: whole.len() as u64 })
}
