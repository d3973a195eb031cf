//! Everything that is compared: which rows there are, which is compared with which, and what
//! follows for all of them together.

use std::collections::BTreeSet;

use anyhow::Result;

use super::axes::{Setting, without};
use super::contrasts::{Contrast, family, sharing};
use super::data::{RunData, StudyData};
use super::elsewhere::{Elsewhere, Home, elsewhere, worst_of};
use super::frame::{self, Group, baselines_of};
use super::nulls::{Nulls, nulls};
use super::primary::declare_primary;
use super::questions::{Question, asked};
use super::rows::{GroupedRows, TableRow, rows};
use super::sensitivity::hangs_on;
use super::told::told;

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
    /// Those that the answer tells, at other values of the axes that it should not depend on.
    pub elsewhere: Vec<Elsewhere>,
}

impl Analysis {
    /// Compares the groups of a study.
    ///
    /// # Errors
    /// None that a readable study can cause.
    pub fn new(data: &StudyData) -> Result<Self> {
        let all = frame::groups(data)?;
        let report = &data.study.report;
        let is_own = |group: &&Group| report.is_home(&group.at, None);
        let groups: Vec<Group> = all.iter().filter(is_own).cloned().collect();
        let baselines = baselines_of(data, &groups);
        let grouped = rows(data, &groups, &baselines);
        let mut asked = asked(data, &groups, &grouped, &baselines);
        declare_primary(&data.study, &groups, &grouped, &mut asked);
        let GroupedRows {
            mut rows,
            row_of_group,
            ..
        } = grouped;
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
            elsewhere: Vec::new(),
        };
        analysis.primary = analysis.judge(data, true);
        analysis.family = analysis.judge(data, false);
        analysis.nulls = nulls(data, &analysis.rows, &analysis.contrasts);
        analysis.hold_elsewhere(data, &all, &groups, &row_of_group);
        Ok(analysis)
    }

    /// Marks what the answer tells, and holds it against the same at other values of the axes that
    /// it should not depend on, and without each of its seeds.
    fn hold_elsewhere(
        &mut self,
        data: &StudyData,
        all: &[Group],
        groups: &[Group],
        row_of_group: &[usize],
    ) {
        for place in told(&data.study, &self.contrasts) {
            self.contrasts[place].is_told = true;
        }
        let home = Home {
            groups,
            row_of_group,
            rows: &self.rows,
            contrasts: &self.contrasts,
            primary: self.primary,
            family: self.family,
        };
        self.elsewhere = elsewhere(data, all, &home);
        for (place, contrast) in self.contrasts.iter_mut().enumerate() {
            let others = self.elsewhere.iter().filter(|other| other.of == place);
            contrast.hangs_on = hangs_on(data, &self.rows, contrast, others);
        }
    }

    /// Judges the primary contrasts, or all others: a family, whose size it gives.
    fn judge(&mut self, data: &StudyData, is_primary: bool) -> usize {
        let worst = worst_of(data, &self.rows);
        let family = family(&self.contrasts, is_primary);
        let sharing = sharing(data, &self.rows, &self.contrasts, &family);
        let alpha = data.study.report.alpha / sharing.max(1) as f64;
        for &place in &family {
            self.contrasts[place].judge(data, &self.rows, (alpha, sharing), worst);
        }
        sharing
    }

    /// Whether anything on the page tells how seeds differ, a loss by itself included.
    pub fn has_spread(&self) -> bool {
        let of_contrasts = self.contrasts.iter().map(|contrast| contrast.interval);
        let of_rows = self.rows.iter().map(|row| row.interval);
        of_contrasts
            .chain(of_rows)
            .any(|interval| interval.is_some())
    }

    /// The teachers of what is compared, in their order.
    pub fn teachers<'a>(&self, data: &'a StudyData) -> Vec<&'a RunData> {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        let keys: BTreeSet<&String> = cells.map(|&cell| &data.study.cells[cell].teacher).collect();
        let all = data.teachers.iter();
        all.filter(|teacher| keys.contains(&teacher.id)).collect()
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
