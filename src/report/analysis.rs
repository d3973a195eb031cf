//! Everything that is compared: which rows there are, which is compared with which, and what
//! follows for all of them together.

use std::collections::BTreeMap;

use anyhow::Result;

use super::axes::{Setting, without};
use super::contrasts::Contrast;
use super::data::{RunData, StudyData};
use super::frame::{self, Group};
use super::nulls::nulls;
use super::rows::{GroupedRows, TableRow, rows};
use super::statistics::holm;

/// Everything that is compared.
#[derive(Debug, Clone)]
pub struct Analysis {
    pub rows: Vec<TableRow>,
    /// In the order of rows.
    pub contrasts: Vec<Contrast>,
    /// Contrasts that share the error probability α (without the primary ones).
    pub family: usize,
    /// Contrasts that the spec declared primary.
    pub primary: usize,
}

impl Analysis {
    /// Compares the groups of a study.
    ///
    /// # Errors
    /// None that a readable study can cause.
    pub fn new(data: &StudyData) -> Result<Self> {
        let groups = frame::groups(data)?;
        let places: BTreeMap<&Setting, usize> = groups
            .iter()
            .enumerate()
            .map(|(place, group)| (&group.at, place))
            .collect();
        let baselines: Vec<Option<usize>> = groups
            .iter()
            .map(|group| places.get(&baseline_of(data, group)).copied())
            .collect();
        let GroupedRows {
            mut rows,
            row_of_group,
            first_group,
        } = rows(data, &groups, &baselines);
        let mut contrasts: Vec<Contrast> = Vec::new();
        let compares = compares(data, &groups);
        for (row, &group) in first_group.iter().enumerate() {
            if !compares || baselines[group] == Some(group) {
                continue;
            }
            let baseline = baselines[group].map(|baseline| row_of_group[baseline]);
            let is_primary = is_primary(data, &groups[group]);
            let mut contrast = Contrast::new(data, &rows, row, baseline, is_primary);
            contrast.nulls = nulls(data, &groups, &places, group, contrast.paired.as_ref())
                .filter(|_| rows[row].follows_a_map(data));
            rows[row].contrast = Some(contrasts.len());
            contrasts.push(contrast);
        }
        let mut analysis = Self {
            rows,
            contrasts,
            family: 0,
            primary: 0,
        };
        analysis.primary = analysis.judge(data, true);
        analysis.family = analysis.judge(data, false);
        Ok(analysis)
    }

    /// Judges the primary contrasts, or all others: a family, whose size it gives.
    fn judge(&mut self, data: &StudyData, is_primary: bool) -> usize {
        let worst = data.runs.iter().filter_map(RunData::nll).reduce(f64::max);
        let family: Vec<usize> = (0..self.contrasts.len())
            .filter(|&place| {
                let contrast = &self.contrasts[place];
                contrast.is_primary == is_primary && contrast.paired.is_some()
            })
            .collect();
        let alpha = data.study.report.alpha / family.len().max(1) as f64;
        let tested: Vec<(usize, f64)> = family
            .iter()
            .filter_map(|&place| Some((place, self.contrasts[place].paired.as_ref()?.p?)))
            .collect();
        let adjusted = holm(&tested.iter().map(|&(_, p)| p).collect::<Vec<_>>());
        for (&(place, _), p) in tested.iter().zip(adjusted) {
            self.contrasts[place].p = Some(p);
        }
        for &place in &family {
            self.contrasts[place].judge(data, &self.rows, alpha, worst);
        }
        family.len()
    }

    /// The settings of all rows in every axis but these, each once.
    pub fn settings_but(&self, axes: &[&str]) -> Vec<Setting> {
        let mut found: Vec<Setting> = Vec::new();
        for row in &self.rows {
            let at = without(&row.at, axes);
            if !found.contains(&at) {
                found.push(at);
            }
        }
        found
    }
}

/// The setting that a group is compared with.
fn baseline_of(data: &StudyData, group: &Group) -> Setting {
    let mut at = group.at.clone();
    for (key, value) in &mut at {
        if let Some(baseline) = data.study.report.baseline.get(key) {
            value.clone_from(baseline);
        }
    }
    at
}

/// Whether the baseline names an axis of the grid.
fn compares(data: &StudyData, groups: &[Group]) -> bool {
    data.study
        .report
        .baseline
        .keys()
        .any(|key| groups.iter().any(|group| group.at.contains_key(key)))
}

/// Whether the spec declared the contrast of this group as primary.
fn is_primary(data: &StudyData, group: &Group) -> bool {
    data.study.report.primary.as_ref().is_some_and(|primary| {
        !primary.is_empty()
            && primary
                .iter()
                .all(|(key, value)| group.at.get(key) == Some(value))
    })
}
