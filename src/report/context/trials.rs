//! What `[select]` tried before the grid was run, and what it chose.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::plan::{Axis, Trials, TriedValues};
use crate::report::axes::SEED;
use crate::report::format::plain;

/// Values that were tried, and how they were chosen among.
#[derive(Debug, Clone, Serialize)]
pub struct TrialFacts {
    /// Their seeds, none of which is one of the grid's.
    pub seeds: Vec<String>,
    /// Trainings that this took.
    pub runs: usize,
    /// Whether everything was tried, and the choice is made.
    pub is_chosen: bool,
    pub tried: Vec<TriedFacts>,
}

/// Values that were tried in an arm.
#[derive(Debug, Clone, Serialize)]
pub struct TriedFacts {
    /// Empty in a study without arms.
    pub arm: String,
    /// In words: `loss.hidden.weight = 0.3`.
    pub values: String,
    /// Nats per token on the validation split at the end, the mean over the seeds; none where a run
    /// diverged, or is to come.
    pub validation_nll: Option<f64>,
    pub is_chosen: bool,
}

impl TrialFacts {
    pub fn new(trials: &Trials) -> Self {
        let seeds = trials.axes.iter().find(|axis| axis.key == SEED);
        let tried = trials.tried.iter().map(|one| TriedFacts {
            arm: one.arm_name().to_owned(),
            values: one.in_words(),
            validation_nll: one.validation_nll,
            is_chosen: one.is_chosen,
        });
        Self {
            seeds: seeds.map_or_else(Vec::new, |axis| axis.values.clone()),
            // Arms that are the same with a value share its run.
            runs: trials
                .tried
                .iter()
                .flat_map(|one| &one.runs)
                .collect::<BTreeSet<_>>()
                .len(),
            is_chosen: trials.choice().is_some(),
            tried: tried.collect(),
        }
    }
}

/// Numbers that were chosen at the end of what was tried: beyond it may be better ones. A sentence
/// for each.
pub fn chosen_at_an_end(trials: &Trials) -> Vec<String> {
    let chosen = trials.tried.iter().filter(|one| one.is_chosen);
    chosen.flat_map(|one| ends(trials, one)).collect()
}

fn ends(trials: &Trials, chosen: &TriedValues) -> Vec<String> {
    let end = |(key, text): (&String, &String)| {
        let axis = trials.axes.iter().find(|axis| axis.key == *key)?;
        let mut numbers = numbers_tried(trials, chosen, axis)?;
        numbers.sort_by(f64::total_cmp);
        let (least, most) = (*numbers.first()?, *numbers.last()?);
        let value = number(text)?;
        let (end, other) = if least == most {
            return None;
        } else if value == least {
            ("smallest", "smaller")
        } else if value == most {
            ("largest", "larger")
        } else {
            return None;
        };
        let of_arm = match chosen.arm_name() {
            "" => String::new(),
            arm => format!(" of {arm}"),
        };
        let is_weight = key.starts_with("loss.") && key.ends_with(".weight");
        let limit = if is_weight && end == "smallest" {
            "; at 0 there is no such loss"
        } else {
            ""
        };
        Some(format!(
            "The {key}{of_arm} that was chosen, {}, is the {end} that was tried: a {other} one may \
             be better{limit}.",
            plain(value)
        ))
    };
    chosen.values.iter().filter_map(end).collect()
}

/// The numbers that were tried for a key in an arm; none where some value is no number.
fn numbers_tried(trials: &Trials, chosen: &TriedValues, axis: &Axis) -> Option<Vec<f64>> {
    let of_arm = trials.tried.iter().filter(|one| one.arm == chosen.arm);
    of_arm
        .map(|one| number(one.values.get(&axis.key)?))
        .collect()
}

/// A number as TOML writes it.
fn number(text: &str) -> Option<f64> {
    text.replace('_', "").parse().ok()
}

#[cfg(test)]
#[path = "trials_tests.rs"]
mod tests;
