//! What the endings of runs mean for the command that ran them.

use std::collections::BTreeMap;

use super::{CommandError, Exit};
use crate::plan::{Diagnostics, Loaded, Plan};
use crate::runner::{Ending, UnusableInputs};

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
