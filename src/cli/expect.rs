//! `[expect]`: what a study must reach, for CI.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::plan::{ARM, ExpectedOrder, Plan};
use crate::record::layout::Layout;
use crate::record::{has_evaluation, read_evaluation};

/// Losses by the arm, and by where else a run stands: what is compared has the same of all that.
type LossesOfArms<'a> = BTreeMap<&'a str, BTreeMap<BTreeMap<String, String>, f64>>;

/// Every missed expectation in words. A cell without an evaluation misses those that name it, but
/// where its run was not asked for: nothing is expected of that yet.
///
/// # Errors
/// An evaluation that cannot be read.
pub fn missed_expectations(
    plan: &Plan,
    layout: &Layout,
    is_asked: impl Fn(usize) -> bool,
) -> Result<Vec<String>> {
    let mut missed = Vec::new();
    let mut losses = LossesOfArms::new();
    let empty = String::new();
    let mut left_out: BTreeSet<&str> = BTreeSet::new();
    for cell in &plan.cells {
        let run = &plan.runs[cell.run];
        let arm = cell.at.get(ARM).unwrap_or(&empty).as_str();
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
        } else if !is_asked(cell.run) {
            left_out.insert(arm);
            continue;
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
    let better = plan.expect.better.iter();
    missed.extend(better.filter_map(|order| missed_order(order, &losses, &left_out)));
    missed.dedup();
    Ok(missed)
}

/// That an arm is not better than another, or cannot be held against it, but for those of which
/// runs were left out.
fn missed_order(
    order: &ExpectedOrder,
    losses: &LossesOfArms<'_>,
    left_out: &BTreeSet<&str>,
) -> Option<String> {
    let ExpectedOrder { arm, than } = order;
    let both = losses.get(arm.as_str()).zip(losses.get(than.as_str()));
    let pairs: Vec<(f64, f64)> = both.map_or_else(Vec::new, |(own, other)| {
        let own = own.iter();
        own.filter_map(|(at, loss)| Some((*loss, *other.get(at)?)))
            .collect()
    });
    let is_partial = [arm, than]
        .iter()
        .any(|arm| left_out.contains(arm.as_str()));
    if pairs.is_empty() && is_partial {
        return None;
    }
    if pairs.is_empty() {
        return Some(format!(
            "arms {arm} and {than} cannot be compared: there are no two finished runs, one of \
             each, that differ in nothing else"
        ));
    }
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    let (own, other) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let is_better = own.partial_cmp(&other) == Some(Ordering::Less);
    (!is_better)
        .then(|| format!("arm {arm} has mean NLL {own:.4}, not below the {other:.4} of arm {than}"))
}
