//! What models get right of the items that they are asked.

use serde::Serialize;

use super::teacher_names::named_teachers;
use crate::record::evaluation::{Evaluation, TaskResult};
use crate::report::analysis::Analysis;
use crate::report::data::{RunData, StudyData};
use crate::report::pairing::{RunPair, both_finished};
use crate::report::questions::Question;
use crate::report::rows::TableRow;
use crate::report::statistics::{Paired, mean, mean_of, text_error};

/// A task with every model's answers.
#[derive(Debug, Clone, Serialize)]
pub struct TaskFacts {
    pub name: String,
    /// What its items are about, and how many each has.
    pub phenomena: Vec<Phenomenon>,
    pub rows: Vec<TaskRow>,
    /// What else is compared: with the same setting without hidden losses, and with one that has as
    /// many operations.
    pub comparisons: Vec<TaskComparison>,
    /// Error rate of each interval: α over their number.
    pub alpha: f64,
}

/// What items are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Phenomenon {
    pub name: String,
    pub items: usize,
}

/// Two settings.
#[derive(Debug, Clone, Serialize)]
pub struct TaskComparison {
    pub label: String,
    pub against: String,
    /// By phenomenon, in their order: of the shares.
    pub differences: Vec<Option<f64>>,
    /// Of all items; positive is better.
    pub difference: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// What a setting, or the teacher, gets right: shares of the items, means over seeds.
#[derive(Debug, Clone, Serialize)]
pub struct TaskRow {
    pub label: String,
    /// By phenomenon, in their order.
    pub shares: Vec<Option<f64>>,
    /// Of all items.
    pub share: Option<f64>,
    /// Against the baseline, where there are such runs: positive is better.
    pub difference: Option<f64>,
    pub against: Option<String>,
    pub seeds: usize,
    /// For other seeds and other items of the same kind.
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// Every task that some model was asked.
pub fn tasks(data: &StudyData, analysis: &Analysis) -> Vec<TaskFacts> {
    let evaluations = data.runs.iter().chain(&data.teachers);
    let mut names: Vec<&String> = evaluations
        .filter_map(|run| Some(run.evaluation.as_ref()?.tasks.keys()))
        .flatten()
        .collect();
    names.sort();
    names.dedup();
    let all = names.into_iter();
    all.filter_map(|name| task(data, analysis, name)).collect()
}

fn task(data: &StudyData, analysis: &Analysis, name: &str) -> Option<TaskFacts> {
    let mut runs = data.runs.iter().chain(&data.teachers);
    let shown = runs.find_map(|run| result(run, name))?;
    let phenomena: Vec<Phenomenon> = shown
        .answers
        .iter()
        .map(|(about, answers)| Phenomenon {
            name: about.clone(),
            items: answers.right.len(),
        })
        .collect();
    let asked = |questions: &[Question]| -> Vec<(usize, usize)> {
        let contrasts = analysis.contrasts.iter();
        let of_these = contrasts.filter(|one| questions.contains(&one.asked.question));
        of_these.filter_map(|one| one.rows()).collect()
    };
    let compared = asked(&[Question::Baseline]);
    let others = asked(&[Question::Untreated, Question::Compute]);
    let intervals = compared.len() + others.len();
    let alpha = data.study.report.alpha / intervals.max(1) as f64;
    let mut rows: Vec<TaskRow> = Vec::new();
    for (index, row) in analysis.rows.iter().enumerate() {
        let finished: Vec<&RunData> = row.finished(data).collect();
        let Some(mut found) = TaskRow::of(&row.label, &finished, name, &phenomena) else {
            continue;
        };
        if let Some((_, other)) = compared.iter().find(|(a, _)| *a == index) {
            let other = &analysis.rows[*other];
            found.compare(&both_finished(data, &row.cells, &other.cells), name, alpha);
            found.against = found.difference.map(|_| other.label.clone());
        }
        rows.push(found);
    }
    for (label, teacher) in named_teachers(data) {
        rows.extend(TaskRow::of(&label, &[teacher], name, &phenomena));
    }
    let comparisons = others.into_iter().filter_map(|(a, b)| {
        let rows = (&analysis.rows[a], &analysis.rows[b]);
        comparison(data, rows, (name, &phenomena), alpha)
    });
    let comparisons: Vec<TaskComparison> = comparisons.collect();
    Some(TaskFacts {
        name: name.to_owned(),
        phenomena,
        rows,
        comparisons,
        alpha,
    })
}

/// Two rows, over the seeds that both finished.
fn comparison(
    data: &StudyData,
    (own, other): (&TableRow, &TableRow),
    (name, phenomena): (&str, &[Phenomenon]),
    alpha: f64,
) -> Option<TaskComparison> {
    let pairs = both_finished(data, &own.cells, &other.cells);
    let (runs, other_runs): (Vec<&RunData>, Vec<&RunData>) = pairs.iter().copied().unzip();
    let mut found = TaskRow::of(&own.label, &runs, name, phenomena)?;
    found.compare(&pairs, name, alpha);
    let others = TaskRow::of(&other.label, &other_runs, name, phenomena)?;
    let shares = found.shares.iter().zip(others.shares);
    Some(TaskComparison {
        differences: shares.map(|(a, b)| Some((*a)? - b?)).collect(),
        label: found.label,
        against: others.label,
        difference: found.difference?,
        low: found.low,
        high: found.high,
    })
}

fn result<'a>(run: &'a RunData, name: &str) -> Option<&'a TaskResult> {
    let evaluation: &Evaluation = run.evaluation.as_ref()?;
    evaluation.tasks.get(name)
}

