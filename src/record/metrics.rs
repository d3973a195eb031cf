//! `metrics.parquet` and `timings.parquet`: a column `step`, then one column per value, sorted by
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use super::evaluation::Values;
use crate::files;
use crate::table::{self, Column, Table};

/// The values of a step.
pub type Row = (u64, Values);

/// The name of the first column.
const STEP: &str = "step";

/// Writes rows as parquet. Rows of one step become one, the later value standing; a value that a
/// step does not have is absent, which is not NaN.
///
/// # Errors
/// Anything the disk refuses, and a value called `step`.
pub fn write_metrics(path: &Path, rows: &[Row]) -> Result<()> {
    files::write_atomically(path, &table::to_parquet(&to_table(rows)?)?)
}

fn to_table(rows: &[Row]) -> Result<Table> {
    let mut steps: BTreeMap<u64, Values> = BTreeMap::new();
    for (step, values) in rows {
        steps
            .entry(*step)
            .or_default()
            .extend(values.iter().map(|(name, value)| (name.clone(), *value)));
    }
    let names: BTreeSet<&str> = steps
        .values()
        .flat_map(Values::keys)
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
pub fn read_metrics(path: &Path) -> Result<Vec<Row>> {
    let table = table::read(path)?;
    rows(&table).with_context(|| format!("{} is not a table of metrics", path.display()))
}

fn rows(table: &Table) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = table
        .u64(STEP)?
        .iter()
        .map(|&step| (step, Values::new()))
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
mod tests {
    use super::*;

    fn values(pairs: &[(&str, f64)]) -> Values {
        pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value))
            .collect()
    }

    #[test]
    fn rows_come_back_with_nan_kept_and_absence_kept_apart_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.parquet");
        let rows = vec![
            (0, values(&[("loss.kl", 0.1), ("lr", 1e-4)])),
            (1, values(&[("loss.kl", f64::NAN), ("lr", 2e-4)])),
            (1, values(&[("validation.nll", 3.5)])),
            (2, values(&[("loss.kl", f64::INFINITY), ("lr", -0.0)])),
        ];
        write_metrics(&path, &rows).unwrap();
        let read = read_metrics(&path).unwrap();
        assert_eq!(read.iter().map(|row| row.0).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(read[0].1, rows[0].1);
        assert!(read[1].1["loss.kl"].is_nan());
        assert_eq!(read[1].1["validation.nll"], 3.5);
        assert!(!read[2].1.contains_key("validation.nll"));
        assert_eq!(read[2].1["lr"].to_bits(), (-0.0f64).to_bits());
        assert_eq!(
            table::read(&path).unwrap().names().collect::<Vec<_>>(),
            ["step", "loss.kl", "lr", "validation.nll"]
        );
    }

    #[test]
    fn the_order_in_which_values_came_does_not_change_the_bytes() {
        let one = vec![
            (0, values(&[("a", 1.0), ("b", 2.0)])),
            (1, values(&[("a", 3.0)])),
        ];
        let two = vec![
            (0, values(&[("b", 2.0)])),
            (0, values(&[("a", 1.0)])),
            (1, values(&[("a", 3.0)])),
        ];
        let bytes = |rows: &[Row]| table::to_parquet(&to_table(rows).unwrap()).unwrap();
        assert_eq!(bytes(&one), bytes(&two));
    }

    #[test]
    fn no_rows_are_a_table_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.parquet");
        write_metrics(&path, &[]).unwrap();
        assert_eq!(read_metrics(&path).unwrap(), []);
        assert!(to_table(&[(0, values(&[("step", 1.0)]))]).is_err());
    }
}
