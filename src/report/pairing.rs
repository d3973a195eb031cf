//! Runs of two settings, paired by their seeds, and what can be compared of them.

use super::axes::SEED;
use super::data::{RunData, StudyData};
use super::statistics::Paired;
use crate::plan::run::RunSpec;

/// The runs of a seed in two settings.
pub type RunPair<'a> = (&'a RunData, &'a RunData);

/// Runs of two lists of cells by seed, in the order of the first list's; a seed that one of them
/// has alone is left out.
pub fn by_seed<'a>(data: &'a StudyData, a: &[usize], b: &[usize]) -> Vec<RunPair<'a>> {
    let seed = |cell: usize| data.study.cells[cell].at.get(SEED);
    let partner = |cell: usize| b.iter().find(|&&other| seed(other) == seed(cell));
    a.iter()
        .filter_map(|&cell| Some((data.run(cell), data.run(*partner(cell)?))))
        .collect()
}

/// Pairs of runs that both finished.
pub fn both_finished<'a>(data: &'a StudyData, a: &[usize], b: &[usize]) -> Vec<RunPair<'a>> {
    by_seed(data, a, b)
        .into_iter()
        .filter(|(a, b)| a.state.is_finished() && b.state.is_finished())
        .collect()
}

/// The comparison of losses; none of no pairs.
pub fn paired(pairs: &[RunPair]) -> Option<Paired> {
    let losses =
        |side: fn(&RunPair) -> Option<f64>| -> Vec<f64> { pairs.iter().filter_map(side).collect() };
    (!pairs.is_empty())
        .then(|| Paired::new(&losses(|pair| pair.0.nll()), &losses(|pair| pair.1.nll())))
}

/// Why the losses of pairs say nothing about what was changed, if they do not. Where an axis that
/// the pairs differ in is asked about, the order of the data may be what it changes.
pub fn confounded(pairs: &[RunPair], is_order_asked_about: bool) -> Option<&'static str> {
    let is_one_run = |(a, b): &RunPair| a.id == b.id && a.evaluation_key == b.evaluation_key;
    if pairs.iter().any(is_one_run) {
        return Some("both are the same run: what the arm changes has no effect");
    }
    for (a, b) in pairs {
        if let (Some(a), Some(b)) = (&a.evaluation, &b.evaluation)
            && (a.protocol != b.protocol
                || a.test.tokens != b.test.tokens
                || a.test.scored_tokens != b.test.scored_tokens)
        {
            return Some("their perplexities were measured by different protocols");
        }
        if let (Some(a), Some(b)) = (&a.spec, &b.spec)
            && !is_order_asked_about
            && !same_order(a, b)
        {
            return Some("they were trained on other data, or in another order");
        }
    }
    None
}

/// Whether two runs saw the same batches in the same order, as far as both went.
fn same_order(a: &RunSpec, b: &RunSpec) -> bool {
    let batches = |spec: &RunSpec| {
        (
            spec.train.batch * spec.train.accumulate,
            spec.train.context,
            spec.train.shuffle,
        )
    };
    a.seed == b.seed
        && a.dataset == b.dataset
        && a.tokenizer == b.tokenizer
        && batches(a) == batches(b)
}

/// Mean over seeds of the difference on every document, in nats per token, with its scored tokens;
/// none where the documents are not the same.
pub fn text_difference(pairs: &[RunPair]) -> Option<Vec<(f64, u64)>> {
    let scored = scored_tokens(documents(pairs.first()?.0)?);
    let mut sums = vec![0.0; scored.len()];
    for (a, b) in pairs {
        let (a, b) = (documents(a)?, documents(b)?);
        if scored_tokens(a) != scored || scored_tokens(b) != scored {
            return None;
        }
        sums.iter_mut()
            .zip(a.iter().zip(b))
            .for_each(|(sum, (a, b))| *sum += (a.0 - b.0) / a.1.max(1) as f64);
    }
    let means = sums.iter().map(|sum| sum / pairs.len() as f64);
    Some(means.zip(scored).collect())
}

/// NLL in nats and scored tokens of every document of the test text.
fn documents(run: &RunData) -> Option<&[(f64, u64)]> {
    let evaluation = run.evaluation.as_ref()?;
    Some(&evaluation.test.documents)
}

fn scored_tokens(documents: &[(f64, u64)]) -> Vec<u64> {
    documents.iter().map(|document| document.1).collect()
}
