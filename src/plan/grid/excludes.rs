//! `grid.exclude`: parts of the product that are left out.

use std::collections::BTreeSet;

use super::super::diagnostics::{Diagnostic, similar};
use super::super::source::SpecNode;
use super::super::spec_layers::{On, SpecLayer, Stack};
use super::super::words::first_values;
use super::axes::collect_axes;
use super::{FoundAxis, GridAxis};

/// A part of the grid that is taken out: the cells that meet every condition.
pub(super) struct ExcludedPart(Vec<ExcludedValues>);

/// The values of one axis that a condition names.
struct ExcludedValues {
    /// Index of the axis.
    axis: usize,
    /// Whether each of its values is named.
    is_named: Vec<bool>,
}

impl ExcludedPart {
    pub fn takes_out(&self, cell: &[usize]) -> bool {
        self.0
            .iter()
            .all(|condition| condition.is_named[cell[condition.axis]])
    }
}

/// Reads the excluded parts of the highest layer that has any.
pub(super) fn read_excludes(
    stack: &Stack,
    axes: &[GridAxis],
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<ExcludedPart> {
    let mut highest_first = stack.files.iter().chain(&stack.outside).rev();
    let found =
        highest_first.find_map(|layer| Some((layer, layer.root.get("grid")?.get("exclude")?)));
    let Some((layer, node)) = found else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    for table in node.one_or_many() {
        if table.entries().is_empty() {
            mistakes.push(
                Diagnostic::new("grid.exclude is a table of axes and values")
                    .at(layer.place(table, On::Value))
                    .hint("write [[grid.exclude]] and below it arm = \"NAME\""),
            );
            continue;
        }
        let conditions = collect_axes(table, "grid", &layer.source)
            .iter()
            .filter_map(|condition| read_condition(condition, layer, axes, mistakes))
            .collect();
        parts.push(ExcludedPart(conditions));
    }
    parts
}

fn read_condition(
    condition: &FoundAxis,
    layer: &SpecLayer,
    axes: &[GridAxis],
    mistakes: &mut Vec<Diagnostic>,
) -> Option<ExcludedValues> {
    let key = condition.key();
    let Some(index) = axes.iter().position(|axis| axis.key == key) else {
        mistakes.push(no_axis(condition, layer, axes));
        return None;
    };
    let axis = &axes[index];
    let values = condition.node.one_or_many();
    if values.is_empty() {
        let message =
            format!("grid.exclude names no value of the axis {key}, so it takes nothing out");
        mistakes.push(
            Diagnostic::new(message)
                .at(layer.place(&condition.node, On::Value))
                .hint("write at least one, or leave it out"),
        );
    }
    for value in &values {
        let text = value.text();
        if !axis.all_values.contains(&text) && !axis.has_value(&text) {
            mistakes.push(no_value(value, axis).at(layer.place(value, On::Value)));
        }
    }
    let texts: BTreeSet<String> = values.iter().map(|value| value.text()).collect();
    let is_named = axis.values.iter().map(|value| texts.contains(&value.text));
    Some(ExcludedValues {
        axis: index,
        is_named: is_named.collect(),
    })
}

fn no_axis(condition: &FoundAxis, layer: &SpecLayer, axes: &[GridAxis]) -> Diagnostic {
    let key = condition.key();
    let names: Vec<&str> = axes.iter().map(|axis| axis.key.as_str()).collect();
    let hint = match similar(&key, names.iter().copied()) {
        Some(meant) => format!("write {meant}"),
        None if names.is_empty() => "the grid has no axes".to_owned(),
        None => format!("the axes are {}", names.join(", ")),
    };
    let span = condition.path.last().map(|(_, span)| span.clone());
    Diagnostic::new(format!("grid.exclude names {key}, which is no axis"))
        .at(layer.source.place(span.unwrap_or_default()))
        .hint(hint)
}

fn no_value(value: &SpecNode, axis: &GridAxis) -> Diagnostic {
    let (key, text) = (&axis.key, value.toml());
    let values = first_values(axis.all_values.iter().map(String::as_str));
    Diagnostic::new(format!(
        "grid.exclude names {text}, which is no value of the axis {key}"
    ))
    .hint(format!("its values are {values}"))
}
