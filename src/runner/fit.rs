//! Whether a model can be used on a text at all, asked before time is spent: it has a row for every
//! token, and what it predicts are numbers.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, bail};
use rayon::prelude::*;

use crate::data::Tokenizer;
use crate::model::{Gpt2, Weights, validation_nll};
use crate::ops::Ops;
use crate::plan::InputFault;

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

/// Looks that a teacher which came with a tokenizer is used with that one, or with one that has the
/// same tokens: of another of its size it would predict tokens that mean something else.
///
/// # Errors
/// The first token that is another one.
pub(super) fn ensure_own_tokenizer(folder: &Path, tokenizer: &Tokenizer) -> Result<()> {
    let Some(other) = other_token(folder, tokenizer) else {
        return Ok(());
    };
    bail!(
        "{other}, so the teacher's predictions would be read as other tokens; name that folder as \
         the tokenizer ([tokenizer] source = \"dir\"), or take a teacher of this one"
    )
}

/// The same of the model that a student starts from: that it came with another tokenizer.
pub(super) fn start_of_other_tokens(folder: &Path, tokenizer: &Tokenizer) -> Option<InputFault> {
    let other = other_token(folder, tokenizer)?;
    Some(InputFault::of_key(
        "student.init_dir",
        format!("{other}, so the student would start with what other tokens mean"),
        "name that folder as the tokenizer ([tokenizer] source = \"dir\"), or take a model of this \
         one",
    ))
}

/// What the tokenizer beside a model has otherwise than the study's, in words.
fn other_token(folder: &Path, tokenizer: &Tokenizer) -> Option<String> {
    // Without one nobody can tell, and one that cannot be read is not used.
    let own = Tokenizer::open(folder).ok()?;
    let why = first_difference(&own, tokenizer)?;
    Some(format!(
        "the tokenizer in {} is another one than the study's: {why}",
        folder.display()
    ))
}

fn first_difference(own: &Tokenizer, tokenizer: &Tokenizer) -> Option<String> {
    let shown = |of: &Tokenizer, id| String::from_utf8_lossy(of.token_bytes(id)).into_owned();
    let shared = own.own_vocabulary().min(tokenizer.own_vocabulary()) as u32;
    let mut tokens = 0..shared;
    if let Some(id) = tokens.find(|&id| own.token_bytes(id) != tokenizer.token_bytes(id)) {
        let (there, here) = (shown(own, id), shown(tokenizer, id));
        return Some(format!("its token {id} is {there:?}, and here {here:?}"));
    }
    // Tokens that were added, for padding say, may have other names and stand in no text; one of
    // the same name is a word that both know, and has to be the same token.
    let added = |of: &Tokenizer| of.own_vocabulary() as u32..of.vocabulary() as u32;
    let known: HashMap<&[u8], u32> = added(own).map(|id| (own.token_bytes(id), id)).collect();
    let (id, there) = added(tokenizer).find_map(|id| {
        let bytes = tokenizer.token_bytes(id);
        let there = *known.get(bytes)?;
        (there != id && !bytes.is_empty()).then_some((id, there))
    })?;
    Some(format!(
        "it has the token {:?} under the id {there}, and here it has {id}",
        shown(tokenizer, id)
    ))
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
