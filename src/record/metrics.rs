//! `metrics.parquet` and `timings.parquet`: a column `step`, then one column per value, sorted by
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use super::evaluation::MetricValues;
use crate::files;
use crate::recorded::STEP;
use crate::table::{self, Column, Table};

/// The values of a step.
pub type MetricsRow = (u64, MetricValues);

/// Writes rows as parquet. Rows of one step become one, the later value standing; a value that a
/// step does not have is absent, which is not NaN.
///
/// # Errors
/// Anything the disk refuses, and a value called `step`.
pub fn write_metrics(path: &Path, rows: &[MetricsRow]) -> Result<()> {
    files::write_atomically(path, &table::to_parquet(&metrics_table(rows)?)?)
}

/// Rows as one table, as [`write_metrics`] writes them.
///
/// # Errors
/// A value called `step`.
pub fn metrics_table(rows: &[MetricsRow]) -> Result<Table> {
    let mut steps: BTreeMap<u64, MetricValues> = BTreeMap::new();
    for (step, values) in rows {
        steps
            .entry(*step)
            .or_default()
            .extend(values.iter().map(|(name, value)| (name.clone(), *value)));
    }
    let names: BTreeSet<&str> = steps
        .values()
        .flat_map(MetricValues::keys)
        .map(String::as_str)
        .collect();
    anyhow::ensure!(!names.contains(STEP), "a value cannot be called `{STEP}`");
    let table = Table::new().with(STEP, Column::U64(steps.keys().copied().collect()));
    Ok(names.into_iter().fold(table, |table, name| {
        let values: Vec<Option<f64>> = steps
            .values()
            .map(|values| values.get(name).copied())
            .collect();
        let column = match values.iter().copied().collect() {
            Some(values) => Column::F64(values),
            None => Column::Sparse(values),
        };
        table.with(name, column)
    }))
}

/// Reads what [`write_metrics`] wrote, in the order of steps.
///
/// # Errors
/// A file that cannot be read or is not a table of metrics.
pub fn read_metrics(path: &Path) -> Result<Vec<MetricsRow>> {
    let table = table::read(path)?;
    rows(&table).with_context(|| format!("{} is not a table of metrics", path.display()))
}

fn rows(table: &Table) -> Result<Vec<MetricsRow>> {
    let mut rows: Vec<MetricsRow> = table
        .u64(STEP)?
        .iter()
        .map(|&step| (step, MetricValues::new()))
        .collect();
    for name in table.names().filter(|&name| name != STEP) {
        for (row, value) in rows.iter_mut().zip(table.sparse(name)?.iter()) {
            if let Some(value) = value {
                row.1.insert(name.to_owned(), *value);
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
