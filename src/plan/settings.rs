//! What a spec sets, key by key, in a form that is stored with the study: so that `report` and
//! `verify` know, without any input, whether what is stored is of the spec they are given.

use std::collections::{BTreeMap, BTreeSet};

use figment::value::Value;
use serde_json::Value as Json;

use super::grid::GridAxis;
use super::load::Loaded;
use super::planned::{Axis, SEED, StudySettings};
use super::run::{DeviceSpec, tenth_of};
use super::schema;
use super::spec_layers::{Merged, Origin, PathStep, dotted, key_path};

/// A value that stands otherwise in a stored study than in the spec at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// The arm, where it is not the same in all of them.
    pub arm: Option<String>,
    pub key: String,
    /// As TOML; none where there is no such key.
    pub stored: Option<String>,
    pub now: Option<String>,
    /// It is a path: another one may hold the same.
    pub is_path: bool,
}

impl std::fmt::Display for SettingChange {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".into());
        write!(
            out,
            "{} {} → {}",
            self.key,
            value(&self.stored),
            value(&self.now)
        )?;
        match &self.arm {
            Some(arm) => write!(out, " in the arm {arm}"),
            None => Ok(()),
        }
    }
}

/// A value with what its place in the layers and the schema says of it.
#[derive(Debug, Clone)]
pub struct SetValue {
    /// As TOML on one line.
    pub toml: String,
    is_path: bool,
    is_default: bool,
}

/// The values of a cell, by key.
type CellValues = BTreeMap<String, SetValue>;

impl Loaded {
    /// What the spec sets, to be stored.
    pub fn settings(&self) -> StudySettings {
        let (shared, arms) = self.values_by_arm();
        let text = |values: CellValues| {
            let texts = values.into_iter().map(|(key, value)| (key, value.toml));
            texts.collect::<BTreeMap<_, _>>()
        };
        StudySettings {
            shared: text(shared),
            arms: arms
                .into_iter()
                .map(|(arm, values)| (arm, text(values)))
                .filter(|(_, values)| !values.is_empty())
                .collect(),
        }
    }

    /// How what is stored differs from what the spec sets; what holds for all arms is told once. A
    /// key that only a default sets, and that the build which stored the study did not know, is no
    /// difference.
    pub fn changes_since(&self, stored: &StudySettings) -> Vec<SettingChange> {
        let (shared, arms) = self.values_by_arm();
        let mut names: Vec<Option<&String>> = arms.keys().map(Some).collect();
        if names.is_empty() {
            names.push(None);
        }
        let of_arm = |name: Option<&String>| {
            let mut before = stored.shared.clone();
            let mut now = shared.clone();
            if let Some(name) = name {
                before.extend(stored.arms.get(name).cloned().unwrap_or_default());
                now.extend(arms[name].clone());
            }
            compare(&before, &now)
        };
        let all: Vec<Vec<SettingChange>> = names.iter().map(|name| of_arm(*name)).collect();
        let in_all = |change: &SettingChange| all.iter().all(|own| own.contains(change));
        let (mut changes, _): (Vec<_>, Vec<_>) = all[0].iter().cloned().partition(in_all);
        for (name, own) in names.into_iter().zip(&all) {
            changes.extend(own.iter().filter(|change| !in_all(change)).map(|change| {
                SettingChange {
                    arm: name.cloned(),
                    ..change.clone()
                }
            }));
        }
        changes
    }

    /// The axes of `[select]`, its seeds the last of them; none where there is nothing to choose.
    pub fn select_axes(&self) -> Vec<Axis> {
        let candidates = self.candidates.iter();
        let axes = candidates.flat_map(|candidates| {
            let is_own = |key: &str| key == SEED || candidates.keys.iter().any(|own| own == key);
            let of_grid = candidates.grid.axes.iter();
            of_grid.filter(move |axis| is_own(&axis.key)).map(as_axis)
        });
        axes.collect()
    }

