//! `metrics.parquet` of a study: every recorded row of every run in one tidy table. A row has the
//! run's id, the axes of the cell, the step, and a column for whatever any run has recorded; it is
//! empty where this run has not.
//!
//! A run that stands for several cells has its rows for each of them, as it has in `runs.csv`.

use std::collections::BTreeSet;

use anyhow::Result;

use super::data::StudyData;
use super::frame::{free_name, order};
use super::recorded_runs::{LastValues, metrics_of};
use super::typed_axes::{TypedAxis, typed_axes};
use crate::recorded::STEP;
use crate::table::{Column, ParquetGroups, Table};

/// Rows that are put together before they are written as a group: long studies are never in memory
/// at once, and short ones are one group.
const GROUP: usize = 1 << 17;

/// The bytes of the table; `ends` are those of the study's runs.
///
/// # Errors
/// The encoder's own.
pub fn study_metrics(data: &StudyData, ends: &[LastValues]) -> Result<Vec<u8>> {
    grouped(data, ends, GROUP)
}

fn grouped(data: &StudyData, ends: &[LastValues], group: usize) -> Result<Vec<u8>> {
    let names: BTreeSet<&str> = ends
        .iter()
        .flat_map(|ends| ends.names.iter().map(String::as_str))
        .collect();
    let form = RowForm {
        data,
        axes: typed_axes(&data.written),
        names: names.into_iter().collect(),
    };
    let mut groups = ParquetGroups::new(&form.table(&[]))?;
    let (mut waiting, mut rows) = (Vec::new(), 0);
    for cell in order(data) {
        let Some(table) = metrics_of(data.run(cell)) else {
            continue;
        };
        rows += table.rows();
        waiting.push((cell, table));
        if rows >= group {
            groups.push(&form.table(&waiting))?;
            (waiting, rows) = (Vec::new(), 0);
        }
    }
    groups.push(&form.table(&waiting))?;
    groups.finish()
}

/// The columns that all rows have.
struct RowForm<'a> {
    data: &'a StudyData,
    axes: Vec<TypedAxis<'a>>,
    names: Vec<&'a str>,
}

impl RowForm<'_> {
    /// The rows of some cells.
    fn table(&self, cells: &[(usize, Table)]) -> Table {
        let each = || {
            let rows = |(cell, table): &(usize, Table)| std::iter::repeat_n(*cell, table.rows());
            cells.iter().flat_map(rows)
        };
        let ids = each().map(|cell| self.data.run(cell).id.clone());
        let steps = cells.iter().flat_map(|(_, table)| {
            let steps = table.u64(STEP).unwrap_or_default();
            steps.iter().copied()
        });
        let mut table = Table::new().with("run.id", Column::Text(ids.collect()));
        for axis in &self.axes {
            table = table.with(axis.key().to_owned(), axis.column(each()));
        }
        let step = free_name(&table, STEP);
        table = table.with(step, Column::U64(steps.collect()));
        for &name in &self.names {
            let mut values = Vec::with_capacity(table.rows());
            for (_, own) in cells {
                match own.sparse(name) {
                    Ok(column) => values.extend_from_slice(&column),
                    Err(_) => values.resize(values.len() + own.rows(), None),
                }
            }
            let name = free_name(&table, name);
            table = table.with(name, Column::Sparse(values));
        }
        table
    }
}

#[cfg(test)]
#[path = "study_metrics_tests.rs"]
mod tests;
