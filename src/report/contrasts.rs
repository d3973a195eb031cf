//! One comparison: the difference, its interval and the verdict.

use std::collections::BTreeSet;

use super::axes::{ARM, SEED};
use super::data::{StudyData, training_flops};
use super::delivery::{Delivery, deliveries};
use super::pairing::{RunPair, both_finished, by_seed, confounded, text_difference};
use super::questions::{Asked, Question};
use super::rows::TableRow;
use super::statistics::{Paired, corrected, mean_of, text_error};
use super::verdict::Verdict;

/// Operations that are taken as equal: up to so many times as many.
const EQUAL: f64 = 1.05;

/// A comparison with what came out.
#[derive(Debug, Clone)]
pub struct Contrast {
    pub asked: Asked,
    /// Over the seeds that all its rows finished; none where there are none.
    pub paired: Option<Paired>,
    /// Mean losses of the two settings over those seeds; none where it is more than one difference.
    pub losses: Option<(f64, f64)>,
    /// α over the size of the family.
    pub alpha: f64,
    /// Simultaneous.
    pub interval: Option<(f64, f64)>,
    /// Simultaneous, for text like the test text.
    pub interval_text: Option<(f64, f64)>,
    /// Corrected for the family, as the interval is.
    pub p: Option<f64>,
    pub posterior: Option<[f64; 3]>,
    pub verdict: Verdict,
    /// The verdict with diverged seeds ranked last, where some diverged.
    pub verdict_ranked_last: Option<Verdict>,
    /// Where the exact sign flips disagree with the t test: their p value.
    pub sign_flips_disagree: Option<f64>,
    /// Counted training operations over the other row's.
    pub compute_ratio: Option<f64>,
    /// Whether the answer is about it.
    pub is_told: bool,
    /// What its verdict hangs on, where it is told, in words (`seed 3`, `peak 0.003`): without that
    /// seed, or with that value, it would point another way.
    pub hangs_on: Vec<String>,
    /// Of an arm with hidden losses against another arm: what became of the states that they match.
    pub deliveries: Vec<Delivery>,
}

impl Contrast {
    /// How many times the other's operations it takes, where they are not about as many.
    pub fn other_operations(&self) -> Option<f64> {
        self.compute_ratio
            .filter(|ratio| !(1.0 / EQUAL..=EQUAL).contains(ratio))
    }

    /// The comparison as far as it does not depend on how many others there are.
    pub fn new(data: &StudyData, rows: &[TableRow], asked: Asked) -> Self {
        let reason = if asked.pairs.is_empty() {
            Some("its baseline is not in the grid".to_owned())
        } else {
            not_comparable(data, rows, &asked)
        };
        let flops = |row: usize| {
            rows[row]
                .finished(data)
                .find_map(|run| training_flops(run.evaluation.as_ref()?))
        };
        let compute_ratio = match asked.pairs.as_slice() {
            [(a, b)] => flops(*a).zip(flops(*b).filter(|&flops| flops > 0.0)),
            _ => None,
        };
        Self {
            paired: paired(data, rows, &asked),
            losses: mean_losses(data, rows, &asked),
            alpha: data.study.report.alpha,
            interval: None,
            interval_text: None,
            p: None,
            posterior: None,
            verdict: reason.map_or(Verdict::TooFewSeeds, Verdict::NotComparable),
            verdict_ranked_last: None,
            sign_flips_disagree: None,
            compute_ratio: compute_ratio.map(|(a, b)| a / b),
            is_told: false,
            hangs_on: Vec::new(),
            deliveries: delivered(data, rows, &asked),
            asked,
        }
    }

