//! Everything that is compared: which rows there are, which is compared with which, and what
//! follows for all of them together.

use std::collections::BTreeMap;

use anyhow::Result;

use super::axes::{Setting, without};
use super::contrasts::Contrast;
use super::data::{RunData, StudyData};
use super::frame::{self, Group};
use super::nulls::{Nulls, nulls};
use super::primary::declare_primary;
use super::questions::{Question, asked};
use super::rows::{GroupedRows, TableRow, rows};
use super::statistics::corrected;

/// Everything that is compared.
#[derive(Debug, Clone)]
pub struct Analysis {
    pub rows: Vec<TableRow>,
    /// In the order of the questions.
    pub contrasts: Vec<Contrast>,
    /// Of every row, whether its layer map is better than the senseless ones; none where that is
    /// no question.
    pub nulls: Vec<Option<Nulls>>,
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
        let grouped = rows(data, &groups, &baselines);
        let mut asked = asked(data, &groups, &grouped, &baselines);
        declare_primary(&data.study, &groups, &grouped, &mut asked);
        let GroupedRows { mut rows, .. } = grouped;
        let contrasts: Vec<Contrast> = asked
            .into_iter()
            .map(|asked| Contrast::new(data, &rows, asked))
            .collect();
        for (place, contrast) in contrasts.iter().enumerate() {
            if let (Question::Baseline, Some(row)) = (&contrast.asked.question, contrast.asked.row)
            {
                rows[row].contrast = Some(place);
            }
        }
        let mut analysis = Self {
            rows,
            contrasts,
            nulls: Vec::new(),
            family: 0,
            primary: 0,
        };
        analysis.primary = analysis.judge(data, true);
        analysis.family = analysis.judge(data, false);
        analysis.nulls = nulls(data, &analysis.rows, &analysis.contrasts);
        Ok(analysis)
    }

    /// Judges the primary contrasts, or all others: a family, whose size it gives.
    fn judge(&mut self, data: &StudyData, is_primary: bool) -> usize {
        let worst = data.runs.iter().filter_map(RunData::nll).reduce(f64::max);
        let family: Vec<usize> = (0..self.contrasts.len())
            .filter(|&place| {
                let contrast = &self.contrasts[place];
                contrast.asked.is_primary == is_primary && contrast.paired.is_some()
            })
            .collect();
        let alpha = data.study.report.alpha / family.len().max(1) as f64;
        for &place in &family {
            let contrast = &mut self.contrasts[place];
            let p = contrast.paired.as_ref().and_then(|paired| paired.p);
            let p = p.map(|p| corrected(p, family.len()));
            contrast.judge(data, &self.rows, (alpha, p), worst);
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
