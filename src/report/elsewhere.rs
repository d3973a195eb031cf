//! Whether a comparison comes out the same at other values of the axes that the answer should not
//! depend on (`report.sensitivity`).
//!
//! The answer is for one value of each such axis, its home; the rest of the report knows nothing of
//! the others. At another value the same settings are compared, and judged at the same level as at
//! home: it is asked whether the verdict would be the same, and no new question shares α.

use std::collections::BTreeMap;

use super::axes::{self, Setting, value_label};
use super::contrasts::Contrast;
use super::data::{RunData, StudyData};
use super::frame::{Group, baseline_of};
use super::questions::Asked;
use super::rows::{GroupedRows, TableRow, rows};
use super::statistics::corrected;
use crate::record::study::Study;

/// A comparison at another value of one axis.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// Place of the same at home.
    pub of: usize,
    pub axis: String,
    pub value: String,
    pub contrast: Contrast,
}

impl Elsewhere {
    /// The value in words, as in `peak 0.003`.
    pub fn value_in_words(&self) -> String {
        value_label(&self.axis, &self.value)
    }
}

/// Whether a setting is one that the answer is about, but for the axis `moved`.
pub fn is_home(study: &Study, at: &Setting, moved: Option<&str>) -> bool {
    let homes = study.report.sensitivity.iter();
    let mut homes = homes.filter(|(axis, _)| moved != Some(axis.as_str()));
    homes.all(|(axis, home)| at.get(axis).is_none_or(|value| value == home))
}

/// What the answer is about.
pub struct Home<'a> {
    pub groups: &'a [Group],
    /// For every row, the place of its first group.
    pub first_group: &'a [usize],
    pub rows: &'a [TableRow],
    pub contrasts: &'a [Contrast],
}

/// The comparisons that the answer tells, at every other value of one axis after the other; those
/// of runs that the axis makes no difference to, or that the grid does not have, are left out.
/// `all` are the groups of the study.
pub fn elsewhere(data: &StudyData, all: &[Group], home: &Home) -> Vec<Elsewhere> {
    let mut found = Vec::new();
    for (key, home_value) in &data.study.report.sensitivity {
        let values = axes::axis(&data.study, key).map_or(&[][..], |axis| &axis.values);
        for value in values.iter().filter(|value| *value != home_value) {
            let moved = MovedRows::new(data, all, (key, value));
            let told = home
                .contrasts
                .iter()
                .enumerate()
                .filter(|one| one.1.is_told);
            found.extend(told.filter_map(|(of, contrast)| {
                let pairs = moved.pairs_of(data, home, contrast)?;
                Some(Elsewhere {
                    of,
                    axis: key.clone(),
                    value: value.clone(),
                    contrast: judged_as(data, &moved.grouped.rows, contrast, pairs, home),
                })
            }));
        }
    }
    found
}

/// The rows of the groups that have another value of one axis.
struct MovedRows<'a> {
    key: &'a str,
    value: &'a str,
    grouped: GroupedRows,
    places: BTreeMap<Setting, usize>,
}

impl<'a> MovedRows<'a> {
    fn new(data: &StudyData, all: &[Group], (key, value): (&'a str, &'a str)) -> Self {
        let groups: Vec<Group> = all
            .iter()
            .filter(|group| is_home(&data.study, &group.at, Some(key)))
            .filter(|group| group.at.get(key).is_some_and(|own| own == value))
            .cloned()
            .collect();
        let places: BTreeMap<Setting, usize> = groups
            .iter()
            .enumerate()
            .map(|(place, group)| (group.at.clone(), place))
            .collect();
        let baselines: Vec<Option<usize>> = groups
            .iter()
            .map(|group| places.get(&baseline_of(data, group)).copied())
            .collect();
        let grouped = rows(data, &groups, &baselines);
        Self {
            key,
            value,
            grouped,
            places,
        }
    }

    /// The rows that a comparison of home is of at the other value; none where the grid has not all
    /// of them, or all are the runs of home.
    fn pairs_of(
        &self,
        data: &StudyData,
        home: &Home,
        contrast: &Contrast,
    ) -> Option<Vec<(usize, usize)>> {
        let place = |row: usize| self.row_of(&home.groups[home.first_group[row]].at);
        let own = &contrast.asked.pairs;
        let pairs: Option<Vec<(usize, usize)>> = own
            .iter()
            .map(|&(a, b)| Some((place(a)?, place(b)?)))
            .collect();
        let pairs = pairs.filter(|pairs| !pairs.is_empty())?;
        let flat = |pairs: &[(usize, usize)]| -> Vec<usize> {
            pairs.iter().flat_map(|&(a, b)| [a, b]).collect()
        };
        let is_same = |(own, other): (usize, usize)| {
            runs(data, &home.rows[own]).eq(runs(data, &self.grouped.rows[other]))
        };
        let mut rows = flat(own).into_iter().zip(flat(&pairs));
        (!rows.all(is_same)).then_some(pairs)
    }

    /// The row of a setting of home at the other value.
    fn row_of(&self, home: &Setting) -> Option<usize> {
        let mut at = home.clone();
        at.insert(self.key.to_owned(), self.value.to_owned());
        let group = self.places.get(&at)?;
        Some(self.grouped.row_of_group[*group])
    }
}

/// The runs of a row's cells.
fn runs(data: &StudyData, row: &TableRow) -> impl Iterator<Item = usize> {
    row.cells.iter().map(|&cell| data.run_of_cell[cell])
}

/// The same comparison of other rows, at the level that it is judged at at home.
fn judged_as(
    data: &StudyData,
    rows: &[TableRow],
    home: &Contrast,
    pairs: Vec<(usize, usize)>,
    all: &Home,
) -> Contrast {
    let asked = Asked {
        row: home.asked.row.and(pairs.first()).map(|pair| pair.0),
        pairs,
        ..home.asked.clone()
    };
    let mut contrast = Contrast::new(data, rows, asked);
    let shares =
        |one: &&Contrast| one.asked.is_primary == home.asked.is_primary && one.paired.is_some();
    let sharing = all.contrasts.iter().filter(shares).count();
    let p = contrast.paired.as_ref().and_then(|paired| paired.p);
    let p = p.map(|p| corrected(p, sharing));
    let worst = data.runs.iter().filter_map(RunData::nll).reduce(f64::max);
    contrast.judge(data, rows, (home.alpha, p), worst);
    contrast
}

#[cfg(test)]
#[path = "elsewhere_tests.rs"]
mod tests;