    /// Fills in what depends on the `family`, which is as large as that: `alpha` is already divided
    /// by it. `worst` is the highest loss of the rows.
    pub fn judge(
        &mut self,
        data: &StudyData,
        rows: &[TableRow],
        (alpha, family): (f64, usize),
        worst: Option<f64>,
    ) {
        let Some(paired) = &self.paired else {
            return;
        };
        let margin = data.study.report.margin;
        self.alpha = alpha;
        self.p = paired.p.map(|p| corrected(p, family));
        self.interval = paired.interval(alpha, paired.error);
        self.posterior = paired.posterior(margin);
        self.interval_text = interval_of_like_text(data, rows, &self.asked, paired, alpha);
        // So few seeds that no p value of theirs can be as small as this decide nothing here.
        let can_tell = 0.5_f64.powi(paired.n() as i32 - 1) <= alpha;
        self.sign_flips_disagree = paired
            .sign_flips()
            .filter(|&flips| can_tell && paired.p.is_some_and(|p| (p <= alpha) != (flips <= alpha)))
            .map(|p| corrected(p, family));
        if self.verdict.reason().is_none() {
            self.verdict = Verdict::new(paired, alpha, margin);
        }
        let has_diverged = |&(a, b): &(usize, usize)| rows[a].diverged + rows[b].diverged > 0;
        self.verdict_ranked_last = worst
            .filter(|_| self.asked.pairs.iter().any(has_diverged))
            .and_then(|worst| ranked_last(data, rows, &self.asked, worst))
            .map(|paired| Verdict::new(&paired, alpha, margin));
    }

    /// The same two rows the other way round; of a pair of rows, which both have a name.
    pub fn turned(&self) -> Self {
        let asked = &self.asked;
        let turn = |interval: Option<(f64, f64)>| interval.map(|(low, high)| (-high, -low));
        Self {
            asked: Asked {
                label: asked.against.clone().unwrap_or_default(),
                against: Some(asked.label.clone()),
                row: asked.pairs.first().map(|pair| pair.1),
                pairs: asked.pairs.iter().map(|&(a, b)| (b, a)).collect(),
                ..asked.clone()
            },
            paired: self.paired.as_ref().map(Paired::turned),
            losses: self.losses.map(|(own, other)| (other, own)),
            interval: turn(self.interval),
            interval_text: turn(self.interval_text),
            posterior: self
                .posterior
                .map(|[below, within, above]| [above, within, below]),
            verdict: self.verdict.turned(),
            verdict_ranked_last: self.verdict_ranked_last.as_ref().map(Verdict::turned),
            compute_ratio: self.compute_ratio.map(f64::recip),
            ..self.clone()
        }
    }

    /// Whether a hidden loss brought nothing closer to the teacher.
    pub fn is_treatment_missed(&self) -> bool {
        self.deliveries.iter().any(Delivery::is_missed)
    }

    /// The row that it is about and the one that is compared with it; none of a mean over several.
    pub fn rows(&self) -> Option<(usize, usize)> {
        match self.asked.pairs.as_slice() {
            [pair] => Some(*pair),
            _ => None,
        }
    }
}

/// The places of the primary comparisons that can be judged, or of all others: a family, which
/// shares α.
pub fn family(contrasts: &[Contrast], is_primary: bool) -> Vec<usize> {
    let is_of_it = |one: &Contrast| one.asked.is_primary == is_primary && one.paired.is_some();
    (0..contrasts.len())
        .filter(|&place| is_of_it(&contrasts[place]))
        .collect()
}

/// How many comparisons share α in a family of these places: those of the same runs, under other
/// names, are one, and one of runs with themselves is none.
pub fn sharing(
    data: &StudyData,
    rows: &[TableRow],
    contrasts: &[Contrast],
    family: &[usize],
) -> usize {
    let runs = |row: usize| -> Vec<usize> {
        let cells = rows[row].cells.iter();
        cells.map(|&cell| data.run_of_cell[cell]).collect()
    };
    // Of several differences it counts what is made of them: their mean, or how they differ.
    let compared = |place: &usize| {
        let asked = &contrasts[*place].asked;
        let made = (asked.pairs.len() > 1).then(|| format!("{:?}", asked.question));
        let pairs = asked.pairs.iter().map(|&(a, b)| [runs(a), runs(b)]);
        (made, pairs.collect::<Vec<_>>())
    };
    let all = family.iter().map(compared);
    // A difference of runs to themselves asks nothing.
    let asks = all.filter(|(_, pairs)| pairs.iter().any(|[a, b]| a != b));
    asks.collect::<BTreeSet<_>>().len()
}

