//! What the endings of runs mean for the command that ran them.

use std::collections::BTreeMap;

use serde_json::json;

use super::{CommandError, Exit};
use crate::plan::{Diagnostics, Loaded, Plan};
use crate::record;
use crate::record::layout::Layout;
use crate::runner::{Ending, Standing, UnusableInputs};

/// Inputs that cannot be used are told at the places of the spec that name them.
pub(super) fn explained(error: anyhow::Error, loaded: &Loaded, plan: &Plan) -> CommandError {
    match error.downcast::<UnusableInputs>() {
        Ok(UnusableInputs(unusable)) => {
            let told = unusable
                .into_iter()
                .flat_map(|(run, faults)| loaded.diagnose(plan, run, faults).0);
            CommandError::Spec(Diagnostics(told.collect()).sorted())
        }
        Err(error) => CommandError::Run(error),
    }
}

/// An interruption outweighs a failed run.
pub(super) fn exit_of(endings: &BTreeMap<usize, Ending>) -> Exit {
    let mut exit = Exit::Good;
    for ending in endings.values() {
        match ending {
            Ending::Finished | Ending::Prepared => {}
            Ending::Diverged { .. } | Ending::Failed { .. } | Ending::Held { .. } => {
                exit = Exit::Failed;
            }
            Ending::Interrupted => return Exit::Interrupted,
        }
    }
    exit
}

/// How a command ended, for programs: every run that it was about, with its result where there is
/// one.
pub(super) fn summary(
    plan: &Plan,
    endings: &BTreeMap<usize, Ending>,
    layout: &Layout,
    missed: &[String],
) -> serde_json::Value {
    let runs: Vec<serde_json::Value> = endings
        .iter()
        .map(|(&index, ending)| {
            let run = &plan.runs[index];
            let is_trained = || matches!(Standing::of(run, layout), Ok(Standing::Trained));
            let (state, reason) = match ending {
                Ending::Interrupted if is_trained() => ("trained", None),
                Ending::Finished => ("finished", None),
                Ending::Diverged { reason } => ("diverged", Some(reason)),
                Ending::Failed { error } => ("failed", Some(error)),
                Ending::Held { owner } => ("held", Some(owner)),
                Ending::Prepared => ("prepared", None),
                Ending::Interrupted => ("interrupted", None),
            };
            let folder = layout.run(&run.id).evaluation(&run.evaluation_key);
            let test = record::read_evaluation(&folder)
                .ok()
                .map(|evaluation| evaluation.test);
            json!({
                "id": run.id,
                "label": run.label,
                "state": state,
                "reason": reason,
                "nll_nats_per_token": test.as_ref().map(|test| test.nll_nats_per_token),
                "perplexity": test.as_ref().and_then(|test| test.perplexity),
            })
        })
        .collect();
    value(&plan.name, layout, &runs, missed)
}

/// The same of a command that came to no run.
pub(super) fn summary_of_nothing(name: &str, layout: &Layout) -> serde_json::Value {
    value(name, layout, &[], &[])
}

fn value(
    name: &str,
    layout: &Layout,
    runs: &[serde_json::Value],
    missed: &[String],
) -> serde_json::Value {
    json!({ "name": name, "report": layout.report(), "runs": runs, "missed": missed })
}

/// How these runs ended, by what is stored of them: what is not over was interrupted.
pub(super) fn endings_by_record(
    plan: &Plan,
    selected: &[usize],
    layout: &Layout,
) -> BTreeMap<usize, Ending> {
    let ending = |index: usize| match Standing::of(&plan.runs[index], layout) {
        Ok(Standing::Finished) => Ending::Finished,
        Ok(Standing::Diverged(failure)) => Ending::Diverged {
            reason: failure.reason,
        },
        _ => Ending::Interrupted,
    };
    let endings = selected.iter().map(|&index| (index, ending(index)));
    endings.collect()
}
