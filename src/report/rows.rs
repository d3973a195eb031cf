//! The rows of the main table: the groups of the frame, those put together that are the same runs.

use std::collections::BTreeMap;

use super::axes::{self, ANY, ARM, STRATEGY, Setting, label, without};
use super::budgets::budgets;
use super::data::{Outcomes, RunData, StudyData};
use super::frame::Group;
use super::statistics::{mean_of, standard_deviation, t_quantile};
use crate::plan::run::{RunSpec, Term, TokenPairing};

/// A row of the main table: cells that differ in their seed, or in an axis that makes no difference
/// to them.
#[derive(Debug, Clone)]
pub struct TableRow {
    /// Short name for tables and figures.
    pub label: String,
    /// The same for sentences.
    pub name: String,
    /// Values of all axes but the seed; "any" where the row stands for every value of the axis.
    pub at: Setting,
    /// Cells in the order of seeds.
    pub cells: Vec<usize>,
    pub is_baseline: bool,
    /// Losses of the finished seeds in order.
    pub losses: Vec<f64>,
    pub mean: Option<f64>,
    pub deviation: Option<f64>,
    /// t interval of the mean at 1 − α; of this row alone.
    pub interval: Option<(f64, f64)>,
    pub diverged: usize,
    pub missing: usize,
    /// Place of its contrast with the baseline.
    pub contrast: Option<usize>,
    /// Whether it is a null control: by its map, or because it shuffles tokens.
    pub is_control: bool,
    /// Place of the row that is the same without hidden losses: where several are, the baseline's
    /// own.
    pub untreated: Option<usize>,
}

impl TableRow {
    fn new(
        data: &StudyData,
        varying: &[&str],
        at: Setting,
        cells: Vec<usize>,
        is_baseline: bool,
    ) -> Self {
        let losses: Vec<f64> = cells
            .iter()
            .filter_map(|&cell| data.run(cell).nll())
            .collect();
        let deviation = standard_deviation(&losses);
        let mean = mean_of(losses.iter().copied());
        let interval = mean.zip(deviation).map(|(mean, deviation)| {
            let half = t_quantile(1.0 - data.study.report.alpha / 2.0, losses.len() - 1)
                * deviation
                / (losses.len() as f64).sqrt();
            (mean - half, mean + half)
        });
        let outcomes = Outcomes::count(cells.iter().map(|&cell| data.run(cell)));
        Self {
            label: label(&at, varying),
            name: axes::name(&at, varying),
            at,
            cells,
            is_baseline,
            losses,
            mean,
            deviation,
            interval,
            diverged: outcomes.diverged,
            missing: outcomes.missing + outcomes.in_work,
            contrast: None,
            is_control: false,
            untreated: None,
        }
    }

    /// Whether a hidden term is enabled in any of its runs, or none of them is stored.
    pub fn follows_a_map(&self, data: &StudyData) -> bool {
        let mut specs = self
            .cells
            .iter()
            .filter_map(|&cell| data.run(cell).spec.as_ref())
            .peekable();
        specs.peek().is_none() || specs.any(|spec| spec.loss.values().any(Term::is_hidden))
    }

    /// Whether its runs match states with those of other tokens: the null control of the pairing.
    pub fn shuffles_tokens(&self, data: &StudyData) -> bool {
        let is_shuffled = |spec: &RunSpec| {
            let has_map = spec.loss.values().any(Term::is_hidden);
            has_map && !spec.matching.tokens().is_paired()
        };
        self.first_spec(data).is_some_and(is_shuffled)
    }

    /// Whether its runs are those of another row but for tokens, which only these shuffle.
    pub fn is_pairing_null_of(&self, other: &Self, data: &StudyData) -> bool {
        self.has_pair_with(other, data, |own, other| {
            other.matching.tokens().is_paired() && {
                let mut control = other.clone();
                control.matching = other.matching.with_tokens(TokenPairing::Shuffled);
                are_alike(data, own, &control)
            }
        })
    }

    /// Whether its runs are those of another row without the hidden losses: nothing but these, what
    /// they are balanced and matched by, and how many steps one budget pays for, is another.
    fn is_untreated_of(&self, other: &Self, data: &StudyData) -> bool {
        let is_hidden = |spec: &RunSpec| spec.loss.values().any(Term::is_hidden);
        let have_one_budget = || {
            let budget = self.budget(data);
            budget.is_some() && budget == other.budget(data)
        };
        self.has_pair_with(other, data, |own, other| {
            !is_hidden(own) && is_hidden(other) && {
                let mut without = other.clone();
                without.loss.retain(|_, term| !term.is_hidden());
                without.matching = own.matching.clone();
                without.balance = own.balance.clone();
                if have_one_budget() {
                    without.train.steps = own.train.steps;
                }
                are_alike(data, own, &without)
            }
        })
    }

