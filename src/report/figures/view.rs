//! A study as every figure sees it: which axis has the colours, and which settings have a panel.

use std::collections::BTreeMap;

use crate::report::analysis::Analysis;
use crate::report::axes::{self, ANY, ARM, Setting, label, without};
use crate::report::data::StudyData;
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
}

/// Rows of one setting of the axes that have neither colours nor a place on an axis of the figure.
pub struct Facet {
    pub title: String,
    /// Places of rows, each with the number of its colour.
    pub rows: Vec<(usize, usize)>,
}

impl<'a> View<'a> {
    /// Finds the axis of the colours.
    pub fn new(data: &'a StudyData, analysis: &'a Analysis) -> Self {
        let varying: Vec<&str> = axes::varying(&data.study)
            .map(|axis| axis.key.as_str())
            .collect();
        let arm = varying.iter().find(|&&key| key == ARM);
        Self {
            data,
            rows: &analysis.rows,
            analysis,
            series: arm.or(varying.first()).copied(),
            varying,
        }
    }

    /// The number of a row's colour, and the name of its series.
    pub fn series_of(&self, row: &TableRow) -> (usize, String) {
        let Some(key) = self.series else {
            return (0, row.label.clone());
        };
        let value = row.at.get(key).map_or("", String::as_str);
        let number = axes::axis(&self.data.study, key)
            .and_then(|axis| axis.values.iter().position(|shown| shown == value))
            .unwrap_or(0);
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

    /// The rows of a setting, the hidden axes aside, each with the number of its colour.
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
