//! Whether a model can be used on a text at all, asked before time is spent: it has a row for every
//! token, and what it predicts are numbers.

use std::path::Path;

use anyhow::{Result, bail};
use rayon::prelude::*;

use crate::data::Tokenizer;
use crate::model::{Gpt2, Weights, validation_nll};
use crate::ops::Ops;

/// Looks that a model of `rows` rows has one for every token of a text. A tokenizer may have more
/// tokens than its model has rows: one that was added, for padding say, without another size of the
/// embeddings is in no text.
///
/// # Errors
/// The first token that has no row, with what it stands for.
pub(super) fn ensure_rows(
    rows: usize,
    tokens: &[u32],
    tokenizer: &Tokenizer,
    text: &str,
) -> Result<()> {
    if tokenizer.vocabulary() <= rows {
        return Ok(());
    }
    let Some(&token) = tokens.iter().find(|&&token| token as usize >= rows) else {
        return Ok(());
    };
    bail!(
        "{text} uses the token {token} ({:?}), and the model has {rows} rows, for the tokens 0 to \
         {}: its embeddings were not resized when the token was added, or it belongs to another \
         tokenizer",
        String::from_utf8_lossy(tokenizer.token_bytes(token)),
        rows - 1
    )
}

/// Looks that a model which came with a tokenizer is used with that one, or with one that has the
/// same tokens: of another of its size the model would predict tokens that mean something else.
///
/// # Errors
/// The first token that is another one.
pub(super) fn ensure_own_tokenizer(folder: &Path, tokenizer: &Tokenizer) -> Result<()> {
    // Without one nobody can tell, and one that cannot be read is not used.
    let Ok(own) = Tokenizer::open(folder) else {
        return Ok(());
    };
    // Tokens that were added, for padding say, may have other names and stand in no text.
    let shared = own.own_vocabulary().min(tokenizer.own_vocabulary()) as u32;
    let mut tokens = 0..shared;
    let Some(id) = tokens.find(|&id| own.token_bytes(id) != tokenizer.token_bytes(id)) else {
        return Ok(());
    };
    let shown = |of: &Tokenizer| String::from_utf8_lossy(of.token_bytes(id)).into_owned();
    bail!(
        "the tokenizer in {} is another one than the study's: its token {id} is {:?}, and here \
         {:?}, so the teacher's predictions would be read as other tokens; name that folder as \
         the tokenizer ([tokenizer] source = \"dir\"), or take a teacher of this one",
        folder.display(),
        shown(&own),
        shown(tokenizer)
    )
}

/// Looks that the weights of a model are numbers.
///
/// # Errors
/// The first array that holds others.
pub(super) fn ensure_finite(weights: &Weights) -> Result<()> {
    let broken = weights
        .arrays
        .iter()
        .find(|(_, array)| !is_finite(&array.values));
    if let Some((name, _)) = broken {
        bail!(
            "the model predicts no numbers: {name} holds values that are none. The model is \
             broken; take another copy of it"
        );
    }
    Ok(())
}

fn is_finite(values: &[f32]) -> bool {
    values.par_iter().all(|value| value.is_finite())
}

/// Looks that the predictions of a model for the beginning of a text, one window of it, are
/// numbers.
///
/// # Errors
/// Predictions that are none, with the array at fault where that can be told.
pub(super) fn ensure_predicts<D: Ops>(
    model: &Gpt2<D>,
    tokens: &[u32],
    whose: &str,
    text: &str,
) -> Result<()> {
    let window = tokens.len().min(model.config.positions);
    if window < 2 || validation_nll(model, &tokens[..window], window).is_finite() {
        return Ok(());
    }
    let broken = model
        .parameters()
        .into_iter()
        .find(|(_, parameter)| !D::is_finite(parameter));
    let why = match broken {
        Some((name, _)) => format!("{name} holds values that are none"),
        None => "its weights are numbers, too large ones to compute with".to_owned(),
    };
    bail!(
        "{whose} predicts no numbers for the first {window} tokens of {text}: {why}. The model is \
         broken; take another copy of it"
    )
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
