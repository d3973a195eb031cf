//! Whether a comparison comes out the same at other values of the axes that the answer should not
//! depend on (`report.sensitivity`).
//!
//! The answer is for one value of each such axis, its home; the rest of the report knows nothing of
//! the others. At another value the same settings are compared, and judged at the same level as at
//! home: it is asked whether the verdict would be the same, and no new question shares α.

use super::axes::{self, Setting};
use super::contrasts::{Contrast, differences_by_seed};
use super::data::StudyData;
use super::frame::{Group, baselines_of};
use super::questions::Asked;
use super::rows::{GroupedRows, TableRow, rows};
use super::statistics::Paired;

/// A comparison at another value of one axis.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// Place of the same at home.
    pub of: usize,
    pub axis: String,
    pub value: String,
    pub contrast: Contrast,
    /// Interval of its differences less those of the same seeds at home, at the level of home; none
    /// of fewer than two seeds in common.
    pub beside_home: Option<(f64, f64)>,
}

impl Elsewhere {
    /// The value in words, as in `train.lr.peak = 0.003`.
    pub fn value_in_words(&self) -> String {
        format!("{} = {}", self.axis, self.value)
    }
}

/// What the answer is about.
pub struct Home<'a> {
    pub groups: &'a [Group],
    /// For every group, the place of its row.
    pub row_of_group: &'a [usize],
    pub rows: &'a [TableRow],
    pub contrasts: &'a [Contrast],
    /// How many primary comparisons share α, and how many others.
    pub primary: usize,
    pub family: usize,
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
                let rows = &moved.grouped.rows;
                let own = judged_as(data, rows, contrast, pairs, home);
                Some(Elsewhere {
                    of,
                    axis: key.clone(),
                    value: value.clone(),
                    beside_home: beside_home(data, (rows, &own), (home.rows, contrast)),
                    contrast: own,
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
    groups: Vec<Group>,
}

impl<'a> MovedRows<'a> {
    fn new(data: &StudyData, all: &[Group], (key, value): (&'a str, &'a str)) -> Self {
        let groups: Vec<Group> = all
            .iter()
            .filter(|group| data.study.report.is_home(&group.at, Some(key)))
            .filter(|group| group.at.get(key).is_some_and(|own| own == value))
            .cloned()
            .collect();
        let baselines = baselines_of(data, &groups);
        let grouped = rows(data, &groups, &baselines);
        Self {
            key,
            value,
            grouped,
            groups,
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
        let place = |row: usize| {
            let mut groups = home.groups.iter().zip(home.row_of_group);
            groups.find_map(|(group, own)| self.row_of(&group.at).filter(|_| *own == row))
        };
        let own = &contrast.asked.pairs;
        let pairs: Option<Vec<(usize, usize)>> = own
            .iter()
            .map(|&(a, b)| Some((place(a)?, place(b)?)))
            .collect();
        let pairs = pairs.filter(|pairs| !pairs.is_empty())?;
        let flat = |pairs: &[(usize, usize)]| -> Vec<usize> {
            pairs.iter().flat_map(|&(a, b)| [a, b]).collect()
        };
        // They may be fewer than at home.
        let are_those_of_home = |(own, other): (usize, usize)| {
            let own: Vec<usize> = runs(data, &home.rows[own]).collect();
            runs(data, &self.grouped.rows[other]).all(|run| own.contains(&run))
        };
        let mut rows = flat(own).into_iter().zip(flat(&pairs));
        (!rows.all(are_those_of_home)).then_some(pairs)
    }

    /// The row of a setting of home at the other value.
    fn row_of(&self, home: &Setting) -> Option<usize> {
        let mut at = home.clone();
        at.insert(self.key.to_owned(), self.value.to_owned());
        let group = self.groups.iter().position(|group| group.at == at)?;
        Some(self.grouped.row_of_group[group])
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
    let sharing = if home.asked.is_primary {
        all.primary
    } else {
        all.family
    };
    contrast.judge(data, rows, (home.alpha, sharing), worst_of(data, rows));
    contrast
}

/// The highest loss of some rows.
pub fn worst_of(data: &StudyData, rows: &[TableRow]) -> Option<f64> {
    let cells = rows.iter().flat_map(|row| &row.cells);
    let losses = cells.filter_map(|&cell| data.run(cell).nll());
    losses.reduce(f64::max)
}

/// The interval of what a comparison differs by from the same at home, seed by seed.
fn beside_home(
    data: &StudyData,
    (rows, own): (&[TableRow], &Contrast),
    (home_rows, home): (&[TableRow], &Contrast),
) -> Option<(f64, f64)> {
    let at_home = differences_by_seed(data, home_rows, &home.asked);
    let shared = differences_by_seed(data, rows, &own.asked)
        .into_iter()
        .filter_map(|(seed, here)| {
            let there = at_home.iter().find(|(other, _)| *other == seed)?;
            Some(here - there.1)
        });
    let differences: Vec<f64> = shared.collect();
    if differences.is_empty() {
        return None;
    }
    let paired = Paired::of(differences);
    paired.interval(home.alpha, paired.error)
}

#[cfg(test)]
#[path = "elsewhere_tests.rs"]
mod tests;
