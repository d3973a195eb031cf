//! `report.sensitivity`: the axes that the answer of a study should not depend on.

use std::collections::{BTreeMap, BTreeSet};

use super::super::diagnostics::Diagnostic;
use super::super::grid::{Grid, GridAxis};
use super::super::matching::NULL_CONTROLS;
use super::super::planned::{ARM, AxisChoice, SEED, TEACHER_SEED};
use super::super::spec_layers::{On, PathStep};
use super::super::words::quoted;
use super::selection::no_axis_among;
use super::{AxisValues, StudyTables};

const KEY: &str = "sensitivity";

impl StudyTables {
    /// The axes with the value of each at which the answer is given: the one that the primary
    /// comparison names, or else the first.
    pub(super) fn sensitivity(
        &self,
        grid: &Grid,
        baseline: &AxisValues,
        primary: Option<&BTreeMap<String, AxisChoice>>,
        mistakes: &mut Vec<Diagnostic>,
    ) -> AxisValues {
        let mut found = AxisValues::new();
        for (place, key) in self.study.report.sensitivity.iter().enumerate() {
            let steps = [
                PathStep::Key("report".to_owned()),
                PathStep::Key(KEY.to_owned()),
                PathStep::Index(place),
            ];
            let place = self.merged.place(&steps, On::Value);
            let Some(axis) = grid.axes.iter().find(|axis| axis.key == *key) else {
                let keys = grid.axes.iter().map(|axis| axis.key.as_str());
                let keys = keys.filter(|key| ![ARM, SEED, TEACHER_SEED].contains(key));
                let keys: Vec<&str> = keys.collect();
                mistakes.push(no_axis_among(KEY, key, &keys).at(place));
                continue;
            };
            let named = primary.and_then(|primary| primary.get(key));
            let home = named.and_then(|choice| choice.values().first());
            let home = home.unwrap_or(&axis.values[0].text);
            let fault = fault_of(self, axis, baseline, named);
            let fault = fault.or_else(|| fault_of_home(self, axis, home, grid));
            if let Some((message, hint)) = fault {
                mistakes.push(Diagnostic::new(message).at(place).hint(hint));
                continue;
            }
            found.insert(key.clone(), home.clone());
        }
        found
    }
}

/// Why the answer cannot be asked for at every value of an axis of the grid, and what helps.
fn fault_of(
    tables: &StudyTables,
    axis: &GridAxis,
    baseline: &AxisValues,
    primary: Option<&AxisChoice>,
) -> Option<(String, String)> {
    let key = axis.key.as_str();
    let what = match key {
        ARM => Some("what is compared"),
        SEED | TEACHER_SEED => Some("left out value by value anyway"),
        _ => None,
    };
    if let Some(what) = what {
        return Some((
            format!("report.{KEY} names {key}, which is {what}"),
            format!("leave {key} out"),
        ));
    }
    let controls = NULL_CONTROLS.iter().filter(|(of, _)| *of == key);
    let mut controls = controls.filter(|(_, value)| axis.has_value(value));
    if let Some((_, control)) = controls.next() {
        return Some((
            format!("report.{KEY} names {key}, whose value {control} is a null control"),
            format!("leave {key} out: the report holds what is found against the controls anyway"),
        ));
    }
    if let Some(value) = baseline.get(key) {
        return Some((
            format!(
                "report.{KEY} names {key}, of which report.baseline is {} alone",
                quoted(value)
            ),
            format!("leave {key} out of the baseline: pairs then have the same value of it"),
        ));
    }
    if tables.study.report.question.as_deref() == Some(key) {
        return Some((
            format!("report.{KEY} names {key}, which report.question asks about"),
            format!("leave {key} out of one of the two"),
        ));
    }
    if primary.is_some_and(|choice| choice.values().len() > 1) {
        return Some((
            format!("report.{KEY} names {key}, of which report.primary names several values"),
            format!("name the one value of {key} in report.primary that the answer is for"),
        ));
    }
    None
}

/// Why the answer cannot be given at a value of an axis, and what helps.
fn fault_of_home(
    tables: &StudyTables,
    axis: &GridAxis,
    home: &str,
    grid: &Grid,
) -> Option<(String, String)> {
    let key = &axis.key;
    let select = [PathStep::Key("select".to_owned())];
    if tables.merged.find(&select).is_some() && axis.values[0].text != home {
        return Some((
            format!(
                "the answer is for {key} = {home}, as report.primary says, and [select] tries \
                 values at the axis's first"
            ),
            format!("write {home} first in grid.{key}"),
        ));
    }
    let others = |cell: &[usize]| {
        let mut at = grid.values_of(cell);
        at.remove(SEED);
        at.remove(TEACHER_SEED);
        (at.remove(key.as_str()), at)
    };
    let cells: Vec<_> = grid.cells.iter().map(|cell| others(cell)).collect();
    let at_home = cells.iter().filter(|cell| cell.0.as_deref() == Some(home));
    let at_home: BTreeSet<&AxisValues> = at_home.map(|cell| &cell.1).collect();
    let lacking = cells.iter().find(|cell| !at_home.contains(&cell.1))?;
    let setting = lacking
        .1
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let setting: Vec<String> = setting.collect();
    Some((
        format!(
            "the answer is for {key} = {home}, where the grid has no cell of {}",
            quoted(&setting.join(" "))
        ),
        format!("leave that setting out everywhere, or name another {key} in report.primary"),
    ))
}
