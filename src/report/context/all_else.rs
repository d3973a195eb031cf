//! What a comparison does not differ in.

use crate::plan::is_at_or_below;
use crate::record::study::Study;

/// What no axis, arm or choice varies of what a reader takes to be the same.
pub fn all_else(study: &Study) -> Vec<&'static str> {
    let tried = study.trials.iter().flat_map(|trials| &trials.axes);
    let axes = study.axes.iter().chain(tried);
    let varied = axes.filter(|axis| axis.values.len() > 1);
    let mut keys: Vec<&str> = varied.map(|axis| axis.key.as_str()).collect();
    let changes = study.arms.iter().flat_map(|arm| &arm.changes);
    keys.extend(changes.map(|change| change.key.as_str()));
    let varies = |table: &str| keys.iter().any(|key| is_at_or_below(key, table));
    // A budget pays the same schedule over other steps.
    let trains_otherwise = keys.iter().any(|key| {
        is_at_or_below(key, "train") && !["train.budget", "train.precision"].contains(key)
    });
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
