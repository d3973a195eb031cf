//! Which comparisons a study is asked for: every arm against the baseline, every layer map against
//! the senseless ones, every value of an axis against that axis's first, what an axis does over the
//! levels of all others, and whether one axis changes what another does.
//!
//! A comparison is a sum of differences of rows, paired by seed. Two rows are compared once,
//! whichever question comes to them first; rows that are the same runs are not compared.

use std::collections::{BTreeMap, BTreeSet};

use super::axes::{self, ARM, STRATEGY, Setting, is_null_setting, is_null_value};
use super::axes::{null_maps, reference, value_label, without};
use super::budgets::budgets;
use super::data::StudyData;
use super::frame::{Group, places_of};
use super::primary::is_declared;
pub use super::question::{Asked, Question};
use super::rows::{GroupedRows, TableRow};
use crate::record::study::{Axis, Study};

/// Comparisons along one axis, setting by setting, that a reader still goes through.
const MOST_SETTINGS: usize = 24;

/// Levels of a mean that are named one by one.
const MOST_LEVELS: usize = 6;

/// The axis that the question of the study is about: the one that the spec names, or the arms, or
/// what the baseline fixes, or the first that varies.
pub fn question_axis(study: &Study) -> Option<&str> {
    let varies = |key: &str| axes::varying(study).any(|axis| axis.key == key);
    let named = study.report.question.as_deref();
    let of_baseline = || study.report.baseline.keys().map(String::as_str);
    named
        .into_iter()
        .chain(of_baseline().filter(|&key| key == ARM))
        .chain(of_baseline())
        .chain([ARM])
        .find(|&key| varies(key))
        .or_else(|| Some(axes::varying(study).next()?.key.as_str()))
}

/// Every comparison, in the order of the questions.
pub fn asked(
    data: &StudyData,
    groups: &[Group],
    rows: &GroupedRows,
    baselines: &[Option<usize>],
) -> Vec<Asked> {
    let mut asker = Asker::new(data, groups, rows);
    asker.ask_against_baseline(baselines);
    asker.ask_at_equal_compute();
    asker.ask_against_nulls();
    let keys: Vec<&Axis> = axes::varying(&data.study).collect();
    for axis in &keys {
        asker.ask_along(axis);
    }
    for axis in &keys {
        asker.ask_main(axis);
    }
    if let Some(first) = question_axis(&data.study).and_then(|key| axes::axis(&data.study, key)) {
        for second in keys.iter().filter(|axis| axis.key != first.key) {
            asker.ask_interaction(first, second);
        }
    }
    asker.ask_what_hidden_losses_add();
    asker.asked
}

/// Collects comparisons of the rows of a study.
struct Asker<'a> {
    data: &'a StudyData,
    groups: &'a [Group],
    grouped: &'a GroupedRows,
    places: BTreeMap<&'a Setting, usize>,
    /// Pairs of rows that are compared already, the lower place first.
    compared: BTreeSet<(usize, usize)>,
    asked: Vec<Asked>,
}

impl<'a> Asker<'a> {
    fn new(data: &'a StudyData, groups: &'a [Group], grouped: &'a GroupedRows) -> Self {
        Self {
            data,
            groups,
            grouped,
            places: places_of(groups),
            compared: BTreeSet::new(),
            asked: Vec::new(),
        }
    }

