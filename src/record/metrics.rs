//! `metrics.parquet`: a column `step` and one for every value that any step has, in the order of their names.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::evaluation::Values;
use super::journal::Row;
use crate::table::{self, Table};

/// The table of a run's rows; a value that a step does not have is missing there.
pub fn metrics_table(rows: &[Row]) -> Table {
    let names: BTreeSet<&String> = rows.iter().flat_map(|(_, values)| values.keys()).collect();
    let mut columns = vec![("step".to_owned(), table::Values::Counts(rows.iter().map(|(step, _)| *step).collect()))];
    for name in names {
        columns.push((name.clone(), table::Values::Numbers(rows.iter().map(|(_, values)| values.get(name).copied()).collect())));
    }
    Table { columns }
}

/// Reads the rows back.
///
/// # Errors
/// A file that is missing or broken.
pub fn read_metrics(path: &Path) -> Result<Vec<Row>> {
    let table = table::read(path)?;
    let mut rows: Vec<Row> = table.counts("step")?.iter().map(|&step| (step, Values::new())).collect();
    for (name, _) in table.columns.iter().filter(|(name, _)| name != "step") {
        for ((_, values), value) in rows.iter_mut().zip(table.numbers(name)?) {
            if let Some(value) = value {
                values.insert(name.clone(), value);
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_back_with_what_each_step_has() {
        let rows: Vec<Row> = vec![
            (0, Values::from([("loss".to_owned(), 2.0)])),
            (1, Values::from([("loss".to_owned(), 1.0), ("validation.nll".to_owned(), 3.0)])),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.parquet");
        std::fs::write(&path, metrics_table(&rows).to_parquet().unwrap()).unwrap();
        assert_eq!(read_metrics(&path).unwrap(), rows);
    }
}