/// 1 for every item that a run answers right, 0 for the others, phenomenon by phenomenon.
fn scores(run: &RunData, name: &str) -> Option<Vec<f64>> {
    let answers = result(run, name)?.answers.values();
    Some(answers.flat_map(|answers| answers.scores()).collect())
}

impl TaskRow {
    fn of(label: &str, runs: &[&RunData], name: &str, phenomena: &[Phenomenon]) -> Option<Self> {
        let results: Vec<&TaskResult> = runs.iter().filter_map(|run| result(run, name)).collect();
        if results.is_empty() {
            return None;
        }
        let share_of = |about: &Phenomenon| {
            let of_run = |one: &&TaskResult| {
                let answers = one.answers.get(&about.name)?;
                mean_of(answers.scores())
            };
            mean_of(results.iter().filter_map(of_run))
        };
        let all = runs.iter().filter_map(|run| scores(run, name));
        Some(Self {
            label: label.to_owned(),
            shares: phenomena.iter().map(share_of).collect(),
            share: mean_of(all.filter(|all| !all.is_empty()).map(|all| mean(&all))),
            difference: None,
            against: None,
            seeds: results.len(),
            low: None,
            high: None,
        })
    }

    /// The share against that of other runs, item by item and seed by seed. Its interval has the
    /// spread over seeds and, added in squares, that over items.
    fn compare(&mut self, pairs: &[RunPair], name: &str, alpha: f64) {
        let difference = |(a, b): &RunPair| {
            let (a, b) = (scores(a, name)?, scores(b, name)?);
            let same = a.len() == b.len() && !a.is_empty();
            same.then(|| a.iter().zip(&b).map(|(a, b)| a - b).collect::<Vec<f64>>())
        };
        let by_seed = pairs.iter().map(difference).collect::<Option<Vec<_>>>();
        let Some((paired, interval)) = by_seed.and_then(|by_seed| of_items(&by_seed, alpha)) else {
            return;
        };
        self.difference = Some(paired.mean);
        self.seeds = paired.n();
        (self.low, self.high) = interval.unzip();
    }
}

/// The differences of every seed's items as a comparison of seeds, and its interval for other seeds
/// and other items; none where seeds were asked other items.
fn of_items(by_seed: &[Vec<f64>], alpha: f64) -> Option<(Paired, Option<(f64, f64)>)> {
    let items = by_seed.first()?.len();
    if by_seed.iter().any(|one| one.len() != items) {
        return None;
    }
    let by_item: Vec<(f64, u64)> = (0..items)
        .map(|item| {
            let of_item: Vec<f64> = by_seed.iter().map(|one| one[item]).collect();
            (mean(&of_item), 1)
        })
        .collect();
    let paired = Paired::of(by_seed.iter().map(|one| mean(one)).collect());
    let error = paired.error.zip(text_error(&by_item));
    let error = error.map(|(of_seeds, of_items)| of_seeds.hypot(of_items));
    // Models that all answer alike say nothing of others.
    let varies = error.is_some_and(|error| error > 0.0);
    let interval = paired.interval(alpha, error).filter(|_| varies);
    Some((paired, interval))
}

#[cfg(test)]
#[path = "tasks_tests.rs"]
mod tests;