    /// The arm whose operations its runs may take, where its own arm says so.
    fn budget<'a>(&self, data: &'a StudyData) -> Option<&'a str> {
        let arm = self.at.get(ARM)?;
        let mut budgets = budgets(&data.study).into_iter();
        Some(budgets.find(|(of, _)| of == arm)?.1)
    }

    /// Whether `is_one` holds of the specs of a run of this row and of one of the other with the
    /// same seed and teacher: the first such pair that is stored speaks for all.
    fn has_pair_with(
        &self,
        other: &Self,
        data: &StudyData,
        is_one: impl Fn(&RunSpec, &RunSpec) -> bool,
    ) -> bool {
        let specs = |row: &Self| -> Vec<&RunSpec> {
            let runs = row.cells.iter().map(|&cell| data.run(cell));
            runs.filter_map(|run| run.spec.as_ref()).collect()
        };
        let others = specs(other);
        let pair = specs(self).into_iter().find_map(|own| {
            let mut others = others.iter();
            let other =
                others.find(|other| own.seed == other.seed && own.teacher == other.teacher)?;
            Some((own, *other))
        });
        pair.is_some_and(|(own, other)| is_one(own, other))
    }

    fn first_spec<'a>(&self, data: &'a StudyData) -> Option<&'a RunSpec> {
        let mut runs = self.cells.iter().map(|&cell| data.run(cell));
        runs.find_map(|run| run.spec.as_ref())
    }

    /// Whether any hidden term of its runs is about tokens one by one, so that it matters which is
    /// compared with which, or none of them is stored.
    pub fn sees_pairs(&self, data: &StudyData) -> bool {
        let runs = self.cells.iter().map(|&cell| data.run(cell));
        let mut specs = runs.filter_map(|run| run.spec.as_ref()).peekable();
        let sees = |term: &Term| term.hidden().is_some_and(|loss| loss.distance.sees_pairs());
        specs.peek().is_none() || specs.any(|spec| spec.loss.values().any(sees))
    }

    /// Its finished runs in the order of seeds.
    pub fn finished<'a>(&'a self, data: &'a StudyData) -> impl Iterator<Item = &'a RunData> {
        self.cells
            .iter()
            .map(|&cell| data.run(cell))
            .filter(|run| run.state.is_finished())
    }

    /// The runs whose curves stand for it: the finished ones, and where none is, those on their
    /// way, as far as they are.
    pub fn with_curves<'a>(&'a self, data: &'a StudyData) -> impl Iterator<Item = &'a RunData> {
        let none_finished = self.finished(data).next().is_none();
        self.cells
            .iter()
            .map(|&cell| data.run(cell))
            .filter(move |run| run.state.is_finished() || none_finished && run.has_curves())
    }
}

/// The rows with where they come from.
pub struct GroupedRows {
    pub rows: Vec<TableRow>,
    /// For every group, the place of its row.
    pub row_of_group: Vec<usize>,
    /// For every row, the place of its first group.
    pub first_group: Vec<usize>,
}

impl GroupedRows {
    /// The row that is a row's null control of the pairing, whether an axis has it or an arm: what
    /// its runs are says so.
    pub fn pairing_null_of(&self, row: usize, data: &StudyData) -> Option<usize> {
        let mut rows = self.rows.iter();
        rows.position(|other| other.is_pairing_null_of(&self.rows[row], data))
    }
}

/// Whether two specs are the same but for values that `[select]` has chosen for each by itself.
fn are_alike(data: &StudyData, a: &RunSpec, b: &RunSpec) -> bool {
    let tried = data.study.trials.iter().flat_map(|trials| &trials.axes);
    let tried: Vec<&str> = tried.map(|axis| axis.key.as_str()).collect();
    a == b
        || !tried.is_empty() && {
            let levelled = |spec: &RunSpec| {
                let mut spec = serde_json::to_value(spec).ok()?;
                for key in &tried {
                    let (tables, last) = key.rsplit_once('.').unwrap_or(("", key));
                    let pointer = format!("/{}", tables.replace('.', "/"));
                    let table = spec.pointer_mut(if tables.is_empty() { "" } else { &pointer });
                    if let Some(table) = table.and_then(serde_json::Value::as_object_mut) {
                        table.remove(last);
                    }
                }
                Some(spec)
            };
            levelled(a).is_some_and(|a| Some(a) == levelled(b))
        }
}

