//! What a template may say: plain values with names, listed in `templates/README.md`. Wording is
//! the template's, but for verdicts, notes and captions.
//!
//! Types that end in `Facts` are what a template sees of something that the report knows more of.

mod all_else;
mod answer;
mod cautions;
mod contrasts;
mod distances;
mod headroom;
mod maps;
mod models;
mod names;
mod not_measured;
mod notes;
mod objectives;
mod replicates;
mod rows;
mod runs;
mod samples;
mod sensitivity;
mod study;
mod summary;
mod tasks;
mod teacher_names;
mod training;
mod trials;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use self::all_else::all_else;
use self::answer::{answer, beside_the_primary};
use self::cautions::cautions;
use self::contrasts::{
    AxisFacts, ContrastFacts, DeliveryFacts, VerdictCount, axis_questions, equal_compute,
    treatments, verdict_counts, what_hidden_losses_add,
};
use self::distances::{DistanceFacts, distances};
use self::maps::{LayerMap, maps};
use self::models::{
    FlopsOfRows, ModelFacts, TeacherFacts, models, sizes, teachers, times, training_flops_of,
};
use self::not_measured::not_measured;
use self::notes::notes;
use self::objectives::{WordsOfRows, objectives, schedules};
use self::rows::{RowFacts, rows};
use self::runs::{Counts, FailedRun, ProtocolFacts, RunInWorkFacts, failures, in_work, protocol};
use self::samples::{PromptSamples, samples};
use self::sensitivity::{SensitivityFacts, sensitivity};
use self::study::StudyFacts;
use self::tasks::{TaskFacts, tasks};
use self::training::{
    BalanceFactor, BalanceRange, CriticOutcome, CriticSummary, balance_factors, balance_ranges,
    balanced_again, critic_summaries, critics,
};
use self::trials::TrialFacts;
use super::analysis::Analysis;
use super::axes::{self, ARM, SHUFFLED_TOKENS, STRATEGY, null_maps};
use super::closeness::{SettingCloseness, closeness};
use super::data::StudyData;
use super::figures::Figure;
use super::looks;
use crate::record::evaluation::SourceNll;
use crate::record::study::{Arm, Axis, Study};

/// All variables of a template.
#[derive(Debug, Clone, Serialize)]
pub struct Context {
    pub study: StudyFacts,
    /// What the study says to its question.
    pub answer: String,
    /// What it says beside the primary comparison, or none.
    pub beside_the_primary: Option<String>,
    /// What limits the answer, in sentences.
    pub cautions: Vec<String>,
    /// Arms against those that compute as much as they do.
    pub equal_compute: Vec<ContrastFacts>,
    /// Settings with hidden losses against the same without them.
    pub added: Vec<ContrastFacts>,
    /// Whether the comparisons that the answer tells come out the same without a seed, and at other
    /// values of axes that it should not depend on.
    pub sensitivity: SensitivityFacts,
    /// What is asked about each axis that varies.
    pub questions: Vec<AxisFacts>,
    pub counts: Counts,
    /// Axes that the tables have a column for, the seed left out.
    pub axes: Vec<Axis>,
    pub arms: Vec<Arm>,
    /// What was tried before, on seeds of their own.
    pub trials: Option<TrialFacts>,
    /// What all settings share beside that.
    pub all_else: Vec<&'static str>,
    /// What every setting minimises, those with the same sum of terms together.
    pub objectives: Vec<WordsOfRows>,
    /// How the students are trained, settings trained alike together.
    pub schedules: Vec<WordsOfRows>,
    pub rows: Vec<RowFacts>,
    pub teachers: Vec<TeacherFacts>,
    pub source: Option<SourceNll>,
    pub protocol: Option<ProtocolFacts>,
    pub figures: BTreeMap<&'static str, FigureFacts>,
    pub distances: Vec<DistanceFacts>,
    /// What models get right of the items that they are asked.
    pub tasks: Vec<TaskFacts>,
    /// What became of the states that hidden losses match.
    pub treatments: Vec<DeliveryFacts>,
    /// Whether any row is the setting of one.
    pub has_treatments: bool,
    /// Of which hidden losses nothing is known, and why, in sentences.
    pub not_measured: Vec<String>,
    /// How close matched states came in every measure; empty unless clouds were measured.
    pub closeness: Vec<SettingCloseness>,
    pub balance: Vec<BalanceFactor>,
    /// Whether any run was balanced again while it was trained.
    pub balanced_again: bool,
    /// The same by arm.
    pub balance_ranges: Vec<BalanceRange>,
    pub critics: Vec<CriticOutcome>,
    /// The same by arm.
    pub critic_summaries: Vec<CriticSummary>,
    pub models: Vec<ModelFacts>,
    /// Their sizes alone, those of one size together.
    pub sizes: Vec<ModelFacts>,
    /// What was measured of them, those of one size together.
    pub times: Vec<ModelFacts>,
    /// Operations of training, rows with the same ones together.
    pub training: Vec<FlopsOfRows>,
    pub samples: Vec<PromptSamples>,
    pub failures: Vec<FailedRun>,
    pub in_work: Vec<RunInWorkFacts>,
    pub notes: Vec<String>,
    /// Whether any loss term compares hidden states under layer maps that differ.
    pub has_strategies: bool,
    /// Which teacher layer each student layer is compared with under each layer map.
    pub maps: Vec<LayerMap>,
    /// Layer maps of the grid that should not help.
    pub null_controls: Vec<String>,
    pub has_contrasts: bool,
    /// Whether any comparison has an interval.
    pub has_intervals: bool,
    pub contrast_count: usize,
    /// How often each verdict was reached, from better to worse.
    pub verdicts: Vec<VerdictCount>,
    /// Every axis value that the rows show.
    pub all_values: BTreeSet<String>,
    /// What was changed after results were seen, in sentences.
    pub looks: Vec<String>,
    /// When the primary comparison was declared, in words.
    pub declared: &'static str,
    pub has_few_seeds: bool,
    pub has_times: bool,
}

