//! The lines of a setting: the validation loss of every arm over its training, and the difference
//! to the baseline's arm in the same setting.

use super::averages::{Averaged, average, average_of};
use super::palette::SeriesStyle;
use super::view::{Facet, View};
use crate::report::curves::{StepValues, VALIDATION};
use crate::report::data::RunData;

/// A line: its name, how it looks, its values.
pub struct ArmCurve {
    pub name: String,
    pub series: usize,
    pub style: SeriesStyle,
    pub values: Averaged,
    pub seeds: usize,
}

/// A setting with the lines of its arms and their differences to one of them.
pub struct SettingCurves {
    pub title: String,
    pub losses: Vec<ArmCurve>,
    pub differences: Vec<ArmCurve>,
    /// Whether a difference is not among them because it would be one of two null controls.
    pub leaves_out_controls: bool,
}

impl SettingCurves {
    pub fn new(view: &View, facet: Facet) -> Self {
        let curve = |(row, series): (usize, usize), values: Averaged, seeds: usize| ArmCurve {
            name: view.series_of(&view.rows[row]).1,
            series,
            style: view.style(series),
            values,
            seeds,
        };
        let losses = facet.rows.iter().map(|&(row, series)| {
            let runs: Vec<&RunData> = view.rows[row].with_curves(view.data).collect();
            curve((row, series), average_of(&runs, VALIDATION), runs.len())
        });
        let differences = facet.rows.iter().filter_map(|&(row, series)| {
            let other = compared_within(view, &facet, row)?;
            let curves = differences_of(view, row, other);
            let curves: Vec<&[(f64, f64)]> = curves.iter().map(Vec::as_slice).collect();
            Some(curve((row, series), average(&curves), curves.len()))
        });
        let has_points = |curve: &ArmCurve| !curve.values.mean.is_empty();
        let is_left_out = |&(row, _): &(usize, usize)| {
            let own = control_of_baseline(view, &facet, row);
            let curves = own.map(|own| differences_of(view, row, own));
            curves.is_some_and(|curves| curves.iter().any(|curve| !curve.is_empty()))
        };
        Self {
            leaves_out_controls: facet.rows.iter().any(is_left_out),
            losses: losses.filter(has_points).collect(),
            differences: differences.filter(has_points).collect(),
            title: facet.title,
        }
    }
}

/// The row of a facet that one of its rows is drawn against: the one that it is compared with,
/// where that is in the facet, and otherwise the facet's own of the baseline's arm. Whatever lies
/// elsewhere, on another map say, would make a difference of two things.
fn compared_within(view: &View, facet: &Facet, row: usize) -> Option<usize> {
    let key = view.series?;
    let baseline = view.data.study.report.baseline.get(key)?;
    let other = view.contrast(&view.rows[row])?.rows()?.1;
    let mut places = facet.rows.iter().map(|&(place, _)| place);
    if places.clone().any(|place| place == other) {
        return Some(other);
    }
    let own = places.find(|&place| view.rows[place].at.get(key) == Some(baseline))?;
    (own != row && !are_controls(view, row, own)).then_some(own)
}

/// Whether two rows are null controls: which of them does less harm is nobody's question.
fn are_controls(view: &View, row: usize, other: usize) -> bool {
    view.rows[row].is_control && view.rows[other].is_control
}

/// The row of a facet that one of its rows would be drawn against, were not both of them null
/// controls.
fn control_of_baseline(view: &View, facet: &Facet, row: usize) -> Option<usize> {
    let key = view.series?;
    let baseline = view.data.study.report.baseline.get(key)?;
    let mut places = facet.rows.iter().map(|&(place, _)| place);
    let own = places.find(|&place| view.rows[place].at.get(key) == Some(baseline))?;
    let is_one = own != row && are_controls(view, row, own);
    (is_one && compared_within(view, facet, row).is_none()).then_some(own)
}

/// The differences of the curves of two rows, seed by seed.
fn differences_of(view: &View, row: usize, other: usize) -> Vec<StepValues> {
    let pairs = view.pairs(&view.rows[row], &view.rows[other]);
    let pairs = pairs.iter();
    pairs
        .map(|(own, other)| difference(own.run, other))
        .collect()
}

/// The validation loss of a run minus that of another, at the steps that both have; nothing of
/// trainings of different lengths, which are at different places of their schedules there.
fn difference(run: &RunData, other: &RunData) -> Vec<(f64, f64)> {
    let steps = |run: &RunData| run.spec.as_ref().map(|spec| spec.train.steps);
    if steps(run) != steps(other) {
        return Vec::new();
    }
    let (Some(own), Some(other)) = (run.curves.get(VALIDATION), other.curves.get(VALIDATION))
    else {
        return Vec::new();
    };
    let at = |step: f64| other.iter().find(|point| point.0 == step);
    own.iter()
        .filter_map(|&(step, value)| Some((step, value - at(step)?.1)))
        .collect()
}

#[cfg(test)]
#[path = "setting_curves_tests.rs"]
mod tests;
