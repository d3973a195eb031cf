//! The tables of the study as a whole, once the grid is known: what they name must be there.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::{Checked, check};
use super::diagnostics::{Diagnostic, similar};
use super::grid::{Grid, GridAxis};
use super::layers::{Merged, On, Origin, PathStep, Stack};
use super::load::deserialize;
use super::schema;
use super::words::{is_file_name, list_of, plain_list, shown, some_of};
use super::written::WrittenStudy;

/// Axis values by axis.
pub type AxisValues = BTreeMap<String, String>;

/// The study's tables with what they resolve to.
#[derive(Debug)]
pub struct Named {
    pub study: WrittenStudy,
    pub name: String,
    pub baseline: AxisValues,
    pub primary: Option<AxisValues>,
}

/// Reads the tables; none where they have faults.
pub fn read(stack: &Stack, wrong: &mut Vec<Diagnostic>) -> Option<(WrittenStudy, Merged)> {
    let merged = stack.study();
    let Checked {
        mut value, faults, ..
    } = check(&merged, schema::study());
    let faulty = !faults.is_empty();
    wrong.extend(faults);
    if faulty {
        return None;
    }
    if let Some(table) = value.as_object_mut() {
        table.remove("arms");
        table.remove("grid");
    }
    Some((deserialize(value, wrong)?, merged))
}

/// Holds what the tables name against the grid.
pub fn finish(
    (mut study, merged): (WrittenStudy, Merged),
    stack: &Stack,
    grid: &Grid,
    wrong: &mut Vec<Diagnostic>,
    notices: &mut Vec<String>,
) -> Named {
    let file = Path::new(&stack.spec().source.name);
    let name = study
        .pipeline
        .name
        .clone()
        .or_else(|| Some(file.file_stem()?.to_string_lossy().into_owned()))
        .unwrap_or_default();
    if !is_file_name(&name) {
        let hint = "write pipeline.name = \"NAME\", of letters, digits, -, _ and .";
        wrong.push(
            Diagnostic::new(format!(
                "the study has no name, and {} is none for a folder",
                shown(&name)
            ))
            .hint(hint),
        );
    }
    let baseline = match study.report.baseline {
        Some(_) => selection(&merged, "baseline", grid, wrong, |axis| {
            notices.push(format!(
                "report.baseline is {0}={1}: the axis {0} is that alone",
                axis.key, axis.values[0].text
            ));
            Some(axis.values[0].text.clone())
        }),
        None => None,
    };
    let first_arm = || {
        grid.axes
            .iter()
            .filter(|axis| axis.key == "arm")
            .map(|axis| (axis.key.clone(), axis.values[0].text.clone()))
            .collect()
    };
    let baseline = baseline.unwrap_or_else(first_arm);
    let primary = study.report.primary.as_ref().and_then(|_| {
        selection(&merged, "primary", grid, wrong, |axis| {
            notices.push(format!(
                "report.primary is left out: the axis {} is {} alone",
                axis.key,
                shown(&axis.values[0].text)
            ));
            None
        })
    });
    check_expectations(&mut study, &merged, stack, grid, wrong, notices);
    Named {
        study,
        name,
        baseline,
        primary,
    }
}

/// Axis values under `report.<key>`, those of the highest layer; `set` says what becomes of a value
/// that the spec names and an axis that is set from outside has lost.
fn selection(
    merged: &Merged,
    key: &str,
    grid: &Grid,
    wrong: &mut Vec<Diagnostic>,
    mut set: impl FnMut(&GridAxis) -> Option<String>,
) -> Option<AxisValues> {
    let mut found = BTreeMap::new();
    let mut whole = true;
    for path in leaves(
        merged,
        vec![
            PathStep::Key("report".to_owned()),
            PathStep::Key(key.to_owned()),
        ],
    ) {
        let Some((layer, node)) = merged.origin(&path) else {
            continue;
        };
        let names = path[2..].iter().map(|step| {
            if let PathStep::Key(name) = step {
                name.as_str()
            } else {
                ""
            }
        });
        let (axis, text) = (names.collect::<Vec<_>>().join("."), node.text());
        let Some(known) = grid.axes.iter().find(|known| known.key == axis) else {
            let names: Vec<&str> = grid.axes.iter().map(|axis| axis.key.as_str()).collect();
            let hint = match similar(&axis, names.iter().copied()) {
                Some(meant) => format!("write {meant}"),
                None if names.is_empty() => {
                    format!("the grid has no axes: add {axis} to [grid], or leave report.{key} out")
                }
                None => format!("the axes are {}", names.join(", ")),
            };
            let message = format!(
                "report.{key} names {}, which is no axis",
                super::source::key_text(&axis)
            );
            wrong.push(
                Diagnostic::new(message)
                    .at(layer.place(node, On::Key))
                    .hint(hint),
            );
            continue;
        };
        if known.values.iter().any(|value| value.text == text) {
            found.insert(axis, text);
        } else if known.set && known.whole.contains(&text) && layer.origin == Origin::File {
            match set(known) {
                Some(text) => drop(found.insert(axis, text)),
                None => whole = false,
            }
        } else {
            let values: Vec<&str> = known
                .values
                .iter()
                .map(|value| value.text.as_str())
                .collect();
            let meant = similar(&text, values.iter().copied())
                .map(|meant| format!("write \"{meant}\"; "))
                .unwrap_or_default();
            let message = format!(
                "report.{key} names {}, which is no value of the axis {axis}",
                shown(&text)
            );
            let hint = format!("{meant}its values are {}", some_of(values.iter().copied()));
            wrong.push(
                Diagnostic::new(message)
                    .at(layer.place(node, On::Value))
                    .hint(hint),
            );
        }
    }
    whole.then_some(found)
}

