//! What each arm changes against the baseline arm, key by key.

use std::collections::BTreeMap;

use super::grid::Grid;
use super::planned::{ARM, Arm, Change};
use super::settings::{SetValue, values};
use super::spec_layers::Stack;

/// The arms of the grid in its order. Without a baseline arm no changes are named.
pub fn arms(stack: &Stack, grid: &Grid, baseline: Option<&str>) -> Vec<Arm> {
    let Some(axis) = grid.axes.iter().find(|axis| axis.key == ARM) else {
        return Vec::new();
    };
    let known = stack.arms();
    let of_arm = |name: &str| stack.run(Some(name), grid.chosen_layers(Some(name)));
    let of_baseline = baseline
        .filter(|name| known.iter().any(|arm| arm == name))
        .map(|name| values(&of_arm(name)));
    axis.values
        .iter()
        .map(|value| {
            let changes = match &of_baseline {
                Some(baseline) => changes(baseline, &values(&of_arm(&value.text))),
                None => Vec::new(),
            };
            Arm {
                name: value.text.clone(),
                changes,
            }
        })
        .collect()
}

fn changes(baseline: &BTreeMap<String, SetValue>, arm: &BTreeMap<String, SetValue>) -> Vec<Change> {
    let keys: std::collections::BTreeSet<&String> = baseline.keys().chain(arm.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let text = |value: Option<&SetValue>| value.map(|value| value.toml.clone());
        let (before, after) = (text(baseline.get(key)), text(arm.get(key)));
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
            .is_some_and(|switch| arm.get(switch).is_some_and(|value| value.toml == "false"));
        if before != after && (!off || switch.as_deref() == Some(key)) {
            changes.push(Change {
                key: key.clone(),
                baseline: before,
                value: after,
            });
        }
    }
    changes
}
