//! Inputs that became others while a study runs: the id of a run holds what they were when it was
//! planned, and hours may lie between that and their use.

use anyhow::{Result, anyhow};

use super::inputs::{StudyInputs, dataset_repo, task_repo};
use crate::hub::Hub;
use crate::plan::run::{TeacherSpec, TokenizerSpec};
use crate::plan::{Fact, InputFault, InputFaults, Inputs, PlannedRun};

/// Refuses text, tokenizer or items of tasks that are not those of the runs' ids; `runs` are of one
/// text. What lies on the hub is held to a commit.
///
/// # Errors
/// [`InputFault`] of the key that names what changed; what can no longer be read.
pub(super) fn refuse_changed_text(runs: &[&PlannedRun], hub: &Hub) -> Result<()> {
    let inputs = StudyInputs::to_run(hub);
    if let Some(PlannedRun {
        spec, fingerprints, ..
    }) = runs.first()
    {
        if dataset_repo(&spec.dataset).is_none() {
            let now = inputs.dataset(&spec.dataset);
            refuse("dataset", &fingerprints.dataset, now, |fact| {
                fact.fingerprint
            })?;
        }
        if !matches!(spec.tokenizer, TokenizerSpec::Hub { .. }) {
            let now = inputs.tokenizer(&spec.dataset, &spec.tokenizer);
            refuse("tokenizer.path", &fingerprints.tokenizer, now, |fact| {
                fact.fingerprint
            })?;
        }
    }
    let mut seen = Vec::new();
    for run in runs {
        for (name, task) in &run.spec.evaluate.tasks {
            let is_new = task_repo(task).is_none() && !seen.contains(&(name, task));
            if let Some(planned) = run.fingerprints.tasks.get(name).filter(|_| is_new) {
                seen.push((name, task));
                let key = format!("evaluate.tasks.{name}");
                refuse(&key, planned, inputs.task(name, task), |fact| {
                    fact.fingerprint
                })?;
            }
        }
    }
    Ok(())
}

/// The same for a teacher's folder.
///
/// # Errors
/// As [`refuse_changed_text`].
pub(super) fn refuse_changed_teacher(run: &PlannedRun, hub: &Hub) -> Result<()> {
    let teacher = &run.spec.teacher;
    if !matches!(teacher, TeacherSpec::Dir { .. }) {
        return Ok(());
    }
    let now = StudyInputs::to_run(hub).teacher(teacher);
    refuse("teacher.path", &run.fingerprints.teacher, now, |fact| {
        fact.fingerprint
    })
}

/// The same for the folders that students start from.
///
/// # Errors
/// As [`refuse_changed_text`].
pub(super) fn refuse_changed_students(runs: &[&PlannedRun], hub: &Hub) -> Result<()> {
    let mut seen = Vec::new();
    for run in runs {
        if let Some(folder) = &run.spec.student.init_dir
            && !seen.contains(&folder)
        {
            seen.push(folder);
            let now = StudyInputs::to_run(hub).student(folder);
            refuse("student.init_dir", &run.fingerprints.student, now, |fact| {
                fact.fingerprint
            })?;
        }
    }
    Ok(())
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