/// What became of the states that a row's hidden losses match, beside those of another arm; where
/// only the other has such losses, of its.
fn delivered(data: &StudyData, rows: &[TableRow], asked: &Asked) -> Vec<Delivery> {
    let [(a, b)] = asked.pairs.as_slice() else {
        return Vec::new();
    };
    let (a, b) = (&rows[*a], &rows[*b]);
    if a.at.get(ARM) == b.at.get(ARM) {
        return Vec::new();
    }
    if a.follows_a_map(data) {
        deliveries(data, rows, a, b)
    } else {
        deliveries(data, rows, b, a)
    }
}

/// Seeds in the order of the first pair's rows.
fn seeds<'a>(data: &'a StudyData, rows: &[TableRow], asked: &Asked) -> Vec<Option<&'a String>> {
    let Some(&(a, b)) = asked.pairs.first() else {
        return Vec::new();
    };
    let mut seeds = Vec::new();
    for &cell in rows[a].cells.iter().chain(&rows[b].cells) {
        let seed = data.study.cells[cell].at.get(SEED);
        if !seeds.contains(&seed) {
            seeds.push(seed);
        }
    }
    seeds
}

/// Σ of the pairs' differences by seed, times the scale, over the seeds that `loss` gives every
/// row a loss of; with the seeds.
fn by_their_seeds<'a>(
    data: &'a StudyData,
    rows: &[TableRow],
    asked: &Asked,
    loss: impl Fn(&super::data::RunData) -> Option<f64>,
) -> Vec<(Option<&'a String>, f64)> {
    let of_row = |row: usize, seed: Option<&String>| {
        let mut cells = rows[row].cells.iter();
        let cell = cells.find(|&&cell| data.study.cells[cell].at.get(SEED) == seed)?;
        loss(data.run(*cell))
    };
    seeds(data, rows, asked)
        .into_iter()
        .filter_map(|seed| {
            let mut sum = 0.0;
            for &(a, b) in &asked.pairs {
                sum += of_row(a, seed)? - of_row(b, seed)?;
            }
            Some((seed, sum * asked.scale))
        })
        .collect()
}

/// The differences of a comparison by the seeds that all its rows finished, in their order.
pub fn differences_by_seed(
    data: &StudyData,
    rows: &[TableRow],
    asked: &Asked,
) -> Vec<(String, f64)> {
    let found = by_their_seeds(data, rows, asked, super::data::RunData::nll);
    let named = found.into_iter();
    named
        .map(|(seed, own)| (seed.cloned().unwrap_or_default(), own))
        .collect()
}

/// The same without the seeds.
fn differences(
    data: &StudyData,
    rows: &[TableRow],
    asked: &Asked,
    loss: impl Fn(&super::data::RunData) -> Option<f64>,
) -> Vec<f64> {
    let found = by_their_seeds(data, rows, asked, loss).into_iter();
    found.map(|(_, own)| own).collect()
}

/// The mean losses of two rows over the seeds that both finished.
fn mean_losses(data: &StudyData, rows: &[TableRow], asked: &Asked) -> Option<(f64, f64)> {
    let [(a, b)] = asked.pairs.as_slice() else {
        return None;
    };
    let pairs = both_finished(data, &rows[*a].cells, &rows[*b].cells);
    let mean = |side: fn(&RunPair) -> Option<f64>| mean_of(pairs.iter().filter_map(side));
    mean(|pair| pair.0.nll()).zip(mean(|pair| pair.1.nll()))
}

