//! What every run has recorded while it trained: the whole of it, not the thinned curves of the
//! figures.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::data::{RunData, StudyData};
use crate::recorded::STEP;
use crate::table::{self, Table};

/// The ends of what a run has recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LastValues {
    /// The last step that was recorded, from 0.
    pub step: Option<u64>,
    /// The last value of each column that has one.
    pub values: BTreeMap<String, f64>,
    /// Every column, with a value or not.
    pub names: Vec<String>,
}

/// The metrics of a run; none where there is no run, or it is damaged.
pub fn metrics_of(run: &RunData) -> Option<Table> {
    // A run that is there has its spec; what is wrong with a damaged one is told elsewhere.
    run.spec.as_ref()?;
    let table = table::read(&run.folder.metrics()).ok()?;
    table.u64(STEP).is_ok().then_some(table)
}

/// The ends of all runs, in the order of the study's runs.
pub fn last_values(data: &StudyData) -> Vec<LastValues> {
    let runs = data.runs.par_iter();
    runs.map(|run| metrics_of(run).map_or_else(LastValues::default, |table| ends(&table)))
        .collect()
}

fn ends(table: &Table) -> LastValues {
    let names: Vec<String> = table
        .names()
        .filter(|&name| name != STEP && table.sparse(name).is_ok())
        .map(str::to_owned)
        .collect();
    let last = |name: &String| {
        let values = table.sparse(name).ok()?;
        let last = values.iter().rev().find_map(|value| *value)?;
        Some((name.clone(), last))
    };
    LastValues {
        step: table.u64(STEP).ok().and_then(|steps| steps.last().copied()),
        values: names.iter().filter_map(last).collect(),
        names,
    }
}