/// The ways to the values below `path` that are no tables.
fn leaves(merged: &Merged, path: Vec<PathStep>) -> Vec<Vec<PathStep>> {
    match merged.find(&path).and_then(figment::value::Value::as_dict) {
        Some(dict) => dict
            .keys()
            .flat_map(|key| {
                leaves(
                    merged,
                    path.iter()
                        .cloned()
                        .chain([PathStep::Key(key.clone())])
                        .collect(),
                )
            })
            .collect(),
        None => vec![path],
    }
}

/// Arms that are expected something of must be run; those that an axis set from outside has lost
/// are not expected anything of.
fn check_expectations(
    study: &mut WrittenStudy,
    merged: &Merged,
    stack: &Stack,
    grid: &Grid,
    wrong: &mut Vec<Diagnostic>,
    notices: &mut Vec<String>,
) {
    let arms = stack.arms();
    let axis = grid.axes.iter().find(|axis| axis.key == "arm");
    let mut is_run = |list: &str, index: usize, key: &str, arm: &String| {
        if axis.is_some_and(|axis| axis.values.iter().any(|value| value.text == *arm)) {
            return true;
        }
        if axis.is_some_and(|axis| axis.set && axis.whole.contains(arm)) {
            notices.push(format!(
                "expect.{list} of the arm {arm} is left out: {arm} is not run"
            ));
            return false;
        }
        let path = [
            PathStep::Key("expect".to_owned()),
            PathStep::Key(list.to_owned()),
            PathStep::Index(index),
            PathStep::Key(key.to_owned()),
        ];
        let names: Vec<&str> = arms.iter().map(String::as_str).collect();
        let (message, hint) = if arms.contains(arm) {
            (
                format!(
                    "expect.{list} names the arm {}, which the grid does not run",
                    shown(arm)
                ),
                format!("add {} to grid.arm", shown(arm)),
            )
        } else {
            let hint = match similar(arm, names.iter().copied()) {
                Some(meant) => format!("write \"{meant}\""),
                None if names.is_empty() => "the spec has no arms: add a table [arms.NAME], and \
                                             grid.arm = [\"NAME\"]"
                    .to_owned(),
                None => format!("write {}", list_of(&names)),
            };
            (
                format!(
                    "expect.{list} names the arm {}, and there is none of that name",
                    shown(arm)
                ),
                hint,
            )
        };
        wrong.push(
            Diagnostic::new(message)
                .at(merged.place(&path, On::Value))
                .hint(hint),
        );
        true
    };
    let mut index = 0..;
    study.expect.perplexity.retain(|expected| {
        let index = index.next().unwrap_or_default();
        expected
            .arm
            .as_ref()
            .is_none_or(|arm| is_run("perplexity", index, "arm", arm))
    });
    let mut index = 0..;
    study.expect.better.retain(|expected| {
        let index = index.next().unwrap_or_default();
        let (own, other) = (
            is_run("better", index, "arm", &expected.arm),
            is_run("better", index, "than", &expected.than),
        );
        own && other
    });
    if let Some(clash) = study
        .expect
        .better
        .iter()
        .position(|expected| expected.arm == expected.than)
    {
        let path = [
            PathStep::Key("expect".to_owned()),
            PathStep::Key("better".to_owned()),
            PathStep::Index(clash),
            PathStep::Key("than".to_owned()),
        ];
        let message = format!(
            "expect.better compares the arm {} with itself",
            shown(&study.expect.better[clash].arm)
        );
        let hint = format!(
            "write another of {}",
            plain_list(&arms.iter().map(String::as_str).collect::<Vec<_>>())
        );
        wrong.push(
            Diagnostic::new(message)
                .at(merged.place(&path, On::Value))
                .hint(hint),
        );
    }
}
