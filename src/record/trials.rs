//! What `[select]` has tried, read from the records of its runs, and what that chooses.

use super::layout::Layout;
use super::metrics::read_metrics;
use super::runs::{Depth, RunState, damage, run_state};
use crate::plan::run::Keep;
use crate::plan::{ARM, Axis, Choice, Plan, SEED, Trials, TriedValues};
use crate::recorded::VALIDATION_NLL;

/// What became of the runs of `plan`, which are those that `[select]` tries with these axes, as
/// far as they are there. The choice is made once all of them are: for every arm the values whose
/// runs keep the weights with the lowest loss on the validation split, on average over the seeds;
/// of equal ones the first. Values with which a run diverged are out of question.
pub fn trials(plan: &Plan, axes: Vec<Axis>, layout: &Layout) -> Trials {
    let mut tried: Vec<TriedValues> = Vec::new();
    for cell in &plan.cells {
        let mut values = cell.at.clone();
        values.retain(|key, _| key != SEED && axes.iter().any(|axis| axis.key == *key));
        let arm = cell.at.get(ARM).cloned();
        let run = plan.runs[cell.run].id.clone();
        let is_same = |known: &&mut TriedValues| known.arm == arm && known.values == values;
        match tried.iter_mut().find(is_same) {
            Some(known) => known.runs.push(run),
            None => tried.push(TriedValues {
                arm,
                values,
                runs: vec![run],
                validation_nll: None,
                is_chosen: false,
            }),
        }
    }
    let ids = || plan.runs.iter().map(|run| &run.id);
    let is_complete = ids().all(|id| is_tried(layout, id));
    let keep = |id: &String| {
        let run = plan.runs.iter().find(|run| run.id == *id);
        run.map_or(Keep::Last, |run| run.spec.train.keep)
    };
    for one in &mut tried {
        let losses = one.runs.iter().map(|id| kept_loss(layout, id, keep(id)));
        let losses: Option<Vec<f64>> = losses.collect();
        one.validation_nll =
            losses.map(|losses| losses.iter().sum::<f64>() / losses.len().max(1) as f64);
    }
    if is_complete {
        mark_chosen(&mut tried);
    }
    Trials { axes, tried }
}

/// Whether a run of `[select]` is over: trained, or diverged, and its records those that were
/// written: one that cannot be read has not diverged. It is not evaluated.
pub fn is_tried(layout: &Layout, id: &str) -> bool {
    let is_over = matches!(
        run_state(layout, id),
        Ok(RunState::Published | RunState::WithoutWeights | RunState::Diverged(_))
    );
    is_over && matches!(damage(&layout.run(id).root, Depth::Records), Ok(None))
}

/// The loss on the validation split of the weights that a training keeps: the last, or the lowest;
/// none of one that did not end well.
fn kept_loss(layout: &Layout, id: &str, keep: Keep) -> Option<f64> {
    match run_state(layout, id) {
        Ok(RunState::Published | RunState::WithoutWeights) => {}
        Ok(RunState::Diverged(_) | RunState::Absent) | Err(_) => return None,
    }
    let rows = read_metrics(&layout.run(id).metrics()).ok()?;
    let mut losses = rows
        .iter()
        .filter_map(|(_, values)| values.get(VALIDATION_NLL).copied());
    match keep {
        Keep::Last => losses.next_back().filter(|loss| loss.is_finite()),
        Keep::Best => losses
            .filter(|loss| loss.is_finite())
            .min_by(f64::total_cmp),
    }
}

fn mark_chosen(tried: &mut [TriedValues]) {
    let arms: Vec<Option<String>> = tried.iter().map(|one| one.arm.clone()).collect();
    for arm in arms {
        let of_arm = tried.iter().enumerate().filter(|(_, one)| one.arm == arm);
        let best = of_arm
            .filter_map(|(index, one)| Some((index, one.validation_nll?)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((index, _)) = best {
            tried[index].is_chosen = true;
        }
    }
}

impl Trials {
    /// What was chosen for every arm; none until everything is tried, and where an arm has nothing
    /// that could be chosen.
    pub fn choice(&self) -> Option<Choice> {
        let mut choice = Choice::new();
        for one in self.tried.iter().filter(|one| one.is_chosen) {
            choice.insert(one.arm.clone().unwrap_or_default(), one.values.clone());
        }
        let is_chosen_for = |one: &TriedValues| choice.contains_key(one.arm_name());
        self.tried.iter().all(is_chosen_for).then_some(choice)
    }
}

#[cfg(test)]
#[path = "trials_tests.rs"]
mod tests;
