//! Where the rows of the main figure and its two panels lie.

use std::collections::BTreeSet;

use super::WIDTH;
use super::canvas::{SMALL, TEXT, text_width};
use super::palette::SeriesStyle;
use super::panel::Panel;
use super::scale::{Scale, far_off, is_near, range};
use super::view::View;
use crate::report::contrasts::Contrast;
use crate::report::data::RunData;
use crate::report::rows::TableRow;

/// The height of a row.
pub const ROW: f64 = 26.0;
/// Where the first row begins.
pub const TOP: f64 = 48.0;
/// The most that the names at the left and the notes at the right may take.
const WIDEST_NAMES: f64 = 190.0;
const WIDEST_NOTES: f64 = 150.0;

/// A row as the figure shows it.
pub struct LossRow<'a> {
    pub row: &'a TableRow,
    pub contrast: Option<&'a Contrast>,
    pub style: SeriesStyle,
    /// Losses with the names of their runs.
    pub losses: Vec<(String, f64)>,
    /// The names of the differences, in their order.
    pub pairs: Vec<String>,
    /// The label of the row that it is compared with.
    against: Option<&'a str>,
    /// What stands at its right.
    pub note: String,
    /// Whether its loss, and its difference, lies far beyond those of all others: it is named at
    /// the edge, and squeezes nobody.
    pub is_far: [bool; 2],
}

impl<'a> LossRow<'a> {
    pub fn new(view: &View<'a>, row: &'a TableRow) -> Self {
        let named = |seed: &str| {
            if seed.is_empty() {
                row.label.clone()
            } else {
                format!("{}, {seed}", row.label)
            }
        };
        let finished = view.finished(row);
        let losses = finished
            .iter()
            .filter_map(|found| Some((named(&found.seed), found.run.nll()?)));
        let contrast = view
            .contrast(row)
            .filter(|contrast| contrast.paired.is_some());
        let baseline = contrast
            .and_then(|contrast| Some(contrast.rows()?.1))
            .map(|baseline| &view.rows[baseline]);
        let pairs = baseline.map_or_else(Vec::new, |baseline| {
            let pairs = view.pairs(row, baseline).into_iter();
            pairs
                .map(|(run, _)| format!("{} against {}", named(&run.seed), baseline.label))
                .collect()
        });
        Self {
            row,
            contrast,
            style: view.style_of(row),
            losses: losses.collect(),
            pairs,
            against: baseline.map(|baseline| baseline.label.as_str()),
            note: failures(row),
            is_far: [false; 2],
        }
    }

    /// Its mean difference to the row that it is compared with.
    pub fn difference(&self) -> Option<f64> {
        Some(self.contrast?.paired.as_ref()?.mean)
    }

    /// Whether it has a difference with an interval.
    pub fn has_interval(&self) -> bool {
        self.contrast
            .is_some_and(|contrast| contrast.interval.is_some())
    }
}

/// How many of a row's runs have no result, and why.
fn failures(row: &TableRow) -> String {
    let all = row.cells.len();
    let counts = [(row.diverged, "diverged"), (row.missing, "missing")];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} of {all} {what}"))
        .collect();
    counts.join(", ")
}

/// Where everything lies: names at the left, then the losses, then the differences, then notes.
pub struct LossPanels {
    pub losses: Panel,
    /// Where any row was compared.
    pub differences: Option<Panel>,
    /// Where notes begin, if any row has one.
    pub notes: Option<f64>,
    /// The teacher's loss, where it lies near.
    pub teacher: Option<f64>,
    /// What all rows are compared with; none where that stands at the right.
    pub against: Option<String>,
}