    fn rows(&self) -> &'a [TableRow] {
        &self.grouped.rows
    }

    /// The row of a setting with other values in some axes, where the grid has it.
    fn row_at(&self, at: &Setting, changes: &[(&str, &str)]) -> Option<usize> {
        let mut at = at.clone();
        for (key, value) in changes {
            at.insert((*key).to_owned(), (*value).to_owned());
        }
        let group = self.places.get(&at)?;
        Some(self.grouped.row_of_group[*group])
    }

    /// Whether two rows are the same runs: what tells them apart is no part of them.
    fn are_same_runs(&self, a: usize, b: usize) -> bool {
        let runs = |row: usize| {
            let cells = self.rows()[row].cells.iter();
            cells.map(|&cell| self.data.run_of_cell[cell])
        };
        a == b || runs(a).eq(runs(b))
    }

    /// Asks for the difference of two rows, but for those that were asked for before.
    fn ask_pair(&mut self, question: Question, a: usize, b: usize) {
        if a == b || !self.compared.insert((a.min(b), a.max(b))) {
            return;
        }
        let rows = self.rows();
        self.asked.push(Asked {
            question,
            label: rows[a].label.clone(),
            against: Some(rows[b].label.clone()),
            over: None,
            row: Some(a),
            pairs: vec![(a, b)],
            scale: 1.0,
            is_primary: false,
        });
    }

    fn ask_against_baseline(&mut self, baselines: &[Option<usize>]) {
        let fixed = &self.data.study.report.baseline;
        let names_an_axis = |group: &Group| fixed.keys().any(|key| group.at.contains_key(key));
        if !self.groups.iter().any(names_an_axis) {
            return;
        }
        for (row, &group) in self.grouped.first_group.iter().enumerate() {
            match baselines[group] {
                Some(baseline) if baseline == group => {}
                Some(baseline) => {
                    let baseline = self.grouped.row_of_group[baseline];
                    // Which of two controls does less harm is nobody's question.
                    let rows = self.rows();
                    let are_controls = rows[row].is_control && rows[baseline].is_control;
                    if !are_controls || is_declared(&self.data.study, &self.groups[group]) {
                        self.ask_pair(Question::Baseline, row, baseline);
                    }
                }
                None => self.ask_alone(row),
            }
        }
    }

    fn ask_at_equal_compute(&mut self) {
        let data = self.data;
        for (paid, dear) in budgets(&data.study) {
            for group in self.sensible_groups() {
                if group.at.get(ARM).map(String::as_str) != Some(dear) {
                    continue;
                }
                let rows = (
                    self.row_at(&group.at, &[]),
                    self.row_at(&group.at, &[(ARM, paid)]),
                );
                if let (Some(a), Some(b)) = rows {
                    self.ask_pair(Question::Compute, a, b);
                }
            }
        }
    }

    /// Whatever the baseline is: that a loss is better than another does not say that it helps.
    fn ask_what_hidden_losses_add(&mut self) {
        let rows = self.rows();
        for (place, row) in rows.iter().enumerate() {
            let other = row.untreated.filter(|_| !row.is_control);
            // Rows of the same runs are one.
            let is_asked = |other: usize| {
                let mut compared = self.compared.iter();
                compared.any(|&(a, b)| {
                    (self.are_same_runs(a, place) && self.are_same_runs(b, other))
                        || (self.are_same_runs(b, place) && self.are_same_runs(a, other))
                })
            };
            if let Some(other) = other.filter(|&other| !is_asked(other)) {
                self.ask_pair(Question::Untreated, place, other);
            }
        }
    }

    /// A comparison that cannot be made.
    fn ask_alone(&mut self, row: usize) {
        self.asked.push(Asked {
            question: Question::Baseline,
            label: self.rows()[row].label.clone(),
            against: None,
            over: None,
            row: Some(row),
            pairs: Vec::new(),
            scale: 1.0,
            is_primary: false,
        });
    }

    /// The groups whose map is one that may help, or that have no map.
    fn sensible_groups(&self) -> impl Iterator<Item = &'a Group> + use<'a> {
        let rows = &self.grouped.rows;
        let groups = self.groups.iter().zip(&self.grouped.row_of_group);
        groups.filter_map(move |(group, &row)| {
            let is_null = is_null_setting(&group.at) || rows[row].is_control;
            (!is_null).then_some(group)
        })
    }

    fn ask_against_nulls(&mut self) {
        for group in self.sensible_groups() {
            let follows = |row: &usize| self.rows()[*row].follows_a_map(self.data);
            let Some(row) = self.row_at(&group.at, &[]).filter(follows) else {
                continue;
            };
            for control in null_maps(&self.data.study) {
                let control = self.row_at(&group.at, &[(STRATEGY, control)]);
                if let Some(control) = control.filter(|_| group.at.contains_key(STRATEGY)) {
                    self.ask_pair(Question::Null, row, control);
                }
            }
            if let Some(control) = self.grouped.pairing_null_of(row, self.data) {
                self.ask_pair(Question::Null, row, control);
            }
        }
    }

    /// The values of an axis but its reference and the null controls, with the reference.
    fn levels(&self, axis: &'a Axis) -> Option<(&'a str, Vec<&'a str>)> {
        let reference = reference(&self.data.study, axis)?;
        let values = axis.values.iter().map(String::as_str);
        let values = values
            .filter(|&value| value != reference && !is_null_value(&axis.key, value))
            .collect();
        Some((reference, values))
    }

    /// Every value of an axis against its reference, setting by setting. Where those are too many
    /// to be read, the means over the settings stand for them, and they take no share of α.
    fn ask_along(&mut self, axis: &'a Axis) {
        let Some((reference, values)) = self.levels(axis) else {
            return;
        };
        let mut pairs = Vec::new();
        for value in values {
            for group in self.sensible_groups() {
                if group.at.get(&axis.key).map(String::as_str) != Some(value) {
                    continue;
                }
                let rows = (
                    self.row_at(&group.at, &[]),
                    self.row_at(&group.at, &[(&axis.key, reference)]),
                );
                if let (Some(a), Some(b)) = rows
                    && !self.are_same_runs(a, b)
                {
                    pairs.push((a, b));
                }
            }
        }
        if pairs.len() <= MOST_SETTINGS {
            for (a, b) in pairs {
                self.ask_pair(Question::Axis(axis.key.clone()), a, b);
            }
        }
    }

    /// Settings of all axes but some that a sensible map has, each once.
    fn levels_of_others(&self, but: &[&str]) -> Vec<Setting> {
        let mut found: Vec<Setting> = Vec::new();
        for group in self.sensible_groups() {
            let others = without(&group.at, but);
            if !found.contains(&others) {
                found.push(others);
            }
        }
        found
    }

    /// `uniform, last` where one axis differs between them, and their number where several do.
    fn levels_in_words(&self, levels: &[&Setting]) -> String {
        let differs = |key: &&str| levels.iter().any(|at| at.get(*key) != levels[0].get(*key));
        let varying: Vec<&str> = axes::varying(&self.data.study)
            .map(|axis| axis.key.as_str())
            .filter(differs)
            .collect();
        if varying.len() > 1 || levels.len() > MOST_LEVELS {
            return format!("{} settings", levels.len());
        }
        let names: Vec<String> = levels.iter().map(|at| axes::label(at, &varying)).collect();
        names.join(", ")
    }

    fn ask_main(&mut self, axis: &'a Axis) {
        let Some((reference, values)) = self.levels(axis) else {
            return;
        };
        let others = self.levels_of_others(&[&axis.key]);
        for value in values {
            let mut pairs: Vec<(usize, usize)> = Vec::new();
            let mut levels: Vec<&Setting> = Vec::new();
            for at in &others {
                let rows = (
                    self.row_at(at, &[(&axis.key, value)]),
                    self.row_at(at, &[(&axis.key, reference)]),
                );
                if let (Some(a), Some(b)) = rows
                    && !self.are_same_runs(a, b)
                    && !pairs.contains(&(a, b))
                {
                    pairs.push((a, b));
                    levels.push(at);
                }
            }
            // Of one level it is that level's own comparison.
            if pairs.len() < 2 {
                continue;
            }
            self.asked.push(Asked {
                question: Question::Main(axis.key.clone()),
                label: value_label(&axis.key, value),
                against: Some(value_label(&axis.key, reference)),
                over: Some(self.levels_in_words(&levels)),
                row: None,
                scale: 1.0 / pairs.len() as f64,
                pairs,
                is_primary: false,
            });
        }
    }

    /// Whether what `first` does depends on `second`.
    fn ask_interaction(&mut self, first: &'a Axis, second: &'a Axis) {
        let (Some((a_reference, a_values)), Some((b_reference, b_values))) =
            (self.levels(first), self.levels(second))
        else {
            return;
        };
        let others = self.levels_of_others(&[&first.key, &second.key]);
        for a in a_values {
            for &b in &b_values {
                let four = |at: &Setting| -> Option<[usize; 4]> {
                    let row =
                        |x: &str, y: &str| self.row_at(at, &[(&first.key, x), (&second.key, y)]);
                    let four = [
                        row(a, b)?,
                        row(a_reference, b)?,
                        row(a_reference, b_reference)?,
                        row(a, b_reference)?,
                    ];
                    // A side that the second axis does not touch leaves a plain difference.
                    let is_touched = |x: usize, y: usize| !self.are_same_runs(four[x], four[y]);
                    (is_touched(0, 3) && is_touched(1, 2)).then_some(four)
                };
                let pairs: Vec<(usize, usize)> = others
                    .iter()
                    .filter_map(four)
                    .flat_map(|[ab, rb, rr, ar]| [(ab, rb), (rr, ar)])
                    .collect();
                if pairs.is_empty() {
                    continue;
                }
                let (a, a_reference) = (
                    value_label(&first.key, a),
                    value_label(&first.key, a_reference),
                );
                self.asked.push(Asked {
                    question: Question::Interaction(first.key.clone(), second.key.clone()),
                    label: format!("{a} − {a_reference}: {}", value_label(&second.key, b)),
                    against: Some(value_label(&second.key, b_reference)),
                    over: None,
                    row: None,
                    scale: 2.0 / pairs.len() as f64,
                    pairs,
                    is_primary: false,
                });
            }
        }
    }
}

#[cfg(test)]
#[path = "questions_tests.rs"]
mod tests;
