//! Inputs that became others while a study runs: the id of a run holds what they were when it was
//! planned, and hours may lie between that and their use.

use anyhow::{Result, anyhow};

use super::inputs::StudyInputs;
use crate::hub::Hub;
use crate::plan::run::TeacherSpec;
use crate::plan::{Fact, InputFault, InputFaults, Inputs, PlannedRun};

/// Refuses text, tokenizer or items of tasks that are not those of the run's id.
///
/// # Errors
/// [`InputFault`] of the key that names what changed; what can no longer be read.
pub(super) fn refuse_changed_text(run: &PlannedRun, hub: &Hub) -> Result<()> {
    let (inputs, spec, planned) = (StudyInputs::to_run(hub), &run.spec, &run.fingerprints);
    let dataset = inputs.dataset(&spec.dataset);
    refuse("dataset.train", &planned.dataset, dataset, |fact| {
        fact.fingerprint
    })?;
    let tokenizer = inputs.tokenizer(&spec.dataset, &spec.tokenizer);
    refuse("tokenizer", &planned.tokenizer, tokenizer, |fact| {
        fact.fingerprint
    })?;
    for (name, task) in &spec.evaluate.tasks {
        if let Some(planned) = planned.tasks.get(name) {
            let key = format!("evaluate.tasks.{name}");
            refuse(&key, planned, inputs.task(name, task), |fact| {
                fact.fingerprint
            })?;
        }
    }
    Ok(())
}

/// The same for a teacher that came trained.
///
/// # Errors
/// As [`refuse_changed_text`].
pub(super) fn refuse_changed_teacher(run: &PlannedRun, hub: &Hub) -> Result<()> {
    let teacher = &run.spec.teacher;
    if matches!(teacher, TeacherSpec::Train { .. }) {
        return Ok(());
    }
    let now = StudyInputs::to_run(hub).teacher(teacher);
    refuse("teacher", &run.fingerprints.teacher, now, |fact| {
        fact.fingerprint
    })
}

/// The same for the folder that a student starts from.
///
/// # Errors
/// As [`refuse_changed_text`].
pub(super) fn refuse_changed_student(run: &PlannedRun, hub: &Hub) -> Result<()> {
    let Some(folder) = &run.spec.student.init_dir else {
        return Ok(());
    };
    let now = StudyInputs::to_run(hub).student(folder);
    refuse("student.init_dir", &run.fingerprints.student, now, |fact| {
        fact.fingerprint
    })
}

fn refuse<T>(
    key: &str,
    planned: &str,
    now: Fact<T>,
    fingerprint: impl FnOnce(T) -> String,
) -> Result<()> {
    let now = match now {
        Fact::Known(fact) => fingerprint(fact),
        Fact::Unknown(_) => return Ok(()),
        Fact::Bad(reason) => return Err(anyhow!(reason)),
        Fact::Faulty(faults) => return Err(InputFaults(faults).into()),
    };
    // What is made from the spec alone has no fingerprint.
    if planned.is_empty() || now == planned {
        return Ok(());
    }
    let message = format!("the files of {key} are not what they were when the study began");
    let hint = "put them back, or run the command again: runs on what is there now are others";
    Err(InputFault::of_key(key, message, hint).into())
}

#[cfg(test)]
#[path = "changed_tests.rs"]
mod tests;
