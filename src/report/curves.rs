//! What was recorded during a training, by name and step, thinned to what a figure can show.
//!
//! The names are those of [`recorded`].

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use crate::recorded;
use crate::table::{self, Table};

/// Points that a curve is thinned to: means over so many equal stretches of the training.
const STRETCHES: u64 = 150;

/// Points as (step, value).
pub type StepValues = Vec<(f64, f64)>;

/// The values of a run by name; dense ones thinned to means over stretches, of which the step is
/// the middle.
pub type Curves = BTreeMap<String, StepValues>;

/// The validation loss.
pub const VALIDATION: &str = recorded::VALIDATION_NLL;

/// The terms of the loss.
pub fn terms(curves: &Curves) -> impl Iterator<Item = &str> {
    curves.keys().filter_map(|name| recorded::term_of(name))
}

/// The terms that were balanced.
pub fn balanced_terms(curves: &Curves) -> impl Iterator<Item = &str> {
    curves.keys().filter_map(|name| recorded::balance_of(name))
}

/// The balance factor of a term before the first step; it stays unless terms are balanced again.
pub fn balance_factor(curves: &Curves, term: &str) -> Option<f64> {
    Some(curves.get(&recorded::balance(term))?.first()?.1)
}

/// What a term adds to the loss: weight times balance factor times value, at the steps that have
/// all of them.
pub fn contribution(curves: &Curves, term: &str) -> StepValues {
    let Some(values) = curves.get(&recorded::term(term)) else {
        return Vec::new();
    };
    let weights = curves.get(&recorded::weight(term));
    let first = balance_factor(curves, term).unwrap_or(1.0);
    let factors = curves.get(&recorded::balance(term));
    let balance = |place: usize, step: f64| {
        let here = factors.and_then(|factors| factors.get(place));
        here.filter(|factor| factor.0 == step)
            .map_or(first, |factor| factor.1)
    };
    let weight = |place: usize, step: f64| match weights {
        Some(weights) => weights
            .get(place)
            .filter(|weight| weight.0 == step)
            .map(|weight| weight.1),
        None => Some(1.0),
    };
    values
        .iter()
        .enumerate()
        .filter_map(|(place, &(step, value))| {
            Some((step, weight(place, step)? * balance(place, step) * value))
        })
        .collect()
}

/// A term's share of the sum of all terms' gradient norms, at the steps that measured them; a term
/// without a weight there pulls at nothing.
pub fn gradient_share(curves: &Curves, term: &str) -> StepValues {
    let all: Vec<&StepValues> = curves
        .iter()
        .filter(|(name, _)| recorded::gradient_of(name).is_some())
        .map(|(_, values)| values)
        .collect();
    let Some(own) = curves.get(&recorded::gradient(term)) else {
        return Vec::new();
    };
    let mut sums: BTreeMap<u64, f64> = BTreeMap::new();
    for &(step, norm) in all.into_iter().flatten() {
        *sums.entry(step.to_bits()).or_default() += norm;
    }
    let share = |&(step, norm): &(f64, f64)| {
        let sum = sums[&step.to_bits()];
        (sum > 0.0).then_some((step, norm / sum))
    };
    own.iter().filter_map(share).collect()
}

/// The cosine of a term's gradient with that of all others, at the steps that measured it.
pub fn cosine(curves: &Curves, term: &str) -> StepValues {
    let own = curves.get(&recorded::cosine(term));
    own.cloned().unwrap_or_default()
}

/// A value that a critic recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CriticCurve<'a> {
    pub term: &'a str,
    /// The student's state: the number of a layer, or "final".
    pub state: &'a str,
    /// "estimate", "gradient_norm", …
    pub value: &'a str,
}

impl<'a> CriticCurve<'a> {
    /// The parts of a name; none of what no critic recorded.
    pub fn of(name: &'a str) -> Option<Self> {
        let (term, state, value) = recorded::critic_of(name)?;
        Some(Self { term, state, value })
    }

    /// The name that it is recorded under.
    pub fn name(&self) -> String {
        recorded::critic(self.term, self.state, self.value)
    }

    /// Orders critics by their terms, and within a term by layers; the final state comes last.
    pub fn order(&self) -> (&'a str, usize) {
        (self.term, self.state.parse().unwrap_or(usize::MAX))
    }
}

/// The maps of terms whose spread over the teacher's layers is recorded, as `hidden, layer 2`.
pub fn maps_of_layers(curves: &Curves) -> Vec<String> {
    let entropies = curves
        .keys()
        .filter_map(|name| recorded::map_entropy_of(name));
    entropies
        .map(|(term, state)| map_name(term, state))
        .collect()
}

/// The entropy of such a map.
pub fn map_entropy(curves: &Curves, map: &str) -> StepValues {
    let mut all = curves.iter();
    let found = all.find(|(name, _)| {
        let of = recorded::map_entropy_of(name);
        of.is_some_and(|(term, state)| map_name(term, state) == map)
    });
    found.map_or_else(Vec::new, |(_, values)| values.clone())
}

fn map_name(term: &str, state: &str) -> String {
    format!("{term}, layer {state}")
}

/// Reads `metrics.parquet` column by column; values that are absent or not finite are left out.
pub fn read_curves(path: &Path) -> Result<Curves> {
    curves_of(&table::read(path)?, None)
        .with_context(|| format!("{} is not a table of metrics", path.display()))
}

/// The curves of a table of metrics, thinned as those of a training of so many steps; else, of as
/// many as there are.
pub fn curves_of(table: &Table, steps_in_all: Option<u64>) -> Result<Curves> {
    let steps = table.u64("step")?;
    let there = steps.last().map_or(1, |last| last + 1);
    let length = steps_in_all.unwrap_or(there).div_ceil(STRETCHES).max(1);
    let mut curves = Curves::new();
    for name in table.names().filter(|&name| name != "step") {
        let values = table.sparse(name)?;
        let present = steps
            .iter()
            .zip(values.iter())
            .filter_map(|(&step, value)| {
                value.filter(|v| v.is_finite()).map(|value| (step, value))
            });
        // What is measured at times stays as it is.
        let curve = if recorded::is_measured_at_times(name) {
            present.map(|(step, value)| (step as f64, value)).collect()
        } else {
            thin(present, length)
        };
        if !curve.is_empty() {
            curves.insert(name.to_owned(), curve);
        }
    }
    Ok(curves)
}

/// Means over stretches of `length` steps; the step of a mean is the middle of its stretch.
fn thin(values: impl Iterator<Item = (u64, f64)>, length: u64) -> Vec<(f64, f64)> {
    let mut thinned: Vec<(f64, f64)> = Vec::new();
    let (mut stretch, mut sum, mut count) = (0, 0.0, 0u64);
    let mut close = |stretch: u64, sum: f64, count: u64| {
        if count > 0 {
            thinned.push((
                (stretch * length) as f64 + (length - 1) as f64 / 2.0,
                sum / count as f64,
            ));
        }
    };
    for (step, value) in values {
        if step / length != stretch {
            close(stretch, sum, count);
            (stretch, sum, count) = (step / length, 0.0, 0);
        }
        sum += value;
        count += 1;
    }
    close(stretch, sum, count);
    thinned
}

#[cfg(test)]
#[path = "curves_tests.rs"]
mod tests;