    /// The keys that `[select]` tries.
    fn tried_keys(&self) -> impl Iterator<Item = &str> {
        let candidates = self.candidates.iter();
        candidates.flat_map(|candidates| candidates.keys.iter().map(String::as_str))
    }

    /// How the axes of the grid and of `[select]` differ from those that are stored, in words.
    pub fn axes_since(&self, stored: &[Axis], tried: &[Axis]) -> Vec<String> {
        let mut words = changes_of_axes("grid", stored, &self.axes());
        words.extend(changes_of_axes("select", tried, &self.select_axes()));
        words
    }

    /// The values that all cells share, and those that the cells of each arm share beyond them.
    fn values_by_arm(&self) -> (CellValues, BTreeMap<String, CellValues>) {
        let mut by_arm: BTreeMap<Option<String>, CellValues> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for cell in &self.grid.cells {
            // A seed sets nothing else, and there may be a thousand of them.
            let mut at = self.grid.values_of(cell);
            at.remove(SEED);
            if !seen.insert(at) {
                continue;
            }
            let arm = self.grid.arm(cell);
            let mut values = values(&self.stack.run(arm, &self.grid.layers(cell)));
            leave_out_disabled(&mut values);
            values.retain(|key, _| !changes_nothing_stored(key));
            forget_which_card(&mut values);
            let axes = self.grid.axes.iter().map(|axis| axis.key.as_str());
            let is_tried = self.candidates.as_ref().is_some_and(|candidates| {
                let mut cells = candidates.grid.cells.iter();
                cells.any(|cell| candidates.grid.arm(cell) == arm)
            });
            let tried = self.tried_keys().filter(|_| is_tried);
            let varied: Vec<&str> = axes.chain(tried).collect();
            values.retain(|key, _| varied.iter().all(|axis| !is_at_or_below(key, axis)));
            let arm = arm.map(str::to_owned);
            match by_arm.get_mut(&arm) {
                Some(known) => known.retain(|key, value| is_equal(values.get(key), value)),
                None => drop(by_arm.insert(arm, values)),
            }
        }
        let mut shared = by_arm.values().next().cloned().unwrap_or_default();
        shared.retain(|key, value| by_arm.values().all(|own| is_equal(own.get(key), value)));
        let arms = by_arm.into_iter().filter_map(|(arm, mut own)| {
            own.retain(|key, _| !shared.contains_key(key));
            Some((arm?, own))
        });
        let arms = arms.collect();
        (shared, arms)
    }
}

/// How the axes of a table differ from those that are stored, in words.
fn changes_of_axes(table: &str, stored: &[Axis], now: &[Axis]) -> Vec<String> {
    let list = |values: &[String]| format!("[{}]", values.join(", "));
    let mut words = Vec::new();
    for Axis { key, values } in now {
        let now = list(values);
        match stored.iter().find(|known| known.key == *key) {
            Some(known) if known.values == *values => {}
            Some(known) => words.push(format!("{table}.{key} {} → {now}", list(&known.values))),
            None => words.push(format!("{table}.{key} (absent) → {now}")),
        }
    }
    let gone = stored
        .iter()
        .filter(|known| now.iter().all(|axis| axis.key != known.key));
    words.extend(
        gone.map(|Axis { key, values }| format!("{table}.{key} {} → (absent)", list(values))),
    );
    words
}

fn is_equal(found: Option<&SetValue>, value: &SetValue) -> bool {
    found.is_some_and(|found| found.toml == value.toml)
}

/// An axis as plans and studies have it.
pub fn as_axis(axis: &GridAxis) -> Axis {
    Axis {
        key: axis.key.clone(),
        values: axis.values.iter().map(|value| value.text.clone()).collect(),
    }
}

