//! How close the matched states of every setting came to the teacher's, in every measure alike: a
//! loss that brings closer what it is about alone, and one that is behind another in its own
//! measure, are both seen.

use serde::Serialize;

use super::axes::{ANY, ARM, STRATEGY, TOKENS, without};
use super::data::StudyData;
use super::delivery::{
    Quantity, floor, form_in_words, form_of, matched, mean_over, share_removed, uniform_pairs,
};
use super::pairing::{RunPair, both_finished};
use super::rows::TableRow;
use super::statistics::mean_of;
use crate::plan::run::{Comparison, HiddenState, StateForm};

/// Of a setting, how much of what lies between the same without hidden losses and the teacher was
/// removed, in every measure; none where that is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingCloseness {
    pub label: String,
    /// The setting without hidden losses.
    pub beside: String,
    /// "raw" or "layer-normed": those that its loss compares, and then the others.
    pub states: &'static str,
    pub mse: Option<f64>,
    pub w1: Option<f64>,
    pub sliced_w2: Option<f64>,
    pub energy: Option<f64>,
}

/// What a setting is measured on: pairs of states, and their form.
type MatchedStates = (Vec<(HiddenState, HiddenState)>, StateForm);

/// The closeness of every row. One with a hidden loss is measured on the pairs that it matches, or
/// those of the uniform map where its own are not fixed, beside the same without hidden losses. One
/// that matches nothing is measured on the pairs of the first row that does, beside what that one
/// stands beside, of those that differ from it in their arm alone. Empty where no row matches
/// anything, or nothing was measured.
pub fn closeness(data: &StudyData, rows: &[TableRow]) -> Vec<SettingCloseness> {
    let treated = |row: &TableRow| Some((measured(data, row)?, &rows[row.untreated?]));
    let of_row = |row: &TableRow, is_other: bool| {
        let ((pairs, form), beside) = if row.follows_a_map(data) {
            treated(row)?
        } else {
            let mut others = rows.iter().filter_map(treated);
            others.find(|(_, beside)| differ_in_their_arms_alone(row, beside))?
        };
        let runs = both_finished(data, &row.cells, &beside.cells);
        // Distances to two teachers are no way from one to the other.
        let have_one_teacher = |(run, other): &RunPair| {
            let (own, others) = (run.spec.as_ref(), other.spec.as_ref());
            own.map(|spec| &spec.teacher) == others.map(|spec| &spec.teacher)
        };
        if std::ptr::eq(row, beside) || !runs.iter().all(have_one_teacher) {
            return None;
        }
        let form = if is_other { other_form(form) } else { form };
        let removed = |quantity| removed(data, &runs, &pairs, quantity, form);
        let found = SettingCloseness {
            label: row.label.clone(),
            beside: beside.label.clone(),
            states: form_in_words(form),
            mse: removed(Quantity::Mse),
            w1: removed(Quantity::W1),
            sliced_w2: removed(Quantity::SlicedW2),
            energy: removed(Quantity::Energy),
        };
        let measures = [found.mse, found.w1, found.sliced_w2, found.energy];
        measures.iter().any(Option::is_some).then_some(found)
    };
    let of_row = &of_row;
    let in_form = |is_other| rows.iter().filter_map(move |row| of_row(row, is_other));
    in_form(false).chain(in_form(true)).collect()
}

/// Whether two rows have the same values in every axis but the arm and what a loss matches; one
/// that an axis makes no difference to has every value.
fn differ_in_their_arms_alone(a: &TableRow, b: &TableRow) -> bool {
    let others = |row: &TableRow| without(&row.at, &[ARM, STRATEGY, TOKENS]);
    let (a, b) = (others(a), others(b));
    a.iter().all(|(key, value)| {
        let other = b.get(key);
        other.is_some_and(|other| other == value || [value, other].iter().any(|one| *one == ANY))
    })
}

fn other_form(form: StateForm) -> StateForm {
    match form {
        StateForm::Raw => StateForm::Layernorm,
        StateForm::Layernorm => StateForm::Raw,
    }
}

/// What a row's first hidden loss matches, or else the pairs of the uniform map.
fn measured(data: &StudyData, row: &TableRow) -> Option<MatchedStates> {
    let run = row.finished(data).next()?;
    let spec = run.spec.as_ref()?;
    let form = spec
        .loss
        .values()
        .find_map(|term| match term.comparison() {
            Comparison::Hidden(loss) => Some(form_of(loss)),
            Comparison::Logits(_) => None,
        })?;
    let pairs = matched(spec).map(<[_]>::to_vec);
    Some((pairs.or_else(|| uniform_pairs(run))?, form))
}

/// The share that was removed, of means over pairs and seeds.
fn removed(
    data: &StudyData,
    runs: &[RunPair],
    pairs: &[(HiddenState, HiddenState)],
    quantity: Quantity,
    form: StateForm,
) -> Option<f64> {
    let mean = |value: &dyn Fn(&RunPair) -> Option<f64>| {
        mean_of(runs.iter().map(value).collect::<Option<Vec<f64>>>()?)
    };
    let value = mean(&|(run, _)| mean_over(run, pairs, quantity, form))?;
    let start = mean(&|(_, other)| mean_over(other, pairs, quantity, form))?;
    let own = mean(&|(run, _)| floor(data, run, pairs, quantity, form));
    share_removed(start, quantity.end(own)?, value)
}

#[cfg(test)]
#[path = "closeness_tests.rs"]
mod tests;
