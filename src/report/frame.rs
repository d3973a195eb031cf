//! The frame: a row for every cell of the grid, sorted by the axes in the order of the spec, and
//! its groups (the cells that differ in their seed alone).
//!
//! The same rows are `runs.csv` and `runs.parquet`.

use anyhow::{Context, Result};
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, PlSmallStr, Series};

use super::axes::{SEED, Setting, without};
use super::data::StudyData;
use crate::record::evaluation::Evaluation;
use crate::record::study::Axis;
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
fn order(data: &StudyData) -> Vec<usize> {
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

/// The table of all cells.
pub fn table(data: &StudyData) -> Table {
    let cells = order(data);
    let texts = |value: &dyn Fn(usize) -> String| {
        Column::Text(cells.iter().map(|&cell| value(cell)).collect())
    };
    let axis_value = |cell: usize, axis: &str| {
        data.study.cells[cell]
            .at
            .get(axis)
            .cloned()
            .unwrap_or_default()
    };
    let mut table = data.study.axes.iter().fold(Table::new(), |table, axis| {
        table.with(axis.key.clone(), texts(&|cell| axis_value(cell, &axis.key)))
    });
    table = table
        .with("run.id", texts(&|cell| data.run(cell).id.clone()))
        .with(
            "run.evaluation",
            texts(&|cell| data.run(cell).evaluation_key.clone()),
        )
        .with(
            "run.state",
            texts(&|cell| data.run(cell).state.word().to_owned()),
        )
        .with(
            "run.reason",
            texts(&|cell| data.run(cell).state.reason().unwrap_or_default()),
        );
    numbers().into_iter().fold(table, |table, (name, value)| {
        let values = cells
            .iter()
            .map(|&cell| data.run(cell).evaluation.as_ref().and_then(value))
            .collect();
        table.with(name, Column::Sparse(values))
    })
}

/// A number of an evaluation, where it has it.
type Number = fn(&Evaluation) -> Option<f64>;

/// The columns of numbers, with units in their names.
fn numbers() -> Vec<(&'static str, Number)> {
    vec![
        ("test.nll_nats_per_token", |e| {
            Some(e.test.nll_nats_per_token)
        }),
        ("test.perplexity", |e| e.test.perplexity),
        ("test.word_perplexity", |e| e.test.word_perplexity),
        ("test.bits_per_byte", |e| e.test.bits_per_byte),
        ("validation.nll_nats_per_token", |e| {
            Some(e.validation.nll_nats_per_token)
        }),
        ("teacher.kl_nats_per_token", |e| {
            e.teacher.as_ref()?.kl_nats_per_token
        }),
        ("teacher.top1_agreement", |e| {
            e.teacher.as_ref().map(|teacher| teacher.top1)
        }),
        ("model.parameters", |e| Some(e.model.parameters as f64)),
        ("model.parameters_without_embeddings", |e| {
            Some(e.model.parameters_without_embeddings as f64)
        }),
        ("model.bytes", |e| Some(e.model.bytes as f64)),
        ("model.forward_flops_per_token", |e| {
            Some(e.model.forward_flops_per_token)
        }),
        ("training.student_flops", |e| {
            e.training.as_ref().map(|training| training.student_flops)
        }),
        ("training.teacher_flops", |e| {
            e.training.as_ref().map(|training| training.teacher_flops)
        }),
        ("training.critic_flops", |e| {
            e.training.as_ref().map(|training| training.critic_flops)
        }),
        ("training.tokens", |e| {
            e.training.as_ref().map(|training| training.tokens as f64)
        }),
    ]
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
