//! `[expect]`: what a study must reach, for CI.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::plan::{ARM, ExpectedOrder, Plan};
use crate::record::layout::Layout;
use crate::record::{has_evaluation, read_evaluation};

/// Every missed expectation in words; a cell without an evaluation misses those that name it.
///
/// # Errors
/// An evaluation that cannot be read.
pub fn missed_expectations(plan: &Plan, layout: &Layout) -> Result<Vec<String>> {
    let mut missed = Vec::new();
    // By the arm, and where else a run stands: what is compared has the same of all that.
    let mut losses: BTreeMap<&str, BTreeMap<BTreeMap<String, String>, f64>> = BTreeMap::new();
    let empty = String::new();
    for cell in &plan.cells {
        let run = &plan.runs[cell.run];
        let arm = cell.at.get("arm").unwrap_or(&empty).as_str();
        let folder = layout.run(&run.id);
        let perplexity = if has_evaluation(&folder, &run.evaluation_key) {
            let test = read_evaluation(&folder.evaluation(&run.evaluation_key))?.test;
            // What is compared is what the report's answer is about.
            if plan.report.is_home(&cell.at, None) {
                let mut at = cell.at.clone();
                at.remove(ARM);
                let own = losses.entry(arm).or_default();
                own.insert(at, test.nll_nats_per_token);
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
    for ExpectedOrder { arm, than } in &plan.expect.better {
        let pairs: Vec<(f64, f64)> = [arm, than]
            .map(|arm| losses.get(arm.as_str()))
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map_or_else(Vec::new, |both| {
                let own = both[0].iter();
                own.filter_map(|(at, loss)| Some((*loss, *both[1].get(at)?)))
                    .collect()
            });
        let mean =
            |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        let (own, other) = (mean(|pair| pair.0), mean(|pair| pair.1));
        if pairs.is_empty() {
            missed.push(format!(
                "arms {arm} and {than} cannot be compared: no run of both has finished that differs in \
                 nothing else"
            ));
        } else if own >= other {
            missed.push(format!(
                "arm {arm} has mean NLL {own:.4}, not below the {other:.4} of arm {than}"
            ));
        }
    }
    missed.dedup();
    Ok(missed)
}
