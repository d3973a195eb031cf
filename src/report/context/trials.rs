//! What `[select]` tried before the grid was run, and what it chose.

use std::collections::BTreeSet;

use serde::Serialize;

use super::names::in_a_row;
use crate::plan::{Axis, Trials, TriedValues};
use crate::report::axes::{SEED, spoken};
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
    /// What the trials hardly tell apart; none where they tell everything apart.
    pub hardly_apart: Option<String>,
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
    pub fn new(trials: &Trials, margin: f64) -> Self {
        let seeds = trials.axes.iter().find(|axis| axis.key == SEED);
        let tried = trials.tried.iter().map(|one| TriedFacts {
            arm: one.arm_name().to_owned(),
            values: trials.in_words(one),
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
            hardly_apart: hardly_apart(trials, margin),
            tried: tried.collect(),
        }
    }
}

/// What the validation split chose, in a sentence; none while that is not known.
pub fn chosen(trials: &Trials) -> Option<String> {
    trials.choice()?;
    let chosen = trials.tried.iter().filter(|one| one.is_chosen);
    let chosen: Vec<&TriedValues> = chosen.collect();
    let words = chosen.iter().map(|one| {
        let values = settings_in_words(trials, one);
        if chosen.len() > 1 {
            format!("{}: {values}", spoken(one.arm_name()))
        } else {
            values
        }
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| format!("Chosen by the validation split: {}.", words.join("; ")))
}

/// Of values that were tried those that there was a choice of, as labels and the set-up call them:
/// `temperature 2, learning rate 0.003`.
fn settings_in_words(trials: &Trials, tried: &TriedValues) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let words = trials.axes.iter().filter_map(|axis| {
        let text = tried.values.get(&axis.key)?;
        let name = last(&axis.key);
        let others = trials.axes.iter().filter(|other| last(&other.key) == name);
        let is_shared = others.count() > 1;
        let name = match axis.key.as_str() {
            "train.lr.peak" => "learning rate".to_owned(),
            key if is_shared => key.to_owned(),
            _ => name,
        };
        let value = number(text).map_or_else(|| text.trim_matches('"').to_owned(), plain);
        (axis.values.len() > 1).then(|| format!("{name} {value}"))
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        trials.in_words(tried)
    } else {
        words.join(", ")
    }
}

/// Numbers that were chosen at the end of what was tried: beyond it may be better ones. A sentence
/// for each, with the arms that it is about.
pub fn chosen_at_an_end(trials: &Trials) -> Vec<String> {
    let mut found: Vec<(ChosenEnd, Vec<&str>)> = Vec::new();
    for chosen in trials.tried.iter().filter(|one| one.is_chosen) {
        for end in ends(trials, chosen) {
            match found.iter_mut().find(|(known, _)| *known == end) {
                Some((_, arms)) => arms.push(chosen.arm_name()),
                None => found.push((end, vec![chosen.arm_name()])),
            }
        }
    }
    let told = found.iter().map(|(end, arms)| end.in_words(arms));
    told.collect()
}

/// A number that is the smallest or the largest of those that an arm tried.
#[derive(Debug, PartialEq)]
struct ChosenEnd {
    key: String,
    value: f64,
    is_smallest: bool,
}

impl ChosenEnd {
    fn in_words(&self, arms: &[&str]) -> String {
        let (end, other) = if self.is_smallest {
            ("smallest", "smaller")
        } else {
            ("largest", "larger")
        };
        let of_arms = match arms {
            [""] => String::new(),
            arms => {
                let arms: Vec<String> = arms.iter().map(|arm| spoken(arm)).collect();
                format!(" of {}", in_a_row(&arms))
            }
        };
        let is_weight = self.key.starts_with("loss.") && self.key.ends_with(".weight");
        let limit = if is_weight && self.is_smallest {
            "; at 0 there is no such loss"
        } else {
            ""
        };
        format!(
            "The {}{of_arms} that was chosen, {}, is the {end} that was tried: a {other} one may \
             be better{limit}.",
            self.key,
            plain(self.value)
        )
    }
}

fn ends(trials: &Trials, chosen: &TriedValues) -> Vec<ChosenEnd> {
    let end = |(key, text): (&String, &String)| {
        let axis = trials.axes.iter().find(|axis| axis.key == *key)?;
        let mut numbers = numbers_tried(trials, chosen, axis)?;
        numbers.sort_by(f64::total_cmp);
        let (least, most) = (*numbers.first()?, *numbers.last()?);
        let value = number(text)?;
        let is_end = least < most && (value == least || value == most);
        is_end.then(|| ChosenEnd {
            key: key.clone(),
            value,
            is_smallest: value == least,
        })
    };
    chosen.values.iter().filter_map(end).collect()
}

/// How many of the other values that an arm tried end within the margin of the one that was chosen:
/// among those another seed may choose otherwise. None where no arm has any.
pub fn hardly_apart(trials: &Trials, margin: f64) -> Option<String> {
    let of_arm = |chosen: &TriedValues| {
        let best = chosen.validation_nll?;
        let own = trials.tried.iter().filter(|one| one.arm == chosen.arm);
        let others: Vec<f64> = own
            .filter(|one| !one.is_chosen)
            .filter_map(|one| one.validation_nll)
            .collect();
        let near = others.iter().filter(|loss| **loss - best <= margin).count();
        let name = spoken(chosen.arm_name());
        let of = if name.is_empty() { "" } else { " of " };
        (near > 0).then(|| format!("{near} of {}{of}{name}", others.len()))
    };
    let chosen = trials.tried.iter().filter(|one| one.is_chosen);
    let told: Vec<String> = chosen.filter_map(of_arm).collect();
    (!told.is_empty()).then(|| {
        format!(
            "Of the other values, these end within δ of the chosen ones, where another seed may \
             choose otherwise: {}.",
            told.join(", ")
        )
    })
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
