//! What is held against a corpus before anything is trained on it, and what is told of it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use anyhow::Result;

use super::fit::start_of_other_tokens;
use crate::data::{Prepared, Split};
use crate::plan::path::InputPath;
use crate::plan::run::{RunSpec, TeacherSpec};
use crate::plan::{InputFault, InputFaults, Plan};

/// Runs of one key use the same corpus.
pub(super) fn corpus_key(spec: &RunSpec) -> String {
    format!("{:?} {:?}", spec.dataset, spec.tokenizer)
}

/// Inputs that cannot be used: a run that needs each, by its index in the plan, and the mistakes.
#[derive(Debug)]
pub struct UnusableInputs(pub Vec<(usize, Vec<InputFault>)>);

impl fmt::Display for UnusableInputs {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (place, fault) in self.0.iter().flat_map(|(_, faults)| faults).enumerate() {
            let between = if place > 0 { "\n" } else { "" };
            write!(f, "{between}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnusableInputs {}

/// Whether the splits are long enough for what the runs do with them.
///
/// # Errors
/// [`InputFaults`], one for each split that is too short.
pub(super) fn check_lengths(plan: &Plan, runs: &[usize], corpus: &Prepared) -> Result<()> {
    let mut faults = Vec::new();
    let contexts = runs.iter().flat_map(|&index| {
        let spec = &plan.runs[index].spec;
        let of_teacher = match &spec.teacher {
            TeacherSpec::Train { train, .. } => Some(("teacher.train.context", train.context)),
            TeacherSpec::Dir { .. } | TeacherSpec::Hub { .. } => None,
        };
        [Some(("train.context", spec.train.context)), of_teacher]
    });
    let tokens = corpus.train.tokens().len();
    if let Some((key, context)) = contexts.flatten().max_by_key(|(_, context)| *context)
        && tokens <= context
    {
        faults.push(InputFault::of_key(
            "dataset.train",
            format!(
                "the training split has {tokens} tokens, fewer than the {} that one window of \
                 {key} = {context} needs",
                context + 1
            ),
            "give it more text or write a smaller context",
        ));
    }
    let specs: Vec<&RunSpec> = runs.iter().map(|&index| &plan.runs[index].spec).collect();
    for (name, split) in [("validation", &corpus.validation), ("test", &corpus.test)] {
        faults.extend(too_short(name, split).or_else(|| too_small_a_share(name, split, &specs)));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(InputFaults(faults).into())
    }
}

/// Whether the models that students start from have the tokens of the text.
///
/// # Errors
/// [`InputFaults`], one for each model that came with another tokenizer.
pub(super) fn check_starts(plan: &Plan, runs: &[usize], corpus: &Prepared) -> Result<()> {
    let folders: BTreeSet<PathBuf> = runs
        .iter()
        .filter_map(|&index| plan.runs[index].spec.student.init_dir.as_ref())
        .map(InputPath::resolve)
        .collect();
    let faults: Vec<InputFault> = folders
        .iter()
        .filter_map(|folder| start_of_other_tokens(folder, &corpus.tokenizer))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(InputFaults(faults).into())
    }
}

/// A perplexity needs a token that is predicted, and white space alone is no text to measure one
/// on.
fn too_short(name: &str, split: &Split) -> Option<InputFault> {
    let (tokens, words) = (split.tokens().len(), split.words);
    (tokens < 2 || words == 0).then(|| {
        InputFault::of_key(
            format!("dataset.{name}"),
            format!(
                "the {name} split has {tokens} tokens and {words} words: too little to measure a \
                 perplexity on"
            ),
            "give it more text",
        )
    })
}

/// A share that came out smaller than a window was hardly meant to: files of its own may be so
/// short, if somebody wants them to.
fn too_small_a_share(name: &str, split: &Split, specs: &[&RunSpec]) -> Option<InputFault> {
    let is_share = |spec: &&&RunSpec| {
        let shares = spec.dataset.shares();
        shares.iter().any(|(of, _)| *of == name)
    };
    let contexts = specs.iter().filter(is_share);
    let context = contexts.map(|spec| spec.evaluate.context).max()?;
    let tokens = split.tokens().len();
    (tokens < context).then(|| {
        InputFault::of_key(
            format!("dataset.{name}"),
            format!(
                "the {name} split has {tokens} tokens, fewer than one window of evaluate.context \
                 = {context}"
            ),
            "write a larger share, give it more text, or write a smaller context",
        )
    })
}

/// What the user should know of a corpus, in sentences.
pub(super) fn corpus_notes(corpus: &Prepared) -> Vec<String> {
    let shared = &corpus.shared;
    let splits = [
        (
            "validation",
            "training",
            shared.validation_in_train,
            &corpus.validation,
        ),
        ("test", "training", shared.test_in_train, &corpus.test),
        (
            "test",
            "validation",
            shared.test_in_validation,
            &corpus.test,
        ),
    ];
    let told = splits
        .into_iter()
        .filter(|(_, _, count, _)| *count > 0)
        .map(|(split, other, count, documents)| {
            format!(
                "warning: {count} of {} {split} documents are {other} documents too",
                documents.documents.len()
            )
        });
    told.chain(corpus.notes.iter().map(|note| format!("warning: {note}")))
        .collect()
}
