//! What a template may say: plain values with names, listed in `templates/README.md`. Wording is
//! the template's, but for verdicts, notes and captions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use super::contrasts::{ARM, Analysis, Contrast, NULLS, Nulls, STRATEGY, TableRow};
use super::data::{RunData, RunResult, StudyData};
use super::figures::Figure;
use super::format;
use super::frame::{self, SEED};
use super::models::{self, BalanceFactor, CriticOutcome, Distances, Model, PromptSamples};
use super::notes;
use super::statistics::{FEW_SEEDS, Verdict, mean};
use crate::record::evaluation::{Evaluation, Protocol, SourceNll};
use crate::record::study::{Arm, Axis};

/// All variables of a template.
#[derive(Debug, Clone, Serialize)]
pub struct Context {
    pub study: StudyFacts,
    pub counts: Counts,
    /// Axes that the tables have a column for, the seed left out.
    pub axes: Vec<Axis>,
    pub arms: Vec<Arm>,
    pub rows: Vec<RowFacts>,
    pub teachers: Vec<TeacherFacts>,
    pub source: Option<SourceNll>,
    pub protocol: Option<ProtocolFacts>,
    pub figures: BTreeMap<&'static str, FigureFacts>,
    pub distances: Vec<Distances>,
    pub balance: Vec<BalanceFactor>,
    pub critics: Vec<CriticOutcome>,
    pub models: Vec<Model>,
    pub samples: Vec<PromptSamples>,
    pub failures: Vec<FailedRun>,
    pub notes: Vec<String>,
    /// Whether any loss term compares hidden states under layer maps that differ.
    pub has_strategies: bool,
    pub has_contrasts: bool,
    pub contrast_count: usize,
    /// How often each verdict was reached, from better to worse.
    pub verdicts: Vec<VerdictCount>,
    /// Every axis value that the rows show.
    pub all_values: BTreeSet<String>,
    pub has_few_seeds: bool,
    pub has_times: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct StudyFacts {
    pub name: String,
    pub description: String,
    pub note: Option<String>,
    pub version: String,
    pub command: String,
    pub dataset: String,
    pub tokenizer: String,
    pub teacher: String,
    pub student_init: String,
    pub balance: String,
    pub seeds: Vec<String>,
    /// The axis values of the baseline in words; none where nothing is compared.
    pub baseline: Option<String>,
    /// δ in nats per token.
    pub margin: f64,
    pub alpha: f64,
    /// Comparisons that share α, without the primary ones.
    pub family: usize,
    pub primary: usize,
    pub inputs: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Counts {
    pub cells: usize,
    pub runs: usize,
    pub finished: usize,
    pub diverged: usize,
    pub missing: usize,
}

/// A row of the main table.
#[derive(Debug, Clone, Serialize)]
pub struct RowFacts {
    pub label: String,
    /// The values of `axes`, in their order.
    pub at: Vec<String>,
    pub arm: Option<String>,
    pub strategy: Option<String>,
    pub is_null: bool,
    pub is_baseline: bool,
    /// Finished seeds.
    pub n: usize,
    pub diverged: usize,
    pub missing: usize,
    pub losses: Vec<f64>,
    pub nll: Option<f64>,
    pub sd: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// exp of the mean NLL.
    pub perplexity: Option<f64>,
    /// These are means over seeds.
    pub bits_per_byte: Option<f64>,
    pub kl: Option<f64>,
    pub top1: Option<f64>,
    pub parameters: Option<f64>,
    pub flops: Option<Flops>,
    pub contrast: Option<ContrastFacts>,
}

/// How many comparisons ended so.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictCount {
    pub words: String,
    pub count: usize,
}

/// Counted floating-point operations of training.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Flops {
    pub student: f64,
    pub teacher: f64,
    pub critic: f64,
    pub total: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct ContrastFacts {
    /// Label of the baseline's row.
    pub baseline: Option<String>,
    pub is_primary: bool,
    pub n: usize,
    /// D, arm minus baseline, in nats per token.
    pub difference: Option<f64>,
    /// By seed.
    pub differences: Vec<f64>,
    /// Standard deviation of the differences.
    pub sd: Option<f64>,
    /// Simultaneous interval.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// The same for text like the test text.
    pub low_text: Option<f64>,
    pub high_text: Option<f64>,
    /// Holm's p value.
    pub p: Option<f64>,
    /// exp(D).
    pub ratio: Option<f64>,
    pub effect: Option<f64>,
    pub wins: usize,
    pub correlation: Option<f64>,
    pub p_better: Option<f64>,
    pub p_equivalent: Option<f64>,
    pub p_worse: Option<f64>,
    /// The fixed words.
    pub verdict: String,
    /// Why the two cannot be compared.
    pub reason: Option<String>,
    pub is_undecided: bool,
    pub more_seeds: Option<usize>,
    pub few_seeds: bool,
    pub verdict_ranked_last: Option<String>,
    /// The p value of exact sign flips, where they disagree with the t test.
    pub sign_flips: Option<f64>,
    pub nulls: Option<NullFacts>,
    pub compute_ratio: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct NullFacts {
    /// "beats the nulls", "does not beat the nulls" or "cannot be told".
    pub words: String,
    pub p: Option<f64>,
    pub lacking: Vec<String>,
    pub controls: Vec<ControlFacts>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ControlFacts {
    pub name: String,
    /// Mean difference to the control.
    pub difference: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct TeacherFacts {
    pub label: String,
    pub state: String,
    pub nll: Option<f64>,
    pub perplexity: Option<f64>,
    pub bits_per_byte: Option<f64>,
    pub parameters: Option<f64>,
    pub flops: Option<Flops>,
    pub trained_on_train_split: Option<bool>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ProtocolFacts {
    pub context: usize,
    pub stride: usize,
    pub rows: String,
    pub detokenize: String,
    /// First digits of the hash of tokenizer.json.
    pub tokenizer: String,
    pub tokens: u64,
    pub scored_tokens: u64,
    pub words: u64,
    pub bytes: u64,
    pub documents: usize,
    /// Whether every run was measured so.
    pub is_shared: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct FigureFacts {
    pub path: String,
    pub alt: String,
    pub caption: String,
}

/// A run without a result.
#[derive(Debug, Clone, Serialize)]
pub struct FailedRun {
    pub run: String,
    /// The cells that it stands for, in words.
    pub cells: Vec<String>,
    pub state: String,
    pub reason: String,
}

impl Context {
    /// Gathers everything.
    ///
    /// # Errors
    /// Samples that are damaged.
    pub fn new(data: &StudyData, analysis: &Analysis, figures: &[Figure]) -> Result<Self> {
        let study = &data.study;
        let axes: Vec<Axis> = study
            .axes
            .iter()
            .filter(|axis| axis.key != SEED && (axis.values.len() > 1 || axis.key == ARM))
            .cloned()
            .collect();
        let rows: Vec<RowFacts> = analysis
            .rows
            .iter()
            .map(|row| RowFacts::new(data, analysis, row, &axes))
            .collect();
        let seeds: Vec<String> = study
            .axes
            .iter()
            .find(|axis| axis.key == SEED)
            .map(|axis| axis.values.clone())
            .unwrap_or_default();
        let baseline: Vec<String> = study
            .report
            .baseline
            .iter()
            .map(|(key, value)| {
                if key == ARM {
                    value.clone()
                } else {
                    format!("{key} = {value}")
                }
            })
            .collect();
        let models = models::models(data, analysis);
        Ok(Self {
            study: StudyFacts {
                name: study.name.clone(),
                description: study.description.clone(),
                note: study.facts.note.clone(),
                version: study.version.clone(),
                command: study.facts.command.clone(),
                dataset: study.facts.dataset.clone(),
                tokenizer: study.facts.tokenizer.clone(),
                teacher: study.facts.teacher.clone(),
                student_init: study.facts.student_init.clone(),
                balance: study.facts.balance.clone(),
                seeds,
                baseline: (!analysis.contrasts.is_empty()).then(|| baseline.join(", ")),
                margin: study.report.margin,
                alpha: study.report.alpha,
                family: analysis.family,
                primary: analysis.primary,
                inputs: study.inputs.clone(),
            },
            counts: counts(data),
            arms: study.arms.clone(),
            has_strategies: axes.iter().any(|axis| axis.key == STRATEGY),
            has_contrasts: !analysis.contrasts.is_empty(),
            contrast_count: analysis.contrasts.len(),
            verdicts: verdicts(analysis),
            all_values: rows.iter().flat_map(|row| row.at.iter().cloned()).collect(),
            has_few_seeds: rows
                .iter()
                .filter_map(|row| row.contrast.as_ref())
                .any(|contrast| contrast.few_seeds),
            has_times: models
                .iter()
                .any(|model| model.prefill.is_some() || model.training_seconds.is_some()),
            axes,
            rows,
            teachers: data
                .teachers
                .iter()
                .enumerate()
                .map(|(number, teacher)| TeacherFacts::new(teacher, number, data.teachers.len()))
                .collect(),
            source: data
                .runs
                .iter()
                .chain(&data.teachers)
                .find_map(|run| run.evaluation.as_ref()?.source.clone()),
            protocol: protocol(data),
            figures: figures
                .iter()
                .map(|figure| {
                    (
                        figure.name,
                        FigureFacts {
                            path: figure.path(),
                            alt: figure.alt.clone(),
                            caption: figure.caption.clone(),
                        },
                    )
                })
                .collect(),
            distances: models::distances(data, analysis),
            balance: models::balance(data, analysis),
            critics: models::critics(data, analysis),
            models,
            samples: models::samples(data, analysis)?,
            failures: failures(data),
            notes: notes::notes(data, analysis),
        })
    }

    /// What a terminal shows at the end of a study.
    pub fn summary(&self) -> String {
        const MOST: usize = 6;
        let counts = &self.counts;
        let mut lines = vec![format!(
            "{} of {} runs finished{}{}",
            counts.finished,
            counts.runs,
            named(counts.diverged, "diverged"),
            named(counts.missing, "missing")
        )];
        let compared: Vec<(&RowFacts, &ContrastFacts)> = self
            .rows
            .iter()
            .filter_map(|row| Some((row, row.contrast.as_ref()?)))
            .collect();
        for (row, contrast) in compared.iter().take(MOST) {
            let against = contrast
                .baseline
                .as_ref()
                .map_or_else(String::new, |baseline| format!(" against {baseline}"));
            let difference = contrast.difference.map_or_else(String::new, |difference| {
                let interval =
                    contrast
                        .low
                        .zip(contrast.high)
                        .map_or_else(String::new, |(low, high)| {
                            format!(
                                ", {} to {}",
                                format::signed(low, 4),
                                format::signed(high, 4)
                            )
                        });
                format!(
                    " ({} nats per token{interval}, n = {})",
                    format::signed(difference, 4),
                    contrast.n
                )
            });
            lines.push(format!(
                "{}{against}: {}{difference}",
                row.label, contrast.verdict
            ));
        }
        if compared.len() > MOST {
            lines.push(format!(
                "… and {} more comparisons in the report",
                compared.len() - MOST
            ));
        }
        if compared.is_empty() {
            let shown = self
                .rows
                .iter()
                .filter_map(|row| Some((row, row.nll?, row.perplexity?)))
                .take(MOST);
            lines.extend(shown.map(|(row, nll, perplexity)| {
                format!(
                    "{}: NLL {} nats per token, perplexity {}",
                    row.label,
                    format::fixed(nll, 4),
                    format::significant(perplexity, 4)
                )
            }));
        }
        lines.join("\n")
    }
}

fn named(count: usize, what: &str) -> String {
    if count == 0 {
        String::new()
    } else {
        format!(", {count} {what}")
    }
}

impl RowFacts {
    fn new(data: &StudyData, analysis: &Analysis, row: &TableRow, axes: &[Axis]) -> Self {
        let evaluations: Vec<&Evaluation> = row
            .finished(data)
            .filter_map(|run| run.evaluation.as_ref())
            .collect();
        let average = |value: fn(&Evaluation) -> Option<f64>| {
            let values: Vec<f64> = evaluations
                .iter()
                .filter_map(|evaluation| value(evaluation))
                .collect();
            (!values.is_empty()).then(|| mean(&values))
        };
        let strategy = row.at.get(STRATEGY).cloned();
        Self {
            label: row.label.clone(),
            at: axes
                .iter()
                .map(|axis| row.at.get(&axis.key).cloned().unwrap_or_default())
                .collect(),
            arm: row.at.get(ARM).cloned(),
            is_null: strategy
                .as_ref()
                .is_some_and(|strategy| NULLS.contains(&strategy.as_str())),
            strategy,
            is_baseline: row.is_baseline,
            n: row.losses.len(),
            diverged: row.diverged,
            missing: row.missing,
            losses: row.losses.clone(),
            nll: row.mean,
            sd: row.deviation,
            low: row.interval.map(|interval| interval.0),
            high: row.interval.map(|interval| interval.1),
            perplexity: row.mean.map(f64::exp),
            bits_per_byte: average(|evaluation| Some(evaluation.test.bits_per_byte)),
            kl: average(|evaluation| Some(evaluation.teacher.as_ref()?.kl_nats_per_token)),
            top1: average(|evaluation| Some(evaluation.teacher.as_ref()?.top1)),
            parameters: average(|evaluation| Some(evaluation.model.parameters as f64)),
            flops: evaluations.iter().find_map(|evaluation| flops(evaluation)),
            contrast: row
                .contrast
                .map(|contrast| ContrastFacts::new(&analysis.contrasts[contrast], analysis)),
        }
    }
}

/// The verdicts that were reached, from better to worse.
fn verdicts(analysis: &Analysis) -> Vec<VerdictCount> {
    let order = [
        Verdict::Better,
        Verdict::BetterSizeUnsure,
        Verdict::Equivalent,
        Verdict::Undecided(None),
        Verdict::WorseSizeUnsure,
        Verdict::Worse,
        Verdict::NotComparable(String::new()),
        Verdict::None,
    ];
    let count = |words: &String| {
        analysis
            .contrasts
            .iter()
            .filter(|contrast| contrast.verdict.to_string() == *words)
            .count()
    };
    let words = order.iter().map(Verdict::to_string);
    words
        .map(|words| VerdictCount {
            count: count(&words),
            words,
        })
        .filter(|verdict| verdict.count > 0)
        .collect()
}

fn flops(evaluation: &Evaluation) -> Option<Flops> {
    let training = evaluation.training.as_ref()?;
    let (student, teacher, critic) = (
        training.student_flops,
        training.teacher_flops,
        training.critic_flops,
    );
    Some(Flops {
        student,
        teacher,
        critic,
        total: student + teacher + critic,
    })
}

impl ContrastFacts {
    fn new(contrast: &Contrast, analysis: &Analysis) -> Self {
        let paired = contrast.paired.as_ref();
        let n = paired.map_or(0, |paired| paired.n());
        Self {
            baseline: contrast
                .baseline
                .map(|row| analysis.rows[row].label.clone()),
            is_primary: contrast.is_primary,
            n,
            difference: paired.map(|paired| paired.mean),
            differences: paired
                .map(|paired| paired.differences.clone())
                .unwrap_or_default(),
            sd: paired.and_then(|paired| paired.deviation),
            low: contrast.interval.map(|interval| interval.0),
            high: contrast.interval.map(|interval| interval.1),
            low_text: contrast.interval_text.map(|interval| interval.0),
            high_text: contrast.interval_text.map(|interval| interval.1),
            p: contrast.p,
            ratio: paired.map(|paired| paired.mean.exp()),
            effect: paired.and_then(|paired| paired.effect),
            wins: paired.map_or(0, |paired| paired.wins),
            correlation: paired.and_then(|paired| paired.correlation),
            p_better: contrast.posterior.map(|shares| shares[0]),
            p_equivalent: contrast.posterior.map(|shares| shares[1]),
            p_worse: contrast.posterior.map(|shares| shares[2]),
            verdict: contrast.verdict.to_string(),
            reason: match &contrast.verdict {
                Verdict::NotComparable(reason) => Some(reason.clone()),
                _ => None,
            },
            is_undecided: matches!(contrast.verdict, Verdict::Undecided(_)),
            more_seeds: match contrast.verdict {
                Verdict::Undecided(more) => more,
                _ => None,
            },
            few_seeds: n < FEW_SEEDS,
            verdict_ranked_last: contrast
                .verdict_ranked_last
                .as_ref()
                .map(Verdict::to_string),
            sign_flips: contrast.sign_flips_disagree,
            nulls: contrast.nulls.as_ref().map(NullFacts::new),
            compute_ratio: contrast.compute_ratio,
        }
    }
}

impl NullFacts {
    fn new(nulls: &Nulls) -> Self {
        let words = match nulls.beats {
            Some(true) => "beats the nulls",
            Some(false) => "does not beat the nulls",
            None => "cannot be told",
        };
        let controls = nulls
            .controls
            .iter()
            .map(|(name, difference)| ControlFacts {
                name: name.clone(),
                difference: *difference,
            });
        Self {
            words: words.to_owned(),
            p: nulls.p,
            lacking: nulls.lacking.clone(),
            controls: controls.collect(),
        }
    }
}

impl TeacherFacts {
    fn new(teacher: &RunData, number: usize, of: usize) -> Self {
        let evaluation = teacher.evaluation.as_ref();
        Self {
            label: if of > 1 {
                format!("teacher {}", number + 1)
            } else {
                "teacher".to_owned()
            },
            state: frame::reason(teacher).unwrap_or_else(|| frame::state_word(teacher).to_owned()),
            nll: teacher.nll(),
            perplexity: evaluation.map(|evaluation| evaluation.test.perplexity),
            bits_per_byte: evaluation.map(|evaluation| evaluation.test.bits_per_byte),
            parameters: evaluation.map(|evaluation| evaluation.model.parameters as f64),
            flops: evaluation.and_then(flops),
            trained_on_train_split: evaluation
                .map(|evaluation| evaluation.protocol.trained_on_train_split),
        }
    }
}

fn counts(data: &StudyData) -> Counts {
    let count =
        |wanted: fn(&RunResult) -> bool| data.runs.iter().filter(|run| wanted(&run.state)).count();
    Counts {
        cells: data.study.cells.len(),
        runs: data.runs.len(),
        finished: count(|state| matches!(state, RunResult::Finished)),
        diverged: count(|state| matches!(state, RunResult::Diverged(_))),
        missing: count(|state| matches!(state, RunResult::Missing(_))),
    }
}

/// The protocol of the first run that has one.
fn protocol(data: &StudyData) -> Option<ProtocolFacts> {
    let first = data.runs.iter().find_map(|run| run.evaluation.as_ref())?;
    let Protocol {
        context,
        stride,
        rows,
        detokenize,
        tokenizer,
        ..
    } = first.protocol.clone();
    let is_shared = data
        .runs
        .iter()
        .filter_map(|run| run.evaluation.as_ref())
        .all(|other| other.protocol == first.protocol);
    Some(ProtocolFacts {
        context,
        stride,
        rows,
        detokenize,
        tokenizer: tokenizer.chars().take(12).collect(),
        tokens: first.test.tokens,
        scored_tokens: first.test.scored_tokens,
        words: first.test.words,
        bytes: first.test.bytes,
        documents: first.test.documents.len(),
        is_shared,
    })
}

fn failures(data: &StudyData) -> Vec<FailedRun> {
    let mut listed = BTreeSet::new();
    let teachers = data
        .teachers
        .iter()
        .filter(|teacher| teacher.state != RunResult::Finished);
    let mut failures: Vec<FailedRun> = teachers
        .map(|teacher| FailedRun {
            run: teacher.id.clone(),
            cells: vec!["teacher".to_owned()],
            state: frame::state_word(teacher).to_owned(),
            reason: frame::reason(teacher).unwrap_or_default(),
        })
        .collect();
    for (cell, &place) in data.run_of_cell.iter().enumerate() {
        let run = data.run(cell);
        let Some(reason) = frame::reason(run) else {
            continue;
        };
        if listed.insert(place) {
            let cells = data
                .run_of_cell
                .iter()
                .enumerate()
                .filter(|(_, other)| **other == place)
                .map(|(cell, _)| in_words(data, cell));
            failures.push(FailedRun {
                run: run.id.clone(),
                cells: cells.collect(),
                state: frame::state_word(run).to_owned(),
                reason,
            });
        }
    }
    failures
}

/// A cell as `arm=mse seed=0`, the axes in the order of the spec.
fn in_words(data: &StudyData, cell: usize) -> String {
    let at = &data.study.cells[cell].at;
    let words: Vec<String> = data
        .study
        .axes
        .iter()
        .filter_map(|axis| {
            at.get(&axis.key)
                .map(|value| format!("{}={value}", axis.key))
        })
        .collect();
    words.join(" ")
}
