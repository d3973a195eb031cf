//! A study as every figure sees it: which axis has the colours, and which settings have a panel.

use std::collections::BTreeMap;

use super::palette::{SeriesStyle, styles_in_order, styles_of_arms};
use crate::report::analysis::Analysis;
use crate::report::axes::{self, ANY, ARM, SEED, Setting, label, value_label, without};
use crate::report::contrasts::Contrast;
use crate::report::data::{RunData, StudyData};
use crate::report::rows::TableRow;

/// A study with what every figure agrees on: which axis has the colours, and the panels of the
/// other axes.
pub struct View<'a> {
    pub data: &'a StudyData,
    pub rows: &'a [TableRow],
    pub analysis: &'a Analysis,
    /// The axis that has the colours: the arm, or else the first that varies.
    pub series: Option<&'a str>,
    /// Axes that vary, in the order of the spec, without the seed.
    pub varying: Vec<&'a str>,
    /// How the values of the axis of colours look, in the order of the spec.
    styles: Vec<SeriesStyle>,
}

/// A run with the name of its seed.
pub struct SeededRun<'a> {
    /// "seed 3"; empty where the grid has no seeds.
    pub seed: String,
    pub run: &'a RunData,
}

/// Rows of one setting of the axes that have neither colours nor a place on an axis of the figure.
pub struct Facet {
    pub title: String,
    /// Places of rows, each with the number of its series.
    pub rows: Vec<(usize, usize)>,
}

impl<'a> View<'a> {
    /// Finds the axis of the colours.
    pub fn new(data: &'a StudyData, analysis: &'a Analysis) -> Self {
        let varying: Vec<&str> = axes::varying(&data.study)
            .map(|axis| axis.key.as_str())
            .collect();
        let arm = varying.iter().find(|&&key| key == ARM);
        let series = arm.or(varying.first()).copied();
        let values = |key: &str| axes::axis(&data.study, key).map(|axis| axis.values.as_slice());
        let styles = match series.map(|key| (key, values(key).unwrap_or_default())) {
            Some((ARM, names)) => styles_of_arms(names),
            Some((_, values)) => styles_in_order(values.len()),
            // One arm alone looks as it would among others.
            None => styles_of_arms(values(ARM).unwrap_or_default()),
        };
        Self {
            data,
            rows: &analysis.rows,
            analysis,
            series,
            varying,
            styles,
        }
    }

    /// The teacher that all rows have; none where they have several, as a mark of one of them would
    /// say nothing of the others' students.
    pub fn teacher(&self) -> Option<&'a RunData> {
        match self.analysis.teachers(self.data).as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// How a series looks: an arm alike in all figures, whatever else is shown.
    pub fn style(&self, series: usize) -> SeriesStyle {
        match self.styles.get(series) {
            Some(style) => *style,
            None if self.styles.is_empty() => styles_in_order(1)[0],
            None => SeriesStyle::NEUTRAL,
        }
    }

    /// How a row looks.
    pub fn style_of(&self, row: &TableRow) -> SeriesStyle {
        self.style(self.series_of(row).0)
    }

    /// The value of the axis of the colours that rows are compared with, where the baseline has
    /// one.
    pub fn baseline_of_series(&self) -> Option<String> {
        let key = self.series?;
        let value = self.data.study.report.baseline.get(key)?;
        Some(value_label(key, value))
    }

    /// The comparison of a row with its baseline, where there is one.
    pub fn contrast(&self, row: &TableRow) -> Option<&'a Contrast> {
        self.analysis.contrasts.get(row.contrast?)
    }

    /// The finished runs of a row in the order of seeds.
    pub fn finished(&self, row: &TableRow) -> Vec<SeededRun<'a>> {
        self.pairs(row, row)
            .into_iter()
            .map(|(run, _)| run)
            .collect()
    }

    /// The runs of a row beside those of another with the same seed, where both finished.
    pub fn pairs(&self, row: &TableRow, other: &TableRow) -> Vec<(SeededRun<'a>, &'a RunData)> {
        let seed = |cell: usize| self.data.study.cells[cell].at.get(SEED);
        let pairs = row.cells.iter().filter_map(|&cell| {
            let partner = other
                .cells
                .iter()
                .find(|&&other| seed(other) == seed(cell))?;
            let (run, other) = (self.data.run(cell), self.data.run(*partner));
            let is_whole = run.state.is_finished() && other.state.is_finished();
            let seed = seed(cell).map_or_else(String::new, |seed| format!("seed {seed}"));
            is_whole.then_some((SeededRun { seed, run }, other))
        });
        pairs.collect()
    }

    /// The number of a row's series, and its name.
    pub fn series_of(&self, row: &TableRow) -> (usize, String) {
        let Some(key) = self.series else {
            return (0, row.label.clone());
        };
        let value = row.at.get(key).map_or("", String::as_str);
        let number = axes::axis(&self.data.study, key)
            .and_then(|axis| axis.values.iter().position(|shown| shown == value))
            .unwrap_or(self.styles.len());
        let setting = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        (number, label(&setting, &[key]))
    }

    /// The panels of all settings apart from the axis of the colours and `on_axis`, which the
    /// figure itself shows. A row that stands for any value of an axis is in every panel.
    pub fn facets(&self, on_axis: &[&str]) -> Vec<Facet> {
        let hidden: Vec<&str> = on_axis.iter().copied().chain(self.series).collect();
        let settings = self.analysis.settings_but(&hidden);
        let shown: Vec<&str> = self
            .varying
            .iter()
            .copied()
            .filter(|key| !hidden.contains(key))
            .collect();
        settings
            .iter()
            .filter(|setting| {
                let more_special = |other: &Setting| other != *setting && covers(setting, other);
                !settings.iter().any(more_special)
            })
            .map(|setting| Facet {
                title: if shown.is_empty() {
                    String::new()
                } else {
                    label(setting, &shown)
                },
                rows: self.members(setting, &hidden),
            })
            .collect()
    }

    /// The rows of a setting, the hidden axes aside, each with the number of its series.
    fn members(&self, setting: &Setting, hidden: &[&str]) -> Vec<(usize, usize)> {
        self.rows
            .iter()
            .enumerate()
            .filter(|(_, row)| covers(&without(&row.at, hidden), setting))
            .map(|(place, row)| (place, self.series_of(row).0))
            .collect()
    }

    /// The numbers and names of the series that some rows of facets belong to.
    pub fn series_of_facets<'b>(
        &'b self,
        facets: &'b [Facet],
        is_shown: impl Fn(usize) -> bool + 'b,
    ) -> impl Iterator<Item = (usize, String)> + 'b {
        facets
            .iter()
            .flat_map(|facet| &facet.rows)
            .filter(move |(row, _)| is_shown(*row))
            .map(|&(row, number)| (number, self.series_of(&self.rows[row]).1))
    }
}

/// Whether one setting is the other, or stands for it among others.
fn covers(general: &Setting, special: &Setting) -> bool {
    special.iter().all(|(key, value)| {
        let covering = general.get(key);
        covering.is_some_and(|covering| covering == value || covering == ANY)
    })
}