/// A figure as Markdown shows it.
#[derive(Debug, Clone, Serialize)]
pub struct FigureFacts {
    pub path: String,
    pub alt: String,
    pub caption: String,
}

impl Context {
    /// Gathers everything.
    /// It is long because it has every variable.
    ///
    /// # Errors
    /// Samples that are damaged.
    pub fn new(data: &StudyData, analysis: &Analysis, figures: &[Figure]) -> Result<Self> {
        let axes = columns(&data.study);
        let rows = rows(data, analysis, &axes);
        let models = models(data, analysis);
        let balance = balance_factors(data, analysis);
        let critics = critics(data, analysis);
        let closeness = closeness(data, &analysis.rows);
        Ok(Self {
            study: StudyFacts::new(&data.study, analysis),
            answer: answer(&data.study, analysis),
            beside_the_primary: beside_the_primary(&data.study, analysis),
            cautions: cautions(data, analysis),
            equal_compute: equal_compute(&data.study, analysis),
            added: what_hidden_losses_add(analysis),
            sensitivity: sensitivity(data, analysis),
            maps: maps(data, analysis),
            questions: axis_questions(&data.study, analysis),
            counts: Counts::new(data),
            arms: data.study.arms.clone(),
            trials: (data.study.trials.as_ref())
                .map(|trials| TrialFacts::new(trials, data.study.report.margin)),
            all_else: all_else(&data.study),
            objectives: objectives(data, analysis),
            schedules: schedules(data, analysis),
            teachers: teachers(data),
            source: source(data),
            protocol: protocol(data),
            figures: figures
                .iter()
                .map(|figure| (figure.name, FigureFacts::new(figure)))
                .collect(),
            distances: distances(data, analysis),
            tasks: tasks(data, analysis),
            treatments: treatments(analysis),
            has_treatments: rows.iter().any(RowFacts::has_treatment),
            not_measured: not_measured(data, analysis, &closeness),
            closeness,
            balance_ranges: balance_ranges(analysis, &balance),
            balanced_again: balanced_again(data),
            balance,
            critic_summaries: critic_summaries(analysis, &critics),
            critics,
            sizes: sizes(data, analysis),
            times: times(data, analysis),
            training: training_flops_of(data, analysis),
            samples: samples(data, analysis)?,
            failures: failures(data),
            in_work: in_work(data),
            notes: notes(data, analysis),
            looks: looks::sentences(&data.study),
            declared: looks::when_declared(&data.study),
            null_controls: null_controls(data, analysis),
            has_strategies: axes.iter().any(|axis| axis.key == STRATEGY),
            has_contrasts: rows.iter().any(|row| row.contrast.is_some()),
            has_intervals: (analysis.contrasts.iter()).any(|one| one.interval.is_some()),
            contrast_count: rows.iter().filter(|row| row.contrast.is_some()).count(),
            verdicts: verdict_counts(analysis),
            all_values: rows.iter().flat_map(|row| row.at.iter().cloned()).collect(),
            has_few_seeds: has_few_seeds(&rows),
            has_times: models
                .iter()
                .any(|model| model.prefill.is_some() || model.training_seconds.is_some()),
            axes,
            rows,
            models,
        })
    }
}

fn has_few_seeds(rows: &[RowFacts]) -> bool {
    let mut contrasts = rows.iter().filter_map(|row| row.contrast.as_ref());
    contrasts.any(|contrast| contrast.few_seeds)
}

/// What is known of the test text itself.
fn source(data: &StudyData) -> Option<SourceNll> {
    let mut runs = data.runs.iter().chain(&data.teachers);
    runs.find_map(|run| run.evaluation.as_ref()?.source.clone())
}

/// The null controls that anything is held against, as they are called.
fn null_controls(data: &StudyData, analysis: &Analysis) -> Vec<String> {
    let mut names: Vec<String> = null_maps(&data.study)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut nulls = analysis
        .nulls
        .iter()
        .flatten()
        .flat_map(|nulls| &nulls.controls);
    if nulls.any(|control| control.name == SHUFFLED_TOKENS) {
        names.push(SHUFFLED_TOKENS.to_owned());
    }
    names
}

/// The axes that tables have a column for.
fn columns(study: &Study) -> Vec<Axis> {
    study
        .axes
        .iter()
        .filter(|axis| axes::is_compared(study, &axis.key))
        .filter(|axis| axis.values.len() > 1 || axis.key == ARM)
        .cloned()
        .collect()
}

impl FigureFacts {
    fn new(figure: &Figure) -> Self {
        Self {
            path: figure.path(),
            alt: figure.alt.clone(),
            caption: figure.caption.clone(),
        }
    }
}