impl LossPanels {
    /// Finds the places.
    pub fn new(view: &View, rows: &[LossRow]) -> Self {
        let notes = notes(rows);
        let baselines: BTreeSet<&str> = rows.iter().filter_map(|row| row.against).collect();
        let only = baselines.first().filter(|_| baselines.len() == 1);
        let against = only.map(|only| (*only).to_owned());
        let labels = rows.iter().map(|row| text_width(&row.row.label, TEXT));
        let names = labels.fold(66.0, f64::max).min(WIDEST_NAMES) + 16.0;
        let has_differences = rows.iter().any(|row| row.contrast.is_some());
        let plots = WIDTH - names - 24.0 - if notes > 0.0 { notes + 12.0 } else { 0.0 };
        let width = if has_differences {
            plots * 0.5 - 14.0
        } else {
            plots
        };
        let losses: Vec<f64> = rows
            .iter()
            .filter(|row| !row.is_far[0])
            .flat_map(|row| row.row.losses.iter().copied())
            .collect();
        let teacher = view.teacher().and_then(RunData::nll);
        let teacher = teacher.filter(|&teacher| is_near(teacher, &losses));
        let panel = |left: f64, x: Scale| Panel {
            left,
            top: TOP,
            width,
            height: ROW * rows.len() as f64,
            x,
            y: Scale::without_ticks(0.0, 1.0),
        };
        Self {
            losses: panel(names, scale_of_losses(rows, &losses, teacher)),
            differences: has_differences.then(|| {
                let x = scale_of_differences(rows, view.data.study.report.margin);
                panel(names + width + 28.0, x)
            }),
            notes: (notes > 0.0).then_some(WIDTH - notes - 8.0),
            teacher,
            against,
        }
    }
}

/// The width of all notes.
fn notes(rows: &[LossRow]) -> f64 {
    rows.iter()
        .map(|row| text_width(&row.note, SMALL))
        .fold(0.0, f64::max)
        .min(WIDEST_NOTES)
        .ceil()
}

/// Adds to each row whom it is compared with, where that is not the same for all.
pub fn name_baselines(rows: &mut [LossRow]) {
    let baselines: BTreeSet<&str> = rows.iter().filter_map(|row| row.against).collect();
    if baselines.len() < 2 {
        return;
    }
    for row in rows {
        let parts = row.against.into_iter().chain([row.note.as_str()]);
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        row.note = parts.join("; ");
    }
}

/// Marks the rows that lie far beyond the others.
pub fn mark_far_rows(rows: &mut [LossRow]) {
    let losses = far_off(rows.iter().map(|row| row.row.mean));
    let differences = far_off(rows.iter().map(LossRow::difference));
    for (place, row) in rows.iter_mut().enumerate() {
        row.is_far = [losses.contains(&place), differences.contains(&place)];
    }
}

/// The middle line of a row.
pub fn middle(row: usize) -> f64 {
    TOP + ROW * (row as f64 + 0.5)
}

/// Holds the losses, and as much of the intervals as does not squeeze them: an interval of few
/// seeds can be wide, and is then cut with an arrow.
fn scale_of_losses(rows: &[LossRow], losses: &[f64], teacher: Option<f64>) -> Scale {
    let (low, high) = range(losses.iter().copied()).unwrap_or((0.0, 1.0));
    let room = 0.5 * (high - low).max(0.005);
    let intervals = rows
        .iter()
        .filter(|row| !row.is_far[0])
        .filter_map(|row| row.row.interval)
        .flat_map(|(from, to)| [from.max(low - room), to.min(high + room)]);
    Scale::linear(losses.iter().copied().chain(intervals).chain(teacher), 4)
}

/// The same for differences; 0 and ±δ are always there.
fn scale_of_differences(rows: &[LossRow], margin: f64) -> Scale {
    let near = || rows.iter().filter(|row| !row.is_far[1]);
    let contrasts = || near().filter_map(|row| row.contrast);
    let compared = || {
        contrasts()
            .filter_map(|contrast| contrast.paired.as_ref())
            .flat_map(|paired| paired.differences.iter().copied())
    };
    let reach = compared().fold(margin * 2.0, |reach, difference| {
        reach.max(difference.abs() * 2.0)
    });
    let intervals = contrasts()
        .filter_map(|contrast| contrast.interval)
        .flat_map(|(low, high)| [low, high]);
    let bound = margin * 1.6;
    Scale::linear(
        compared()
            .chain(intervals.map(|end| end.clamp(-reach, reach)))
            .chain([-bound, bound]),
        4,
    )
}