/// The comparison of losses; none of no seeds.
fn paired(data: &StudyData, rows: &[TableRow], asked: &Asked) -> Option<Paired> {
    if let [(a, b)] = asked.pairs.as_slice() {
        let pairs = both_finished(data, &rows[*a].cells, &rows[*b].cells);
        return super::pairing::paired(&pairs);
    }
    let differences = differences(data, rows, asked, super::data::RunData::nll);
    (!differences.is_empty()).then(|| Paired::of(differences))
}

/// Why the rows say nothing about what was asked.
fn not_comparable(data: &StudyData, rows: &[TableRow], asked: &Asked) -> Option<String> {
    let changes_the_order = |key: &str| key.starts_with("train.") || key.starts_with("dataset.");
    let is_order_asked_about = match &asked.question {
        Question::Axis(key) | Question::Main(key) => changes_the_order(key),
        Question::Interaction(first, second) => {
            changes_the_order(first) || changes_the_order(second)
        }
        Question::Baseline => data
            .study
            .report
            .baseline
            .keys()
            .any(|key| changes_the_order(key)),
        Question::Compute | Question::Untreated | Question::Null => false,
    };
    asked.pairs.iter().find_map(|&(a, b)| {
        let (a, b) = (&rows[a], &rows[b]);
        let pairs = both_finished(data, &a.cells, &b.cells);
        confounded(&pairs, is_order_asked_about)
            .map(str::to_owned)
            .or_else(|| incomplete(data, a, b, pairs.len()))
    })
}

/// The interval with the error of the test text added to that of the seeds.
fn interval_of_like_text(
    data: &StudyData,
    rows: &[TableRow],
    asked: &Asked,
    paired: &Paired,
    alpha: f64,
) -> Option<(f64, f64)> {
    let mut sums: Option<Vec<(f64, u64)>> = None;
    for &(a, b) in &asked.pairs {
        let pairs = both_finished(data, &rows[a].cells, &rows[b].cells);
        let of_pair = text_difference(&pairs)?.into_iter();
        let of_pair = of_pair.map(|(difference, tokens)| (difference * asked.scale, tokens));
        sums = match sums {
            None => Some(of_pair.collect()),
            Some(sums) => Some(
                sums.into_iter()
                    .zip(of_pair)
                    .map(|((sum, tokens), (difference, _))| (sum + difference, tokens))
                    .collect(),
            ),
        };
    }
    let both_errors = paired
        .error
        .zip(text_error(&sums?))
        .map(|(seeds, text)| seeds.hypot(text));
    paired.interval(alpha, both_errors)
}

/// The comparison with the highest loss of the study for every run that diverged.
fn ranked_last(data: &StudyData, rows: &[TableRow], asked: &Asked, worst: f64) -> Option<Paired> {
    let differences = differences(data, rows, asked, |run| run.nll_or_worst(worst));
    (!differences.is_empty()).then(|| Paired::of(differences))
}

/// That some seeds of both rows did not finish in both, and why, where that is so.
fn incomplete(
    data: &StudyData,
    row: &TableRow,
    baseline: &TableRow,
    finished: usize,
) -> Option<String> {
    // A seed that the grid has in one of them alone is none that did not finish.
    let all = by_seed(data, &row.cells, &baseline.cells).len();
    if finished == all {
        return None;
    }
    let reasons: Vec<String> = [row, baseline].into_iter().filter_map(unfinished).collect();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join(", "))
    };
    Some(format!(
        "{finished} of {all} seeds finished in both{reasons}"
    ))
}

/// How many seeds of a row have no result.
fn unfinished(row: &TableRow) -> Option<String> {
    match (row.diverged, row.missing) {
        (0, 0) => None,
        (diverged, 0) => Some(format!("{diverged} diverged in {}", row.name)),
        (0, missing) => Some(format!("{missing} not finished in {}", row.name)),
        (diverged, missing) => Some(format!(
            "{diverged} diverged and {missing} not finished in {}",
            row.name
        )),
    }
}

#[cfg(test)]
#[path = "contrasts_tests.rs"]
mod tests;
