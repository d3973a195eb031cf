//! Log-probabilities of a text's tokens under a model, by windows: the base of every perplexity.

use super::Gpt2;
use crate::ops::{Ops, TeacherHead, TokenScore};

/// Rows (tokens) of one forward pass, so that memory does not grow with the text.
const ROWS: usize = 4096;

/// A stretch `begin … end` of a text that the model reads on its own, and the first position in it
/// whose token counts; the token at `begin` has nothing before it and never counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub begin: usize,
    pub end: usize,
    pub first_scored: usize,
}

/// Scores `tokens` by `windows` and calls `visit(position, score)` on every scored position, in the
/// order of the windows.
///
/// A window reads its tokens begin … end − 2 and predicts begin + 1 … end − 1. With a teacher each
/// score also holds the distance to its prediction; both have the same vocabulary. Neighbouring
/// windows of equal length go through together, a bounded number of tokens at a time.
pub fn score_windows<D: Ops>(
    model: &Gpt2<D>,
    teacher: Option<&Gpt2<D>>,
    tokens: &[u32],
    windows: impl IntoIterator<Item = Window>,
    mut visit: impl FnMut(usize, TokenScore),
) {
    let mut batch: Vec<Window> = Vec::new();
    for window in windows
        .into_iter()
        .filter(|window| window.first_scored < window.end)
    {
        let inputs = window.end - window.begin - 1;
        if let Some(first) = batch.first()
            && (first.end - first.begin - 1 != inputs || (batch.len() + 1) * inputs > ROWS)
        {
            score_batch(model, teacher, tokens, &batch, &mut visit);
            batch.clear();
        }
        batch.push(window);
    }
    if !batch.is_empty() {
        score_batch(model, teacher, tokens, &batch, &mut visit);
    }
}

/// The windows of `tokens` tokens, [b, min(b + C, n)) for b = 0, S, 2S, … until the end is reached,
/// C the context and S the stride; each scores the positions that none before it has reached, but
/// never its own first.
pub fn windows(tokens: usize, context: usize, stride: usize) -> impl Iterator<Item = Window> {
    assert!(
        0 < stride && stride <= context,
        "a stride of {stride} for a context of {context}"
    );
    let last = tokens.saturating_sub(context).div_ceil(stride);
    let count = if tokens == 0 { 0 } else { last + 1 };
    (0..count).map(move |i| {
        let begin = i * stride;
        let before = if i == 0 { 0 } else { begin - stride + context };
        Window {
            begin,
            end: (begin + context).min(tokens),
            first_scored: before.max(begin + 1),
        }
    })
}

/// Validation during training: the mean negative log-likelihood, in nats per scored token, of a
/// whole text by windows of `context` tokens side by side. NaN if the text has no token to score.
pub fn validation_nll<D: Ops>(model: &Gpt2<D>, tokens: &[u32], context: usize) -> f64 {
    let (mut nats, mut count) = (0.0, 0u64);
    score_windows(
        model,
        None,
        tokens,
        windows(tokens.len(), context, context),
        |_, score| {
            nats -= score.log_probability;
            count += 1;
        },
    );
    nats / count as f64
}

/// Scores windows of one length.
fn score_batch<D: Ops>(
    model: &Gpt2<D>,
    teacher: Option<&Gpt2<D>>,
    tokens: &[u32],
    windows: &[Window],
    visit: &mut impl FnMut(usize, TokenScore),
) {
    let context = windows[0].end - windows[0].begin - 1;
    let inputs: Vec<u32> = windows
        .iter()
        .flat_map(|window| &tokens[window.begin..window.end - 1])
        .copied()
        .collect();
    let positions: Vec<usize> = windows
        .iter()
        .flat_map(|window| window.first_scored.max(window.begin + 1)..window.end)
        .collect();
    let rows: Vec<usize> = windows
        .iter()
        .enumerate()
        .flat_map(|(i, window)| {
            (window.first_scored.max(window.begin + 1)..window.end)
                .map(move |p| i * context + p - 1 - window.begin)
        })
        .collect();
    let targets: Vec<u32> = positions.iter().map(|&position| tokens[position]).collect();
    let final_states = |model: &Gpt2<D>| {
        let all = model.infer(&inputs, context, &[]).last;
        if rows.len() == inputs.len() {
            return all;
        }
        // Only the rows that count go through the head: with overlapping windows most do not.
        D::pick_rows(&all, &rows)
    };
    let scores = D::on_a_worker(|| {
        let hidden = final_states(model);
        let teacher_states = teacher.map(|teacher| (final_states(teacher), teacher.head()));
        let teacher_head = teacher_states
            .as_ref()
            .map(|(hidden, head)| TeacherHead::new(hidden, *head));
        D::score(&hidden, model.head(), &targets, teacher_head)
    });
    positions
        .into_iter()
        .zip(scores)
        .for_each(|(position, score)| visit(position, score));
}
