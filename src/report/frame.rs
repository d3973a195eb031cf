//! The frame: a row for every cell of the grid, sorted by the axes in the order of the spec, and
//! its groups (the cells that differ in their seed alone).
//!
//! The same rows are `runs.csv` and `runs.parquet`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, PlSmallStr, Series};

use super::axes::{SEED, Setting, without};
use super::data::{RunData, StudyData};
use super::eval_numbers::{EvalNumber, eval_numbers};
use super::recorded_runs::LastValues;
use super::typed_axes::typed_axes;
use crate::record::study::Axis;
use crate::recorded;
use crate::table::{Column, Table};

/// Cells that differ in their seed alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Values of every axis but the seed.
    pub at: Setting,
    /// Places of its cells in the study, in the order of seeds.
    pub cells: Vec<usize>,
}

/// Places of the study's cells in the order of the frame.
pub fn order(data: &StudyData) -> Vec<usize> {
    let study = &data.study;
    let key = |cell: usize| -> Vec<usize> {
        let place = |axis: &Axis| {
            study.cells[cell]
                .at
                .get(&axis.key)
                .and_then(|value| axis.values.iter().position(|listed| listed == value))
                .unwrap_or(usize::MAX)
        };
        study.axes.iter().map(place).collect()
    };
    let mut order: Vec<usize> = (0..study.cells.len()).collect();
    order.sort_by_cached_key(|&cell| (key(cell), cell));
    order
}

/// The table of all cells; `ends` are those of the study's runs. Its columns: the axes, what became
/// of the run, every number of its evaluation, and the ends of what it has recorded. Times are not
/// among them: they change from one machine to another, and the table does not.
///
/// # Errors
/// None that a readable study can cause.
pub fn table(data: &StudyData, ends: &[LastValues]) -> Result<Table> {
    let cells = order(data);
    let texts = |value: &dyn Fn(&RunData) -> String| {
        let values = cells.iter().map(|&cell| value(data.run(cell)));
        Column::Text(values.collect())
    };
    let mut table = typed_axes(&data.written)
        .iter()
        .fold(Table::new(), |table, axis| {
            table.with(axis.key().to_owned(), axis.column(cells.iter().copied()))
        })
        .with("run.id", texts(&|run| run.id.clone()))
        .with("run.evaluation", texts(&|run| run.evaluation_key.clone()))
        .with("run.state", texts(&|run| run.state.word().to_owned()))
        .with(
            "run.reason",
            texts(&|run| run.state.reason().unwrap_or_default()),
        );
    let mut numbers = NumberColumns::new(cells.len());
    for (row, &cell) in cells.iter().enumerate() {
        if let Some(evaluation) = &data.run(cell).evaluation {
            for (name, number) in eval_numbers(evaluation)? {
                numbers.put(row, name, number);
            }
        }
    }
    for (name, number) in last_numbers(data, &cells, ends) {
        let (row, number) = number;
        numbers.put(row, name, number);
    }
    for (name, column) in numbers.columns {
        let name = free_name(&table, &name);
        table = table.with(name, column.filled());
    }
    Ok(table)
}

/// The ends of what the runs have recorded, as columns with their rows.
fn last_numbers(
    data: &StudyData,
    cells: &[usize],
    ends: &[LastValues],
) -> Vec<(String, (usize, EvalNumber))> {
    let of_row = |(row, &cell): (usize, &usize)| {
        let ends = &ends[data.run_of_cell[cell]];
        let step = ends
            .step
            .map(|step| (LAST_STEP.to_owned(), EvalNumber::Count(step)));
        let values = ends.values.iter().map(|(name, &value)| {
            // A factor is one number for the whole run, or the last of those that it was set to.
            let is_factor = recorded::balance_of(name).is_some();
            let name = if is_factor {
                name.clone()
            } else {
                format!("last.{name}")
            };
            (name, EvalNumber::Real(value))
        });
        let numbers = step.into_iter().chain(values);
        numbers
            .map(move |(name, number)| (name, (row, number)))
            .collect::<Vec<_>>()
    };
    let mut all: Vec<_> = cells.iter().enumerate().flat_map(of_row).collect();
    // By name: the order of columns does not hang on which run has recorded what.
    all.sort_by(|a, b| (a.0 != LAST_STEP, &a.0).cmp(&(b.0 != LAST_STEP, &b.0)));
    all
}

