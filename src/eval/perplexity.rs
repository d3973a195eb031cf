//! Perplexity of a split, per document, and closeness to a teacher's predictions, from one pass
//! over its windows.

use crate::model::{Gpt2, score_windows, windows};
use crate::ops::Ops;
use crate::record::evaluation::{Perplexity, finite};

use super::watch::EvaluationWatch;

/// Most entries of [`Perplexity::documents`].
const GROUPS: usize = 10_000;

/// A text to score.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    pub tokens: &'a [u32],
    /// Where its documents begin, ascending, the first at 0.
    pub documents: &'a [usize],
    pub words: u64,
    pub bytes: u64,
}

/// How a student's predictions compare with its teacher's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closeness {
    /// Mean KL(teacher ‖ student) at temperature 1, in nats per token; none where it is no number.
    pub kl_nats_per_token: Option<f64>,
    /// Share of tokens whose most probable next token is the teacher's.
    pub top1: f64,
}

/// Scores `text` by windows of `context` tokens every `stride`. Where `watch` stops it, what comes
/// is of a part of the text alone.
pub fn perplexity<D: Ops>(
    model: &Gpt2<D>,
    text: &Text,
    context: usize,
    stride: usize,
    watch: &dyn EvaluationWatch,
) -> Perplexity {
    perplexity_and_closeness(model, None, text, (context, stride), watch).0
}

/// The same, and closeness to the teacher, if there is one, on the same positions.
pub fn perplexity_and_closeness<D: Ops>(
    model: &Gpt2<D>,
    teacher: Option<&Gpt2<D>>,
    text: &Text,
    (context, stride): (usize, usize),
    watch: &dyn EvaluationWatch,
) -> (Perplexity, Option<Closeness>) {
    let forward = |model: &Gpt2<D>| model.config.shape().forward_flops(context);
    let of_window = context as f64 * (forward(model) + teacher.map_or(0.0, forward));
    // A window is asked for when those before it are read, but for a batch of them.
    let watched = windows(text.tokens.len(), context, stride)
        .take_while(|_| !watch.is_stopped())
        .inspect(|_| watch.advance(of_window));
    let mut sums = DocumentSums::new(text.documents);
    let (mut kl, mut agreed) = (0.0, 0u64);
    score_windows(model, teacher, text.tokens, watched, |position, score| {
        sums.add(position, -score.log_probability);
        kl += score.kl;
        agreed += u64::from(score.agrees);
    });
    let perplexity = summarise(text, sums.groups);
    let scored = perplexity.scored_tokens as f64;
    let closeness = teacher.map(|_| Closeness {
        kl_nats_per_token: finite(kl / scored),
        top1: agreed as f64 / scored,
    });
    (perplexity, closeness)
}

/// Sums of log-probabilities over groups of neighbouring documents.
struct DocumentSums<'a> {
    starts: &'a [usize],
    per_group: usize,
    /// The document of the last position, from where the next one is searched: positions ascend.
    current: usize,
    groups: Vec<(f64, u64)>,
}

impl<'a> DocumentSums<'a> {
    fn new(starts: &'a [usize]) -> Self {
        let per_group = starts.len().div_ceil(GROUPS).max(1);
        Self {
            starts,
            per_group,
            current: 0,
            groups: vec![(0.0, 0); starts.len().div_ceil(per_group).max(1)],
        }
    }

    fn add(&mut self, position: usize, nats: f64) {
        while self
            .starts
            .get(self.current + 1)
            .is_some_and(|&start| start <= position)
        {
            self.current += 1;
        }
        let (sum, count) = &mut self.groups[self.current / self.per_group];
        *sum += nats;
        *count += 1;
    }
}

/// The totals, from the sums of the groups in order, so that they can be recomputed from what is
/// stored.
fn summarise(text: &Text, documents: Vec<(f64, u64)>) -> Perplexity {
    let nats: f64 = documents.iter().map(|(sum, _)| sum).sum();
    let scored_tokens: u64 = documents.iter().map(|(_, count)| count).sum();
    let nll = nats / scored_tokens as f64;
    let tokens = text.tokens.len() as u64;
    Perplexity {
        tokens,
        scored_tokens,
        words: text.words,
        bytes: text.bytes,
        nll_nats_per_token: nll,
        perplexity: finite(nll.exp()),
        word_perplexity: finite((nll * tokens as f64 / text.words as f64).exp()),
        bits_per_byte: finite(nll * tokens as f64 / (text.bytes as f64 * std::f64::consts::LN_2)),
        documents,
    }
}

#[cfg(test)]
#[path = "perplexity_tests.rs"]
mod tests;
