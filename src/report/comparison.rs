//! Two studies against each other, by what they mean: what their specs set, which runs they have,
//! what they say, and the loss of every cell that both have.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::Material;
use super::data::StudyData;
use crate::record::layout::Layout;
use crate::record::read_study;
use crate::record::study::{Cell, Study};

/// What differs between two studies. What one of them lacks is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyComparison {
    /// Whether nothing below differs, whatever the versions.
    pub same: bool,
    /// The versions of kdpipe that stored them.
    pub versions: [String; 2],
    /// What the specs set, the inputs and the axes among it.
    pub settings: Vec<KeyDifference>,
    /// Whether both note what their runs are set to; older builds did not.
    pub settings_known: bool,
    pub runs: RunsInCommon,
    /// Cells that only one of them has, or that ended otherwise.
    pub cells: Vec<KeyDifference>,
    /// By the row of the report.
    pub verdicts: Vec<KeyDifference>,
    pub losses: LossDifferences,
}

/// Something that the two say differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyDifference {
    pub key: String,
    pub a: Option<String>,
    pub b: Option<String>,
}

/// Runs by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunsInCommon {
    pub both: usize,
    pub only_a: Vec<String>,
    pub only_b: Vec<String>,
}

/// The test losses of cells that both have finished.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossDifferences {
    pub compared: usize,
    /// Those that are not the same number, the largest difference first.
    pub differing: Vec<LossDifference>,
}

/// Test NLL of a cell in nats per token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossDifference {
    pub cell: String,
    pub a: f64,
    pub b: f64,
    /// b minus a.
    pub difference: f64,
}

/// Compares the studies that lie in two folders.
///
/// # Errors
/// A study that cannot be read.
pub fn compare_studies(a: &Layout, b: &Layout) -> Result<StudyComparison> {
    let [a, b] = [
        Material::read(a, read_study(a)?)?,
        Material::read(b, read_study(b)?)?,
    ];
    let settings_known = [&a, &b].iter().all(|own| own.data.study.settings.is_some());
    let settings = settings(&a.data.study, &b.data.study);
    let runs = runs(&a.data.study, &b.data.study);
    let (cells, losses) = cells(&a.data, &b.data);
    let verdicts = differing(&verdicts(&a), &verdicts(&b));
    let same = settings.is_empty()
        && runs.only_a.is_empty()
        && runs.only_b.is_empty()
        && cells.is_empty()
        && verdicts.is_empty()
        && losses.differing.is_empty();
    Ok(StudyComparison {
        same,
        versions: [a.data.study.version, b.data.study.version],
        settings,
        settings_known,
        runs,
        cells,
        verdicts,
        losses,
    })
}

/// The verdict of every row that is compared, by its label.
fn verdicts(material: &Material) -> BTreeMap<String, String> {
    let rows = material.context.rows.iter();
    rows.filter_map(|row| Some((row.label.clone(), row.contrast.as_ref()?.verdict.clone())))
        .collect()
}

/// The keys whose values are not the same.
fn differing(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<KeyDifference> {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    keys.into_iter()
        .filter(|key| a.get(*key) != b.get(*key))
        .map(|key| KeyDifference {
            key: key.clone(),
            a: a.get(key).cloned(),
            b: b.get(key).cloned(),
        })
        .collect()
}

/// What the specs set otherwise: of the grid, of the runs, of the report, and the inputs.
fn settings(a: &Study, b: &Study) -> Vec<KeyDifference> {
    let mut found = differing(&axes(a), &axes(b));
    found.extend(run_settings(a, b));
    found.extend(differing(&report_settings(a), &report_settings(b)));
    found.extend(differing(&inputs(a), &inputs(b)));
    found
}

fn axes(study: &Study) -> BTreeMap<String, String> {
    let axes = study.axes.iter();
    axes.map(|axis| {
        let values = format!("[{}]", axis.values.join(", "));
        (format!("grid.{}", axis.key), values)
    })
    .collect()
}

/// The settings of the runs: those that differ in all arms that both have once, the others by arm.
fn run_settings(a: &Study, b: &Study) -> Vec<KeyDifference> {
    let (Some(a), Some(b)) = (&a.settings, &b.settings) else {
        return Vec::new();
    };
    let names: Vec<&String> = a
        .arms
        .keys()
        .filter(|arm| b.arms.contains_key(*arm))
        .collect();
    let of_arm = |arm: Option<&String>| {
        let merged = |settings: &crate::record::study::StudySettings| {
            let mut values = settings.shared.clone();
            let own = arm.and_then(|arm| settings.arms.get(arm));
            values.extend(own.cloned().unwrap_or_default());
            values
        };
        differing(&merged(a), &merged(b))
    };
    if names.is_empty() {
        return of_arm(None);
    }
    let all: Vec<Vec<KeyDifference>> = names.iter().map(|arm| of_arm(Some(arm))).collect();
    let in_all = |one: &KeyDifference| all.iter().all(|own| own.contains(one));
    let mut found: Vec<KeyDifference> = all[0].iter().filter(|one| in_all(one)).cloned().collect();
    for (arm, own) in names.into_iter().zip(&all) {
        found.extend(
            own.iter()
                .filter(|one| !in_all(one))
                .map(|one| KeyDifference {
                    key: format!("{} in the arm {arm}", one.key),
                    ..one.clone()
                }),
        );
    }
    found
}

fn report_settings(study: &Study) -> BTreeMap<String, String> {
    // Whatever keys [report] has, by its stored form.
    let Ok(Value::Object(settings)) = serde_json::to_value(&study.report) else {
        return BTreeMap::new();
    };
    let words = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    settings
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (format!("report.{key}"), words(value)))
        .collect()
}

