//! Targeted evaluation: whether a model holds the right text of a minimal pair more probable, and
//! finds the last word of a text.

use std::collections::BTreeMap;

use crate::data::{Item, Task};
use crate::model::{Gpt2, Window, score_windows};
use crate::ops::Ops;
use crate::record::evaluation::{TaskAnswers, TaskResult};

use super::decode::{TextWriter, generate};
use super::sampling::{Sampler, Sampling};
use super::watch::EvaluationWatch;

/// Asks a model every item of the tasks, by windows of at most `context` tokens.
///
/// A *pair* is answered right where log p(right) > log p(wrong), both as continuations of the
/// token that ends a text and of what both begin with; of longer texts the last `context` tokens
/// count, as many of both. A *cloze* is right where the word is what greedy decoding writes.
pub fn answers<D: Ops>(
    model: &Gpt2<D>,
    tasks: &BTreeMap<String, Task>,
    end_of_text: u32,
    context: usize,
    watch: &dyn EvaluationWatch,
) -> BTreeMap<String, TaskResult> {
    let result = |(name, task): (&String, &Task)| {
        let wanted = task.items.iter().filter(|_| !watch.is_stopped());
        let answers = wanted.map(|(about, items)| {
            let found = items_answered(model, items, end_of_text, context);
            watch.advance(items_flops(model, items, context));
            (about.clone(), TaskAnswers::new(&found))
        });
        let result = TaskResult {
            answers: answers.collect(),
        };
        (name.clone(), result)
    };
    tasks.iter().map(result).collect()
}

/// Operations of asking everything.
pub fn flops<D: Ops>(model: &Gpt2<D>, tasks: &BTreeMap<String, Task>, context: usize) -> f64 {
    let all = tasks.values().flat_map(|task| task.items.values());
    all.map(|items| items_flops(model, items, context)).sum()
}

fn items_flops<D: Ops>(model: &Gpt2<D>, items: &[Item], context: usize) -> f64 {
    let tokens = items.iter().map(|item| match item {
        Item::Pair { right, wrong } => right.len().min(context) + wrong.len().min(context),
        // Scored, and written.
        Item::Cloze { before, word } => 2 * (before.len() + word.len()).min(context),
    });
    tokens.sum::<usize>() as f64 * model.config.shape().forward_flops(context)
}

/// Of every item whether it is answered right, and the nats by which (of a pair, log p(right) −
/// log p(wrong); of a cloze, log p(word)).
fn items_answered<D: Ops>(
    model: &Gpt2<D>,
    items: &[Item],
    end_of_text: u32,
    context: usize,
) -> Vec<(bool, f64)> {
    let mut texts = ScoredTexts::default();
    for item in items {
        match item {
            Item::Pair { right, wrong } => texts.add_pair([right, wrong], end_of_text, context),
            Item::Cloze { before, word } => texts.add(before, word, end_of_text, context),
        }
    }
    let sums = texts.log_probabilities(model);
    let mut sums = sums.into_iter();
    // It may hold the weights once more: one for all, and none for pairs.
    let has_words = items.iter().any(|item| matches!(item, Item::Cloze { .. }));
    let writer = has_words.then(|| TextWriter::new(model));
    let mut next = || sums.next().unwrap_or(f64::NAN);
    items
        .iter()
        .map(|item| match item {
            Item::Pair { .. } => {
                let (right, wrong) = (next(), next());
                (right > wrong, right - wrong)
            }
            Item::Cloze { before, word } => {
                let writes = |writer| writes(writer, before, word, end_of_text, context);
                (writer.as_ref().is_some_and(writes), next())
            }
        })
        .collect()
}

/// Whether greedy decoding goes on with the word.
fn writes<D: Ops>(
    writer: &TextWriter<D>,
    before: &[u32],
    word: &[u32],
    end_of_text: u32,
    context: usize,
) -> bool {
    let mut prompt = vec![end_of_text];
    prompt.extend(before);
    let longest = context.saturating_sub(word.len()).max(1);
    let prompt = &prompt[prompt.len().saturating_sub(longest)..];
    let mut reader = writer.reader();
    let mut sampler = Sampler::new(Sampling::Greedy);
    generate(&mut *reader, prompt, word.len(), &mut sampler, &[], |_| {}) == word
}

/// Texts of which some last tokens are scored.
#[derive(Default)]
struct ScoredTexts {
    tokens: Vec<u32>,
    /// In the order in which they were added.
    windows: Vec<Window>,
}

impl ScoredTexts {
    /// Adds `scored` as the continuation of `before`.
    fn add(&mut self, before: &[u32], scored: &[u32], end_of_text: u32, context: usize) {
        let mut text = vec![end_of_text];
        text.extend(before);
        text.extend(scored);
        let cut = text.len().saturating_sub(context.max(2));
        let first_scored = (text.len() - scored.len()).max(cut + 1);
        let offset = self.tokens.len();
        self.tokens.extend(&text[cut..]);
        self.windows.push(Window {
            begin: offset,
            end: self.tokens.len(),
            first_scored: offset + first_scored - cut,
        });
    }

    /// Adds two texts, each as the continuation of what both begin with, cut alike.
    fn add_pair(&mut self, texts: [&Vec<u32>; 2], end_of_text: u32, context: usize) {
        let [a, b] = texts;
        let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let rest = (a.len() - same).max(b.len() - same);
        // The same beginning for both: what the longer rest leaves of the window.
        let kept = context.max(2).saturating_sub(rest + 1).min(same);
        let whole = kept == same;
        for text in texts {
            let before = &text[same - kept..same];
            let lead = if whole {
                end_of_text
            } else {
                text[same - kept - 1]
            };
            self.add(before, &text[same..], lead, context);
        }
    }

    /// The log-probability of the scored tokens of every text, in the order of their addition.
    fn log_probabilities<D: Ops>(&self, model: &Gpt2<D>) -> Vec<f64> {
        // Texts of one length go through together.
        let mut order: Vec<usize> = (0..self.windows.len()).collect();
        order.sort_by_key(|&index| self.windows[index].end - self.windows[index].begin);
        let mut sums = vec![0.0; self.windows.len()];
        let ends: Vec<usize> = self.windows.iter().map(|window| window.end).collect();
        let windows = order.iter().map(|&index| self.windows[index]);
        score_windows(model, None, &self.tokens, windows, |position, score| {
            // Windows lie one behind the other.
            let owner = ends.partition_point(|&end| end <= position);
            sums[owner] += score.log_probability;
        });
        sums
    }
}

#[cfg(test)]
#[path = "targeted_tests.rs"]
mod tests;
