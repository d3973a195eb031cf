//! What a comparison does not differ in.

use crate::plan::is_at_or_below;
use crate::record::study::Study;

/// Keys of the training that leave the schedule as it is; a budget pays the same one over other
/// steps.
const BESIDE_THE_SCHEDULE: [&str; 5] = [
    "train.budget",
    "train.precision",
    "train.evaluate_every",
    "train.checkpoint_every",
    "train.gradients_every",
];

/// What no axis, arm or choice varies of what a reader takes to be the same. Axes of sensitivity do
/// not count: what is compared is of one value of theirs.
pub fn all_else(study: &Study) -> Vec<&'static str> {
    let sensitivity = &study.report.sensitivity;
    let tried = study.trials.iter().flat_map(|trials| &trials.axes);
    let axes = study.axes.iter().chain(tried);
    let axes = axes.filter(|axis| !sensitivity.contains_key(&axis.key));
    let varied = axes.filter(|axis| axis.values.len() > 1);
    let mut keys: Vec<&str> = varied.map(|axis| axis.key.as_str()).collect();
    let changes = study.arms.iter().flat_map(|arm| &arm.changes);
    keys.extend(changes.map(|change| change.key.as_str()));
    let varies = |table: &str| {
        let mut keys = keys.iter();
        keys.any(|key| is_at_or_below(key, table) || is_at_or_below(table, key))
    };
    let trains_otherwise = keys
        .iter()
        .any(|key| is_at_or_below(key, "train") && !BESIDE_THE_SCHEDULE.contains(key));
    let batches = ["batch", "accumulate", "context", "shuffle"];
    let mut batches = batches.iter().map(|key| format!("train.{key}"));
    [
        (
            "data and their order",
            varies("dataset") || varies("tokenizer") || batches.any(|key| varies(&key)),
        ),
        ("initial student", varies("student") || varies("teacher")),
        ("schedule", trains_otherwise),
    ]
    .into_iter()
    .filter(|(_, differs)| !differs)
    .map(|(name, _)| name)
    .collect()
}

#[cfg(test)]
#[path = "all_else_tests.rs"]
mod tests;
