//! Axis values that a table of the report names.

use std::collections::BTreeMap;

use super::super::diagnostics::{Diagnostic, similar};
use super::super::grid::{Grid, GridAxis};
use super::super::planned::SEED;
use super::super::source::key_text;
use super::super::spec_layers::{Merged, On, Origin, PathStep};
use super::super::words::{first_values, quoted};

/// What a table of the report names.
pub(super) struct Selection {
    /// Values by their axis.
    pub values: BTreeMap<String, Vec<String>>,
    /// Axes with values of a list that are set away from outside, others of which are left.
    pub lost: Vec<(String, String)>,
}

/// The axis values under `report.<key>`, those of the highest layer; of an axis also a list of
/// them.
///
/// An axis that is set from outside may have lost the value that the spec names; `lost` gives the
/// value that stands for it. Where it gives none, there is no selection. Of a list those that are
/// left count.
pub(super) fn selection(
    merged: &Merged,
    key: &str,
    grid: &Grid,
    mistakes: &mut Vec<Diagnostic>,
    mut lost: impl FnMut(&GridAxis) -> Option<String>,
) -> Option<Selection> {
    let table = vec![
        PathStep::Key("report".to_owned()),
        PathStep::Key(key.to_owned()),
    ];
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut complete, mut lost_values) = (true, Vec::new());
    for path in leaves(merged, table) {
        let Some((layer, node)) = merged.origin(&path) else {
            continue;
        };
        let name = axis_name(&path[2..]);
        let Some(axis) = grid.axes.iter().find(|axis| axis.key == name) else {
            mistakes.push(no_axis(key, &name, grid).at(layer.place(node, On::Key)));
            continue;
        };
        let values = node.one_or_many();
        if values.is_empty() {
            let message = format!("report.{key} names no value of the axis {name}");
            let place = layer.place(node, On::Value);
            let hint = "write at least one, or leave the axis out";
            mistakes.push(Diagnostic::new(message).at(place).hint(hint));
        }
        let mut kept: Vec<String> = Vec::new();
        let mut lost_here = Vec::new();
        for value in values {
            let text = value.text();
            if axis.has_value(&text) {
                if !kept.contains(&text) {
                    kept.push(text);
                }
            } else if axis.has_lost(&text) && layer.origin == Origin::File {
                lost_here.push((name.clone(), text));
            } else {
                mistakes.push(no_value(key, axis, &text).at(layer.place(value, On::Value)));
            }
        }
        if !kept.is_empty() {
            lost_values.append(&mut lost_here);
        } else if !lost_here.is_empty() {
            match lost(axis) {
                Some(text) => kept.push(text),
                None => complete = false,
            }
        }
        found.insert(name, kept);
    }
    complete.then_some(Selection {
        values: found,
        lost: lost_values,
    })
}

/// The paths to the values below `path` that are no tables.
fn leaves(merged: &Merged, path: Vec<PathStep>) -> Vec<Vec<PathStep>> {
    let value = merged.find(&path);
    let Some(dict) = value.and_then(figment::value::Value::as_dict) else {
        return vec![path];
    };
    dict.keys()
        .flat_map(|key| {
            let mut below = path.clone();
            below.push(PathStep::Key(key.clone()));
            leaves(merged, below)
        })
        .collect()
}

/// The key of an axis whose names the steps are.
fn axis_name(steps: &[PathStep]) -> String {
    let names: Vec<&str> = steps
        .iter()
        .map(|step| match step {
            PathStep::Key(name) => name.as_str(),
            PathStep::Index(_) => "",
        })
        .collect();
    names.join(".")
}

fn no_axis(key: &str, name: &str, grid: &Grid) -> Diagnostic {
    let names: Vec<&str> = grid.axes.iter().map(|axis| axis.key.as_str()).collect();
    no_axis_among(key, name, &names)
}

/// That the question of the study is about no axis that a study can ask about.
pub(super) fn no_question(name: &str, grid: &Grid) -> Diagnostic {
    let keys = grid.axes.iter().map(|axis| axis.key.as_str());
    let names: Vec<&str> = keys.filter(|&key| key != SEED).collect();
    if name == SEED {
        return Diagnostic::new(
            "report.question names seed, which repeats a comparison and is none",
        )
        .hint(format!("the axes are {}", names.join(", ")));
    }
    no_axis_among("question", name, &names)
}

pub(super) fn no_axis_among(key: &str, name: &str, names: &[&str]) -> Diagnostic {
    let hint = match similar(name, names.iter().copied()) {
        // A key of its table in some, a text in others.
        Some(meant) if ["question", "sensitivity"].contains(&key) => {
            format!("write {}", quoted(meant))
        }
        Some(meant) => format!("write {meant}"),
        None if names.is_empty() => {
            format!("the grid has no axes: add {name} to [grid], or leave report.{key} out")
        }
        None => format!("the axes are {}", names.join(", ")),
    };
    let name = key_text(name);
    Diagnostic::new(format!("report.{key} names {name}, which is no axis")).hint(hint)
}

fn no_value(key: &str, axis: &GridAxis, text: &str) -> Diagnostic {
    let values: Vec<&str> = axis
        .values
        .iter()
        .map(|value| value.text.as_str())
        .collect();
    let meant = similar(text, values.iter().copied())
        .map(|meant| format!("write \"{meant}\"; "))
        .unwrap_or_default();
    let message = format!(
        "report.{key} names {}, which is no value of the axis {}",
        quoted(text),
        axis.key
    );
    let values = first_values(values.iter().copied());
    Diagnostic::new(message).hint(format!("{meant}its values are {values}"))
}
