//! `[expect]`: what a study must reach, for CI.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::plan::Plan;
use crate::record::layout::Layout;
use crate::record::{has_evaluation, read_evaluation};

/// Every missed expectation in words; a cell without an evaluation misses those that name it.
///
/// # Errors
/// An evaluation that cannot be read.
pub fn missed_expectations(plan: &Plan, layout: &Layout) -> Result<Vec<String>> {
    let mut missed = Vec::new();
    let mut losses: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let empty = String::new();
    for cell in &plan.cells {
        let run = &plan.runs[cell.run];
        let arm = cell.at.get("arm").unwrap_or(&empty).as_str();
        let folder = layout.run(&run.id);
        let perplexity = if has_evaluation(&folder, &run.evaluation_key) {
            let test = read_evaluation(&folder.evaluation(&run.evaluation_key))?.test;
            // What is compared is what the report's answer is about.
            if plan.report.is_home(&cell.at, None) {
                losses.entry(arm).or_default().push(test.nll_nats_per_token);
            }
            test.perplexity
        } else {
            None
        };
        for expected in &plan.expect.perplexity {
            if expected.arm.as_deref().is_some_and(|named| named != arm) {
                continue;
            }
            match perplexity {
                Some(found) if found <= expected.at_most => {}
                Some(found) => missed.push(format!(
                    "{} ({}) has perplexity {found:.2}, more than {}",
                    run.id, run.label, expected.at_most
                )),
                None => missed.push(format!("{} ({}) has no perplexity", run.id, run.label)),
            }
        }
    }
    let mean = |arm: &str| {
        losses
            .get(arm)
            .map(|losses| losses.iter().sum::<f64>() / losses.len() as f64)
    };
    for expected in &plan.expect.better {
        match (mean(&expected.arm), mean(&expected.than)) {
            (Some(own), Some(other)) if own < other => {}
            (Some(own), Some(other)) => {
                missed.push(format!(
                    "arm {} has mean NLL {own:.4}, not below the {other:.4} of arm {}",
                    expected.arm, expected.than
                ));
            }
            (None, _) | (_, None) => missed.push(format!(
                "arms {} and {} cannot be compared: one has no finished run",
                expected.arm, expected.than
            )),
        }
    }
    missed.dedup();
    Ok(missed)
}
