//! The rows of the tables.

use serde::Serialize;

use super::contrasts::{ContrastFacts, NullFacts};
use crate::record::evaluation::{Evaluation, finite};
use crate::record::study::Axis;
use crate::report::analysis::Analysis;
use crate::report::axes::{ARM, STRATEGY, is_null_setting};
use crate::report::data::{StudyData, training_flops};
use crate::report::rows::TableRow;
use crate::report::statistics::mean_of;

/// A row of the main table.
#[derive(Debug, Clone, Serialize)]
pub struct RowFacts {
    pub label: String,
    /// The same for sentences.
    pub name: String,
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
    pub flops: Option<FlopsFacts>,
    pub contrast: Option<ContrastFacts>,
    pub nulls: Option<NullFacts>,
}

/// Counted floating-point operations of training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FlopsFacts {
    pub student: f64,
    pub teacher: f64,
    pub critic: f64,
    pub total: f64,
}

impl FlopsFacts {
    /// None of a model that came trained.
    pub fn of(evaluation: &Evaluation) -> Option<Self> {
        let training = evaluation.training.as_ref()?;
        Some(Self {
            student: training.student_flops,
            teacher: training.teacher_flops,
            critic: training.critic_flops,
            total: training_flops(evaluation)?,
        })
    }
}

/// All rows; `axes` have a column each.
pub fn rows(data: &StudyData, analysis: &Analysis, axes: &[Axis]) -> Vec<RowFacts> {
    analysis
        .rows
        .iter()
        .enumerate()
        .map(|(place, row)| RowFacts::new(data, analysis, (place, row), axes))
        .collect()
}

impl RowFacts {
    /// Whether a hidden loss of its own was measured, beside the baseline.
    pub fn has_treatment(&self) -> bool {
        self.contrast.as_ref().is_some_and(|contrast| {
            let mut deliveries = contrast.deliveries.iter();
            deliveries.any(|delivery| delivery.label == self.label)
        })
    }

    fn new(
        data: &StudyData,
        analysis: &Analysis,
        (place, row): (usize, &TableRow),
        axes: &[Axis],
    ) -> Self {
        let evaluations: Vec<&Evaluation> = row
            .finished(data)
            .filter_map(|run| run.evaluation.as_ref())
            .collect();
        let average = |value: fn(&Evaluation) -> Option<f64>| {
            mean_of(
                evaluations
                    .iter()
                    .filter_map(|evaluation| value(evaluation)),
            )
        };
        let strategy = row.at.get(STRATEGY).cloned();
        Self {
            label: row.label.clone(),
            name: row.name.clone(),
            at: axes
                .iter()
                .map(|axis| row.at.get(&axis.key).cloned().unwrap_or_default())
                .collect(),
            arm: row.at.get(ARM).cloned(),
            is_null: is_null_setting(&row.at) || row.shuffles_tokens(data),
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
            perplexity: row.mean.map(f64::exp).and_then(finite),
            bits_per_byte: average(|evaluation| evaluation.test.bits_per_byte),
            kl: average(|evaluation| evaluation.teacher.as_ref()?.kl_nats_per_token),
            top1: average(|evaluation| Some(evaluation.teacher.as_ref()?.top1)),
            parameters: average(|evaluation| Some(evaluation.model.parameters as f64)),
            flops: evaluations
                .iter()
                .find_map(|evaluation| FlopsFacts::of(evaluation)),
            contrast: row
                .contrast
                .map(|place| ContrastFacts::new(&analysis.rows, &analysis.contrasts[place])),
            nulls: analysis.nulls[place].as_ref().map(NullFacts::new),
        }
    }
}
