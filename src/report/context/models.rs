//! The models themselves: the teachers, and of every model its size and its speed.

use serde::Serialize;

use super::names::{grouped, label_of, merged};
use super::rows::FlopsFacts;
use super::teacher_names::{named_teachers, names_in_sentences};
use crate::record::evaluation::Size;
use crate::report::analysis::Analysis;
use crate::report::data::{RunData, StudyData};
use crate::report::statistics::mean_of;

/// A teacher.
#[derive(Debug, Clone, Serialize)]
pub struct TeacherFacts {
    pub label: String,
    /// The same for sentences.
    pub name: String,
    pub state: String,
    pub nll: Option<f64>,
    pub perplexity: Option<f64>,
    pub bits_per_byte: Option<f64>,
    pub parameters: Option<f64>,
    pub flops: Option<FlopsFacts>,
    pub trained_on_train_split: Option<bool>,
}

impl TeacherFacts {
    fn new(teacher: &RunData, label: String, name: String) -> Self {
        let evaluation = teacher.evaluation.as_ref();
        let state = &teacher.state;
        Self {
            label,
            name,
            state: state.reason().unwrap_or_else(|| state.word().to_owned()),
            nll: teacher.nll(),
            perplexity: evaluation.and_then(|evaluation| evaluation.test.perplexity),
            bits_per_byte: evaluation.and_then(|evaluation| evaluation.test.bits_per_byte),
            parameters: evaluation.map(|evaluation| evaluation.model.parameters as f64),
            flops: evaluation.and_then(FlopsFacts::of),
            // That it was not can be known of none: one that came trained may have seen anything.
            trained_on_train_split: evaluation
                .and_then(|evaluation| evaluation.protocol.trained_on_train_split)
                .filter(|&trained| trained),
        }
    }
}

/// All teachers.
pub fn teachers(data: &StudyData) -> Vec<TeacherFacts> {
    let names = names_in_sentences(data);
    named_teachers(data)
        .zip(names)
        .map(|((label, teacher), name)| TeacherFacts::new(teacher, label, name))
        .collect()
}

/// A model's size, and what was measured of its speed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelFacts {
    pub label: String,
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub vocabulary: usize,
    pub positions: usize,
    pub parameters: u64,
    pub parameters_without_embeddings: u64,
    pub bytes: u64,
    pub forward_flops_per_token: f64,
    /// Of the first teacher's parameters.
    pub share: Option<f64>,
    /// Tokens per second, means over what was measured.
    pub prefill: Option<f64>,
    pub decode: Option<f64>,
    pub context: Option<usize>,
    pub threads: Option<usize>,
    /// Seconds of training: mean, shortest and longest.
    pub training_seconds: Option<f64>,
    pub training_seconds_low: Option<f64>,
    pub training_seconds_high: Option<f64>,
}

/// The teachers and then the rows, as far as they were evaluated.
pub fn models(data: &StudyData, analysis: &Analysis) -> Vec<ModelFacts> {
    let teacher_parameters = teacher_parameters(data);
    let teachers = named_teachers(data).map(|(name, teacher)| (name, vec![teacher]));
    let rows = analysis
        .rows
        .iter()
        .map(|row| (row.label.clone(), row.finished(data).collect()));
    teachers
        .chain(rows)
        .filter_map(|(label, runs)| ModelFacts::new(label, &runs, teacher_parameters))
        .collect()
}

fn teacher_parameters(data: &StudyData) -> Option<f64> {
    data.teachers
        .iter()
        .find_map(|teacher| teacher.evaluation.as_ref())
        .map(|evaluation| evaluation.model.parameters as f64)
}