/// The place of the row that is another's without its hidden losses.
fn untreated_of(rows: &[TableRow], row: &TableRow, data: &StudyData) -> Option<usize> {
    let all = || (0..rows.len()).filter(|&place| rows[place].is_untreated_of(row, data));
    all()
        .find(|&place| rows[place].is_baseline)
        .or_else(|| all().next())
}

/// Puts groups together in one row where they are the same runs with the same baseline: axes that
/// make no difference to an arm. `baselines` has each group's baseline, as a place among groups.
pub fn rows(data: &StudyData, groups: &[Group], baselines: &[Option<usize>]) -> GroupedRows {
    let (row_of_group, members) = same_runs(data, groups, baselines);
    let varying: Vec<&str> = axes::varying(&data.study)
        .map(|axis| axis.key.as_str())
        .collect();
    let mut rows: Vec<TableRow> = members
        .iter()
        .map(|members| {
            let first = members[0];
            let at = merged_setting(groups, members);
            TableRow::new(
                data,
                &varying,
                at,
                groups[first].cells.clone(),
                baselines[first] == Some(first),
            )
        })
        .collect();
    forget_maps_that_no_term_follows(data, &mut rows, &varying);
    for row in &mut rows {
        let has_senseless_map = axes::is_null_setting(&row.at) && row.follows_a_map(data);
        row.is_control = has_senseless_map || row.shuffles_tokens(data);
    }
    for place in 0..rows.len() {
        rows[place].untreated = untreated_of(&rows, &rows[place], data);
    }
    GroupedRows {
        rows,
        row_of_group,
        first_group: members.iter().map(|members| members[0]).collect(),
    }
}

/// For every group, the place of its row; for every row, the groups that it is made of.
fn same_runs(
    data: &StudyData,
    groups: &[Group],
    baselines: &[Option<usize>],
) -> (Vec<usize>, Vec<Vec<usize>>) {
    let runs = |group: usize| -> Vec<usize> {
        groups[group]
            .cells
            .iter()
            .map(|&cell| data.run_of_cell[cell])
            .collect()
    };
    // Arms are never put together, so that two that resolve to the same runs are seen.
    let kept = |group: &Group| -> Vec<String> {
        group
            .at
            .iter()
            .filter(|(key, _)| key.as_str() == ARM || data.study.report.baseline.contains_key(*key))
            .map(|(_, value)| value.clone())
            .collect()
    };
    let mut row_of_key = BTreeMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    let mut row_of_group = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let key = (kept(group), runs(place), baselines[place].map(runs));
        let row = *row_of_key.entry(key).or_insert_with(|| {
            members.push(Vec::new());
            members.len() - 1
        });
        members[row].push(place);
        row_of_group.push(row);
    }
    (row_of_group, members)
}

/// The setting of a row: each axis has the value that its groups share, or "any".
fn merged_setting(groups: &[Group], members: &[usize]) -> Setting {
    let first = &groups[members[0]].at;
    first
        .iter()
        .map(|(key, value)| {
            let is_shared = members.iter().all(|&group| groups[group].at[key] == *value);
            let merged = if is_shared { value.as_str() } else { ANY };
            (key.clone(), merged.to_owned())
        })
        .collect()
}

/// A map that no term follows is no property of the row, even where the grid holds one alone.
fn forget_maps_that_no_term_follows(data: &StudyData, rows: &mut [TableRow], varying: &[&str]) {
    for place in 0..rows.len() {
        let row = &rows[place];
        let setting = without(&row.at, &[STRATEGY]);
        let same_but_for_the_map = rows
            .iter()
            .filter(|other| without(&other.at, &[STRATEGY]) == setting)
            .count();
        if same_but_for_the_map == 1 && row.at.contains_key(STRATEGY) && !row.follows_a_map(data) {
            let row = &mut rows[place];
            row.at.insert(STRATEGY.to_owned(), ANY.to_owned());
            row.label = label(&row.at, varying);
            row.name = axes::name(&row.at, varying);
        }
    }
}
