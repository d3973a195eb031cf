//! Shapes that have to go together: heads and widths, windows and positions, tokenizer and teacher.

use super::super::run::{EvaluateSpec, TeacherSpec};
use super::super::written::WrittenRun;
use super::{CellReport, KnownFacts};

/// Checks the shapes of a cell, as far as the teacher's are known.
pub(super) fn check_shapes(run: &WrittenRun, known: &KnownFacts, report: &mut CellReport) {
    check_heads("student", run.student.width, run.student.heads, report);
    match &run.teacher {
        TeacherSpec::Train { width, heads, .. } => check_heads("teacher", *width, *heads, report),
        TeacherSpec::Dir { .. } | TeacherSpec::Hub { .. } => {}
    }
    check_evaluation(&run.evaluate, report);
    check_teacher(run, known, report);
}

fn check_heads(who: &str, width: usize, heads: usize, report: &mut CellReport) {
    if width.is_multiple_of(heads) {
        return;
    }
    let fewer = (1..=heads)
        .rev()
        .find(|heads| width.is_multiple_of(*heads))
        .unwrap_or(1);
    let wider = width.next_multiple_of(heads);
    report.problem(
        &format!("{who}.heads"),
        format!("{who}.heads = {heads} does not divide {who}.width = {width}"),
        format!("write heads = {fewer}, or width = {wider}"),
    );
}

fn check_evaluation(evaluate: &EvaluateSpec, report: &mut CellReport) {
    if evaluate.stride > evaluate.context {
        let message = format!(
            "evaluate.stride = {} is more than evaluate.context = {}: tokens between would not be \
             scored",
            evaluate.stride, evaluate.context
        );
        report.problem(
            "evaluate.stride",
            message,
            format!("write stride = {} or less", evaluate.context),
        );
    }
    if evaluate.embed_tokens > evaluate.probe_tokens {
        let message = format!(
            "evaluate.embed_tokens = {} is more than evaluate.probe_tokens = {}",
            evaluate.embed_tokens, evaluate.probe_tokens
        );
        report.problem(
            "evaluate.embed_tokens",
            message,
            format!("write embed_tokens = {} or less", evaluate.probe_tokens),
        );
    }
}

/// Windows are no longer than the teacher's positions, and its vocabulary is the tokenizer's.
fn check_teacher(run: &WrittenRun, known: &KnownFacts, report: &mut CellReport) {
    let Some(teacher) = &known.teacher else {
        return;
    };
    let set_by = match run.teacher {
        TeacherSpec::Train { .. } => " (teacher.train.context)",
        TeacherSpec::Dir { .. } | TeacherSpec::Hub { .. } => "",
    };
    let positions = teacher.positions;
    for (key, context) in [
        ("train.context", run.train.context),
        ("evaluate.context", run.evaluate.context),
    ] {
        if context > positions {
            let message = format!(
                "{key} = {context} is longer than the teacher's {positions} positions{set_by}"
            );
            report.problem(key, message, format!("write context = {positions} or less"));
        }
    }
    if let (Some(tokens), Some(rows)) = (known.vocabulary, teacher.vocabulary)
        && !fits(tokens, known.own_vocabulary, rows)
    {
        report.problem(
            "tokenizer.source",
            format!("the tokenizer has {tokens} tokens, and the teacher's vocabulary {rows}"),
            "take the tokenizer that the teacher was trained with",
        );
    }
}

/// Whether a model of `rows` rows serves a tokenizer of `tokens` tokens, of which any text may have
/// the first `own`: it is padded, or lacks rows for added tokens alone. A text that spells one of
/// those is refused when it is read.
pub(super) fn fits(tokens: usize, own: Option<usize>, rows: usize) -> bool {
    let own = own.unwrap_or(tokens);
    is_padded(tokens, rows) || is_padded(own, rows) || (own..tokens).contains(&rows)
}

/// Whether a model of `rows` rows belongs to a tokenizer of `tokens` tokens: as many, or that
/// number rounded up to a multiple of 8 … 128, as models are padded for speed (GPT-2's 50257 to
/// 50304); or all but tokens that were added later, `without_added` being the others, for which the
/// model was not given rows (a `[PAD]`, which is in no text: one that is, is refused when the text
/// is known).
///
/// Padding is harmless: no text has its ids, the student gets the same rows, and every softmax runs
/// over all of them for teacher and student alike. Any other difference, even of a larger model,
/// most likely means another tokenizer, under which every id stands for something else: that would
/// be silent nonsense.
fn is_padded(tokens: usize, rows: usize) -> bool {
    tokens == rows
        || [8, 16, 32, 64, 128]
            .iter()
            .any(|&block| tokens.next_multiple_of(block) == rows)
}