/// The last step that was recorded.
const LAST_STEP: &str = "last.step";

/// A name that no column has: an axis may be called as a value is.
pub fn free_name(table: &Table, name: &str) -> String {
    let mut free = name.to_owned();
    while table.column(&free).is_ok() {
        free = format!("recorded.{free}");
    }
    free
}

/// Columns of numbers in the order in which they first appear.
struct NumberColumns {
    rows: usize,
    columns: Vec<(String, NumberColumn)>,
    places: BTreeMap<String, usize>,
}

/// Whole numbers, where all that are there are.
#[derive(Default)]
struct NumberColumn {
    counts: Vec<Option<u64>>,
    reals: Vec<Option<f64>>,
    is_whole: bool,
}

impl NumberColumns {
    fn new(rows: usize) -> Self {
        Self {
            rows,
            columns: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    fn put(&mut self, row: usize, name: String, number: EvalNumber) {
        let place = *self.places.entry(name).or_insert_with_key(|name| {
            let column = NumberColumn {
                counts: vec![None; self.rows],
                reals: vec![None; self.rows],
                is_whole: true,
            };
            self.columns.push((name.clone(), column));
            self.columns.len() - 1
        });
        let column = &mut self.columns[place].1;
        match number {
            EvalNumber::Count(count) => {
                column.counts[row] = Some(count);
                column.reals[row] = Some(count as f64);
            }
            EvalNumber::Real(real) => {
                column.reals[row] = Some(real);
                column.is_whole = false;
            }
            EvalNumber::Absent => {}
        }
    }
}

impl NumberColumn {
    fn filled(self) -> Column {
        if self.is_whole && self.counts.iter().any(Option::is_some) {
            Column::Counts(self.counts)
        } else {
            Column::Sparse(self.reals)
        }
    }
}

/// The groups in the order of the frame.
///
/// # Errors
/// None that a readable study can cause; the frame's own.
pub fn groups(data: &StudyData) -> Result<Vec<Group>> {
    let cells = order(data);
    let axes: Vec<&str> = data
        .study
        .axes
        .iter()
        .map(|axis| axis.key.as_str())
        .filter(|&key| key != SEED)
        .collect();
    let group = |cells: Vec<usize>| Group {
        at: without(&data.study.cells[cells[0]].at, &[SEED]),
        cells,
    };
    if cells.is_empty() {
        return Ok(Vec::new());
    }
    if axes.is_empty() {
        return Ok(vec![group(cells)]);
    }
    let parts = axis_frame(data, &cells, &axes)?
        .partition_by_stable(axes, true)
        .context("the runs cannot be grouped")?;
    parts
        .iter()
        .map(|part| {
            let places = part
                .column(CELL)
                .and_then(|column| column.u64().cloned())
                .context("the groups have lost their cells")?;
            Ok(group(
                places.iter().flatten().map(|cell| cell as usize).collect(),
            ))
        })
        .collect()
}

/// The places of the groups by their settings.
pub fn places_of(groups: &[Group]) -> BTreeMap<&Setting, usize> {
    let places = groups.iter().enumerate();
    places.map(|(place, group)| (&group.at, place)).collect()
}

/// Of every group, the place of the one that it is compared with; none where that is not among
/// them.
pub fn baselines_of(data: &StudyData, groups: &[Group]) -> Vec<Option<usize>> {
    let places = places_of(groups);
    groups
        .iter()
        .map(|group| places.get(&baseline_of(data, group)).copied())
        .collect()
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

/// The column of a cell's place in the study.
const CELL: &str = "run.cell";

/// The cells with their values of `axes`.
fn axis_frame(data: &StudyData, cells: &[usize], axes: &[&str]) -> Result<DataFrame> {
    let axis_column = |axis: &&str| -> polars::prelude::Column {
        let value = |cell: &usize| data.study.cells[*cell].at.get(*axis);
        let values: Vec<&str> = cells
            .iter()
            .map(|cell| value(cell).map_or("", String::as_str))
            .collect();
        Series::new(PlSmallStr::from_str(axis), values).into_column()
    };
    let places: Vec<u64> = cells.iter().map(|&cell| cell as u64).collect();
    let columns = axes
        .iter()
        .map(axis_column)
        .chain([Series::new(PlSmallStr::from_static(CELL), places).into_column()])
        .collect();
    DataFrame::new(cells.len(), columns).context("the runs are not a table")
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
