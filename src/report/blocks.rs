//! Teachers as blocks: where `teacher.seed` is an axis, every seed is run with every teacher, and
//! both repeat a comparison.
//!
//! A comparison pairs runs of one seed and one teacher, so that what teachers differ in falls out
//! of it. Its spread over all of these pairs has, beside the spread over seeds, what the difference
//! itself differs by between teachers: with teachers that agree the t interval is exact, with
//! others it is too wide rather than too narrow for these teachers. It is none for teachers that
//! were not run: of two, or five, that could hardly be told.
//!
//! Each pair counts as one that knows nothing of the others. Where a seed is run with several
//! teachers and does the same to a comparison with each of them, that is too much: of eight seeds
//! with two teachers that agree to a half, an interval at 95 % holds the truth in 88 %. Seeds of
//! its own for each teacher (`[[grid.exclude]]`) have no such fault. A simulation shows all three.

use super::axes::{self, SEED, TEACHER_SEED};
use crate::record::study::{Axis, Study};

/// The study with one axis of seeds, each with each teacher, in place of both; as it is where
/// teachers are no axis.
pub fn with_blocks(study: &Study) -> Study {
    let mut blocked = study.clone();
    if teachers(study).is_none() {
        return blocked;
    }
    let replicate = |at: &axes::Setting| match (at.get(SEED), at.get(TEACHER_SEED)) {
        (Some(seed), Some(teacher)) => Some(format!("{seed} with teacher {teacher}")),
        (None, Some(teacher)) => Some(format!("teacher {teacher}")),
        (seed, None) => seed.cloned(),
    };
    let mut values: Vec<String> = Vec::new();
    for cell in &mut blocked.cells {
        let Some(seed) = replicate(&cell.at) else {
            continue;
        };
        if !values.contains(&seed) {
            values.push(seed.clone());
        }
        cell.at.remove(TEACHER_SEED);
        cell.at.insert(SEED.to_owned(), seed);
    }
    blocked
        .axes
        .retain(|axis| ![SEED, TEACHER_SEED].contains(&axis.key.as_str()));
    blocked.axes.push(Axis {
        key: SEED.to_owned(),
        values,
    });
    let report = &mut blocked.report;
    report.baseline.remove(TEACHER_SEED);
    report
        .primary
        .iter_mut()
        .for_each(|primary| drop(primary.remove(TEACHER_SEED)));
    report.question.take_if(|question| question == TEACHER_SEED);
    blocked
}

/// How many teachers every seed is run with; none where they are no axis.
pub fn teachers(study: &Study) -> Option<usize> {
    let count = axes::axis(study, TEACHER_SEED)?.values.len();
    (count > 1).then_some(count)
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