/// Whether a key is that of an axis, or of a table that the axis is about.
pub fn is_at_or_below(key: &str, axis: &str) -> bool {
    key.strip_prefix(axis)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What differs, whatever the arm.
fn compare(stored: &BTreeMap<String, String>, now: &CellValues) -> Vec<SettingChange> {
    let keys: BTreeSet<&String> = stored.keys().chain(now.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let (before, after) = (stored.get(key), now.get(key));
        // What followed from another value that changed is told there.
        let followed = |before: &String| {
            let steps = key
                .strip_suffix(".evaluate_every")
                .and_then(|table| stored.get(&format!("{table}.steps"))?.parse().ok());
            steps.is_some_and(|steps| tenth_of(steps).to_string() == *before)
        };
        let is_same = match (before, after) {
            (Some(before), Some(after)) => {
                *before == after.toml || (after.is_default && followed(before))
            }
            (None, Some(after)) => after.is_default,
            (Some(_), None) => false,
            (None, None) => true,
        };
        if !is_same {
            changes.push(SettingChange {
                arm: None,
                key: key.clone(),
                stored: before.cloned(),
                now: after.map(|after| after.toml.clone()),
                is_path: after.is_some_and(|after| after.is_path),
            });
        }
    }
    changes
}

/// Whether a key says only what is written beside the results.
fn changes_nothing_stored(key: &str) -> bool {
    ["train.tensorboard", "teacher.train.tensorboard"].contains(&key)
}

/// Which card of a kind a process computes on changes nothing that is stored.
fn forget_which_card(values: &mut CellValues) {
    for key in ["train.device", "teacher.train.device"] {
        let Some(value) = values.get_mut(key) else {
            continue;
        };
        if let Some(device) = DeviceSpec::parse(value.toml.trim_matches('"')) {
            value.toml = format!("\"{}\"", device.recorded());
        }
    }
}

/// Takes out what a disabled loss is set to: it changes nothing.
fn leave_out_disabled(values: &mut CellValues) {
    let off: BTreeSet<String> = values
        .iter()
        .filter_map(|(key, value)| {
            let name = key.strip_prefix("loss.")?.strip_suffix(".enabled")?;
            (value.toml == "false").then(|| name.to_owned())
        })
        .collect();
    values.retain(|key, _| {
        let loss = key
            .strip_prefix("loss.")
            .and_then(|rest| rest.split_once('.'));
        loss.is_none_or(|(name, rest)| rest == "enabled" || !off.contains(name))
    });
}

/// Every value of a merged run by its dotted key; a schedule is one value, and every loss has its
/// switch.
pub fn values(merged: &Merged) -> CellValues {
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
            .or_insert_with(|| SetValue {
                toml: "true".to_owned(),
                is_path: false,
                is_default: true,
            });
    }
    for table in ["train", "teacher.train"] {
        let key = format!("{table}.evaluate_every");
        if let Some(steps) = implied(merged, &key)
            && !out.contains_key(&key)
        {
            let value = SetValue {
                toml: steps.to_string(),
                is_path: false,
                is_default: true,
            };
            out.insert(key, value);
        }
    }
    out
}

/// What a key that no layer sets is by the values of others: the steps between looks at the
/// validation split, a tenth of all.
pub fn implied(merged: &Merged, key: &str) -> Option<u64> {
    let table = key.strip_suffix(".evaluate_every")?;
    let steps = merged.toml(&key_path(&format!("{table}.steps")));
    steps.replace('_', "").parse().ok().map(tenth_of)
}

fn walk(merged: &Merged, schema: Option<&Json>, path: &[PathStep], out: &mut CellValues) {
    let Some(value) = merged.find(path) else {
        return;
    };
    let is_whole = schema.is_some_and(|schema| {
        schema::table_of(schema).is_some_and(|table| !std::ptr::eq(table, schema))
    });
    match value {
        Value::Dict(_, dict) if !is_whole => {
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
            let is_path = schema.is_some_and(|schema| {
                [schema, &schema["items"]]
                    .iter()
                    .any(|schema| schema["format"] == "path")
            });
            let layer = merged.origin(path).map(|(layer, _)| layer.origin);
            out.insert(
                dotted(path),
                SetValue {
                    toml: merged.toml(path),
                    is_path,
                    is_default: layer == Some(Origin::Defaults),
                },
            );
        }
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
