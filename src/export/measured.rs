//! A student and its teacher on the study's test split, side by side.

use anyhow::Result;

use super::evaluation_of;
use crate::record::evaluation::{Evaluation, Perplexity};
use crate::record::layout::Layout;
use crate::record::study::Study;
use crate::report::{t_quantile, text_error};

/// The error rate of the intervals.
const ALPHA: f64 = 0.05;

/// What was measured of a run's models.
pub(super) struct MeasuredModels {
    pub student: Evaluation,
    pub teacher: Option<Evaluation>,
}

/// A value with an interval for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimated {
    pub value: f64,
    /// How far it is to either side; none of fewer than two documents.
    pub error: Option<f64>,
}

impl MeasuredModels {
    /// Of a run of a study, by its first cell; nothing where it was not evaluated.
    pub fn of(run: &str, layout: &Layout, study: &Study) -> Result<Option<Self>> {
        let Some(cell) = study.cells.iter().find(|cell| cell.run == run) else {
            return Ok(None);
        };
        let Some(student) = evaluation_of(&layout.run(run), &cell.evaluation)? else {
            return Ok(None);
        };
        let teacher = evaluation_of(&layout.teacher(&cell.teacher), &cell.teacher_evaluation)?;
        Ok(Some(Self { student, teacher }))
    }

    /// Documents, or groups of them, that the intervals are over.
    pub fn documents(&self) -> usize {
        let documents = &self.student.test.documents;
        documents.iter().filter(|(_, tokens)| *tokens > 0).count()
    }

    /// How much worse the student is than its teacher, document by document.
    pub fn difference(&self) -> Option<Estimated> {
        let teacher = &self.teacher.as_ref()?.test;
        let student = &self.student.test;
        let are_paired = student.documents.len() == teacher.documents.len()
            && (student.documents.iter().zip(&teacher.documents))
                .all(|(own, other)| own.1 == other.1);
        let value = student.nll_nats_per_token - teacher.nll_nats_per_token;
        let pairs = student.documents.iter().zip(&teacher.documents);
        let differences: Vec<(f64, u64)> = pairs
            .map(|(own, other)| ((own.0 - other.0) / own.1.max(1) as f64, own.1))
            .collect();
        Some(Estimated {
            value,
            error: are_paired.then(|| half_width(&differences)).flatten(),
        })
    }
}

/// Mean nats per token, with its interval over documents.
pub(super) fn loss(test: &Perplexity) -> Estimated {
    let means: Vec<(f64, u64)> = test
        .documents
        .iter()
        .map(|&(nats, tokens)| (nats / tokens.max(1) as f64, tokens))
        .collect();
    Estimated {
        value: test.nll_nats_per_token,
        error: half_width(&means),
    }
}

/// Half of a 95 % interval: Student's t over documents.
fn half_width(documents: &[(f64, u64)]) -> Option<f64> {
    let count = documents.iter().filter(|(_, tokens)| *tokens > 0).count();
    let error = text_error(documents)?;
    Some(t_quantile(1.0 - ALPHA / 2.0, count - 1) * error)
}

#[cfg(test)]
#[path = "measured_tests.rs"]
mod tests;
