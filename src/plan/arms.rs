//! What each arm changes against the baseline arm, key by key.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::grid::Grid;
use super::planned::{Arm, Change};
use super::schema;
use super::spec_layers::{Merged, PathStep, Stack};

/// The arms of the grid in its order. Without a baseline arm no changes are named.
pub fn arms(stack: &Stack, grid: &Grid, baseline: Option<&str>) -> Vec<Arm> {
    let Some(axis) = grid.axes.iter().find(|axis| axis.key == "arm") else {
        return Vec::new();
    };
    let known = stack.arms();
    let of_baseline = baseline
        .filter(|name| known.iter().any(|arm| arm == name))
        .map(|name| values(&stack.run(Some(name), &[])));
    axis.values
        .iter()
        .map(|value| {
            let changes = match &of_baseline {
                Some(baseline) => changes(baseline, &values(&stack.run(Some(&value.text), &[]))),
                None => Vec::new(),
            };
            Arm {
                name: value.text.clone(),
                changes,
            }
        })
        .collect()
}

fn changes(baseline: &BTreeMap<String, String>, arm: &BTreeMap<String, String>) -> Vec<Change> {
    let keys: std::collections::BTreeSet<&String> = baseline.keys().chain(arm.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let (before, after) = (baseline.get(key), arm.get(key));
        // Of a loss that the arm takes out, the switch says everything.
        let mut names = key.split('.');
        let loss = if names.next() == Some("loss") {
            names.next()
        } else {
            None
        };
        let switch = loss.map(|name| format!("loss.{name}.enabled"));
        let off = switch
            .as_ref()
            .is_some_and(|switch| arm.get(switch).is_some_and(|value| value == "false"));
        if before != after && (!off || switch.as_deref() == Some(key)) {
            changes.push(Change {
                key: key.clone(),
                baseline: before.cloned(),
                value: after.cloned(),
            });
        }
    }
    changes
}

/// Every value of a merged run as TOML by its dotted key; a schedule is one value, and every loss
/// has its switch.
fn values(merged: &Merged) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for key in merged.values.keys() {
        let path = vec![PathStep::Key(key.clone())];
        walk(
            merged,
            schema::run()["properties"].get(key),
            &path,
            &mut out,
        );
    }
    let losses: Vec<String> = out
        .keys()
        .filter_map(|key| Some(key.strip_prefix("loss.")?.split('.').next()?.to_owned()))
        .collect();
    for name in losses {
        out.entry(format!("loss.{name}.enabled"))
            .or_insert_with(|| "true".to_owned());
    }
    out
}

fn walk(
    merged: &Merged,
    schema: Option<&Json>,
    path: &[PathStep],
    out: &mut BTreeMap<String, String>,
) {
    let Some(value) = merged.find(path) else {
        return;
    };
    let whole = schema.is_some_and(|schema| {
        schema::table_of(schema).is_some_and(|table| !std::ptr::eq(table, schema))
    });
    match value {
        figment::value::Value::Dict(_, dict) if !whole => {
            for key in dict.keys() {
                let below = schema.and_then(|schema| {
                    schema::property(schema, key, |tag| {
                        dict.get(tag)
                            .and_then(|name| name.as_str())
                            .map(str::to_owned)
                    })
                });
                let mut path = path.to_vec();
                path.push(PathStep::Key(key.clone()));
                walk(merged, below, &path, out);
            }
        }
        _ => {
            out.insert(super::spec_layers::dotted(path), merged.toml(path));
        }
    }
}
