//! One text file for itself: its tokens, with nothing added.
//!
//! The text is tokenized a batch at a time while it is read, so that only the tokens are ever whole
//! in memory.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rayon::prelude::*;

use super::sources::Piece;
use super::text;
use super::tokenizer::Tokenizer;
use crate::plan::run::Detokenize;

/// Bytes of text that are tokenized at a time.
const BATCH: usize = 4 << 20;

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
    let (mut batch, mut waiting) = (Vec::<String>::new(), 0);
    text::visit(&[PathBuf::from(path)], Detokenize::None, &mut |piece| {
        let Piece::Text { text, words } = piece else {
            return Ok(ControlFlow::Continue(()));
        };
        found.words += words;
        found.bytes += text.len() as u64;
        waiting += text.len();
        match batch.last_mut() {
            Some(last) if !tokenizer.may_cut(last, text) => last.push_str(text),
            _ => batch.push(text.to_owned()),
        }
        if waiting >= BATCH {
            // The last piece waits for what may belong to it.
            let last = batch.pop();
            append(&mut found.tokens, &batch, tokenizer)?;
            waiting = last.as_ref().map_or(0, String::len);
            batch = last.into_iter().collect();
        }
        Ok(ControlFlow::Continue(()))
    })?;
    append(&mut found.tokens, &batch, tokenizer)?;
    ensure!(
        found.bytes > 0,
        "{} is empty; there is nothing to score",
        path.display()
    );
    Ok(found)
}

fn append(tokens: &mut Vec<u32>, batch: &[String], tokenizer: &Tokenizer) -> Result<()> {
    let encoded: Vec<Vec<u32>> = batch
        .par_iter()
        .map(|piece| tokenizer.encode_with_specials(piece))
        .collect::<Result<_>>()?;
    encoded
        .iter()
        .for_each(|piece| tokens.extend_from_slice(piece));
    Ok(())
}