fn inputs(study: &Study) -> BTreeMap<String, String> {
    let hashes = study.inputs.iter();
    let hashes = hashes.map(|(role, hash)| (format!("hash of {role}"), hash.clone()));
    let pins = study.hub.iter();
    let pins = pins.map(|pin| {
        let key = format!(
            "commit of the {} {} at {}",
            pin.kind, pin.repo, pin.revision
        );
        (key, pin.commit.clone())
    });
    hashes.chain(pins).collect()
}

fn runs(a: &Study, b: &Study) -> RunsInCommon {
    let ids = |study: &Study| -> BTreeSet<String> {
        study.cells.iter().map(|cell| cell.run.clone()).collect()
    };
    let (a, b) = (ids(a), ids(b));
    RunsInCommon {
        both: a.intersection(&b).count(),
        only_a: a.difference(&b).cloned().collect(),
        only_b: b.difference(&a).cloned().collect(),
    }
}

/// The cells in the order of the first study, then those that the second has alone.
fn cells(a: &StudyData, b: &StudyData) -> (Vec<KeyDifference>, LossDifferences) {
    let place =
        |data: &StudyData, cell: &Cell| data.study.cells.iter().position(|own| own.at == cell.at);
    let state = |data: &StudyData, cell: usize| Some(data.run(cell).state.word().to_owned());
    let (mut found, mut differing, mut compared) = (Vec::new(), Vec::new(), 0);
    for (own, cell) in a.study.cells.iter().enumerate() {
        let other = place(b, cell);
        let (in_a, in_b) = (state(a, own), other.and_then(|other| state(b, other)));
        if in_a != in_b {
            found.push(KeyDifference {
                key: in_words(&a.study, cell),
                a: in_a,
                b: in_b,
            });
        }
        let Some((x, y)) = a
            .run(own)
            .nll()
            .zip(other.and_then(|other| b.run(other).nll()))
        else {
            continue;
        };
        compared += 1;
        if x.to_bits() != y.to_bits() {
            differing.push(LossDifference {
                cell: in_words(&a.study, cell),
                a: x,
                b: y,
                difference: y - x,
            });
        }
    }
    for (own, cell) in b.study.cells.iter().enumerate() {
        if place(a, cell).is_none() {
            found.push(KeyDifference {
                key: in_words(&b.study, cell),
                a: None,
                b: state(b, own),
            });
        }
    }
    let size = |one: &LossDifference| one.difference.abs();
    differing.sort_by(|one, other| size(other).total_cmp(&size(one)));
    (
        found,
        LossDifferences {
            compared,
            differing,
        },
    )
}

/// A cell as `arm=mse seed=0`, the axes in the order of the spec.
fn in_words(study: &Study, cell: &Cell) -> String {
    let words = study.axes.iter().filter_map(|axis| {
        let value = cell.at.get(&axis.key)?;
        Some(format!("{}={value}", axis.key))
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        "the only cell".to_owned()
    } else {
        words.join(" ")
    }
}

#[cfg(test)]
#[path = "comparison_tests.rs"]
mod tests;