/// The sizes alone: the teachers, then the rows, those of one size together and without what was
/// measured.
pub fn sizes(data: &StudyData, analysis: &Analysis) -> Vec<ModelFacts> {
    let teacher_parameters = teacher_parameters(data);
    let size = |runs: &[&RunData]| {
        let facts = ModelFacts::new(String::new(), runs, teacher_parameters)?;
        Some(ModelFacts {
            prefill: None,
            decode: None,
            context: None,
            threads: None,
            training_seconds: None,
            training_seconds_low: None,
            training_seconds_high: None,
            ..facts
        })
    };
    let teachers = named_teachers(data).filter_map(|(label, teacher)| {
        Some(ModelFacts {
            label,
            ..size(&[teacher])?
        })
    });
    let rows = analysis.rows.iter().enumerate().filter_map(|(place, row)| {
        let runs: Vec<&RunData> = row.finished(data).collect();
        Some((place, size(&runs)?))
    });
    let rows = merged(&analysis.rows, rows);
    teachers
        .chain(
            rows.into_iter()
                .map(|(label, size)| ModelFacts { label, ..size }),
        )
        .collect()
}

/// What was measured: the teachers, then the rows of one size together.
pub fn times(data: &StudyData, analysis: &Analysis) -> Vec<ModelFacts> {
    let rows = analysis.rows.iter().enumerate().filter_map(|(place, row)| {
        let mut runs = row.finished(data);
        Some((place, &runs.next()?.evaluation.as_ref()?.model))
    });
    let rows = grouped(rows).into_iter().map(|(places, _)| {
        let rows = places.iter().map(|&place| &analysis.rows[place]);
        let runs = rows.flat_map(|row| row.finished(data)).collect();
        (label_of(&analysis.rows, &places), runs)
    });
    named_teachers(data)
        .map(|(name, teacher)| (name, vec![teacher]))
        .chain(rows)
        .filter_map(|(label, runs)| ModelFacts::new(label, &runs, None))
        .filter(|model| model.prefill.is_some() || model.training_seconds.is_some())
        .collect()
}

/// Operations of training, rows with the same ones together.
#[derive(Debug, Clone, Serialize)]
pub struct FlopsOfRows {
    pub label: String,
    pub flops: FlopsFacts,
}

/// The rows, as far as their operations are counted, then the teachers that were trained.
pub fn training_flops_of(data: &StudyData, analysis: &Analysis) -> Vec<FlopsOfRows> {
    let rows = analysis.rows.iter().enumerate().filter_map(|(place, row)| {
        let mut runs = row.finished(data);
        let flops = runs.find_map(|run| FlopsFacts::of(run.evaluation.as_ref()?))?;
        Some((place, flops))
    });
    let teachers = named_teachers(data).filter_map(|(name, teacher)| {
        let flops = FlopsFacts::of(teacher.evaluation.as_ref()?)?;
        Some((format!("{name}, trained once"), flops))
    });
    merged(&analysis.rows, rows)
        .into_iter()
        .chain(teachers)
        .map(|(label, flops)| FlopsOfRows { label, flops })
        .collect()
}

impl ModelFacts {
    /// Of the runs of one row, which share their shape; none where none was evaluated.
    fn new(label: String, runs: &[&RunData], teacher_parameters: Option<f64>) -> Option<Self> {
        let Size {
            layers,
            width,
            heads,
            vocabulary,
            positions,
            parameters,
            parameters_without_embeddings,
            bytes,
            forward_flops_per_token,
        } = runs
            .iter()
            .find_map(|run| run.evaluation.as_ref())?
            .model
            .clone();
        let average =
            |value: fn(&RunData) -> Option<f64>| mean_of(runs.iter().filter_map(|run| value(run)));
        let seconds = || runs.iter().filter_map(|run| run.training_seconds);
        let speed = runs.iter().find_map(|run| run.speed.as_ref());
        Some(Self {
            label,
            layers,
            width,
            heads,
            vocabulary,
            positions,
            parameters,
            parameters_without_embeddings,
            bytes,
            forward_flops_per_token,
            share: teacher_parameters
                .filter(|&teacher| teacher > 0.0)
                .map(|teacher| parameters as f64 / teacher),
            prefill: average(|run| Some(run.speed.as_ref()?.prefill_tokens_per_second)),
            decode: average(|run| Some(run.speed.as_ref()?.decode_tokens_per_second)),
            context: speed.map(|speed| speed.context),
            threads: speed.map(|speed| speed.threads),
            training_seconds: average(|run| run.training_seconds),
            training_seconds_low: seconds().reduce(f64::min),
            training_seconds_high: seconds().reduce(f64::max),
        })
    }
}
