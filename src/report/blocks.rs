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

use std::collections::BTreeSet;

use super::axes::{self, SEED, TEACHER_SEED};
use crate::record::study::{Axis, Study};

/// The study with one axis of seeds, each with each teacher, in place of both; as it is where
/// teachers are no axis.
pub fn with_blocks(study: &Study) -> Study {
    let mut blocked = study.clone();
    if teachers(study).is_none() {
        return blocked;
    }
    let replicated = |at: &axes::Setting| {
        let seed = at.get(SEED).map(String::as_str);
        match at.get(TEACHER_SEED) {
            Some(teacher) => Some(replicate(seed, teacher)),
            None => seed.map(str::to_owned),
        }
    };
    let mut values: Vec<String> = Vec::new();
    for cell in &mut blocked.cells {
        let Some(seed) = replicated(&cell.at) else {
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

/// The teachers' seeds; none where they are no axis.
pub fn teachers(study: &Study) -> Option<&[String]> {
    let values = &axes::axis(study, TEACHER_SEED)?.values;
    (values.len() > 1).then_some(values)
}

/// What repeats a comparison, as [`with_blocks`] names it.
fn replicate(seed: Option<&str>, teacher: &str) -> String {
    match seed {
        Some(seed) => format!("{seed} with teacher {teacher}"),
        None => format!("teacher {teacher}"),
    }
}

/// Whether what repeats a comparison is of a teacher.
pub fn is_of_teacher(replicated: &str, teacher: &str) -> bool {
    let seed = replicated.split_once(" with ").map(|(seed, _)| seed);
    replicate(seed, teacher) == replicated
}

/// How many seeds each teacher was run with, in the order of the axis.
pub fn seeds_by_teacher(study: &Study) -> Vec<(&str, usize)> {
    let count = |teacher: &String| {
        let cells = study.cells.iter().map(|cell| &cell.at);
        let own = cells.filter(|at| at.get(TEACHER_SEED) == Some(teacher));
        own.map(|at| at.get(SEED)).collect::<BTreeSet<_>>().len()
    };
    let teachers = teachers(study).into_iter().flatten();
    teachers
        .map(|teacher| (teacher.as_str(), count(teacher)))
        .collect()
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
