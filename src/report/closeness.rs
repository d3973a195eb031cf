//! How close the matched states of every setting came to the teacher's, in every measure alike: a
//! loss that brings closer what it is about alone, and one that is behind another in its own
//! measure, are both seen.

use serde::Serialize;

use super::data::{RunData, StudyData};
use super::delivery::{Quantity, floor, form_in_words, matched, mean_over, share_removed};
use super::pairing::both_finished;
use super::rows::TableRow;
use super::statistics::mean_of;
use crate::plan::run::{Comparison, HiddenLoss, HiddenState, StateForm};

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

/// The closeness of every row, on the pairs that it matches, or else on those of the first row that
/// matches any; beside the row without hidden losses that belongs to the row that matches them.
/// Empty where no row does, or where nothing was measured.
pub fn closeness(data: &StudyData, rows: &[TableRow]) -> Vec<SettingCloseness> {
    let treated = |row: &TableRow| Some((measured(data, row)?, &rows[row.untreated?]));
    let Some((first, first_beside)) = rows.iter().find_map(treated) else {
        return Vec::new();
    };
    let of_row = |row: &TableRow, is_other: bool| {
        let ((pairs, form), beside) = match treated(row) {
            Some(found) => found,
            // Trained on other pairs at every step, or beside nothing.
            None if measured(data, row).is_some() => return None,
            None => (first.clone(), first_beside),
        };
        if std::ptr::eq(row, beside) {
            return None;
        }
        let form = if is_other { other_form(form) } else { form };
        let runs = both_finished(data, &row.cells, &beside.cells);
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

fn other_form(form: StateForm) -> StateForm {
    match form {
        StateForm::Raw => StateForm::Layernorm,
        StateForm::Layernorm => StateForm::Raw,
    }
}

/// What a row's first hidden loss matches.
fn measured(data: &StudyData, row: &TableRow) -> Option<MatchedStates> {
    let spec = row.finished(data).next()?.spec.as_ref()?;
    let form = spec
        .loss
        .values()
        .find_map(|term| match term.comparison() {
            Comparison::Hidden(HiddenLoss { states, .. }) => Some(states),
            _ => None,
        })?;
    Some((matched(spec)?.to_vec(), form))
}

/// The share that was removed, of means over pairs and seeds.
fn removed(
    data: &StudyData,
    runs: &[(&RunData, &RunData)],
    pairs: &[(HiddenState, HiddenState)],
    quantity: Quantity,
    form: StateForm,
) -> Option<f64> {
    let mean = |value: &dyn Fn(&(&RunData, &RunData)) -> Option<f64>| {
        mean_of(runs.iter().map(value).collect::<Option<Vec<f64>>>()?)
    };
    let value = mean(&|(run, _)| mean_over(run, pairs, quantity, form))?;
    let start = mean(&|(_, other)| mean_over(other, pairs, quantity, form))?;
    let own = mean(&|(run, _)| floor(data, run, pairs, quantity, form));
    share_removed(start, quantity.end(own)?, value)
}
