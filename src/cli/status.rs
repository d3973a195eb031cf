//! `kdpipe status`: where a study stands, from its folder alone, whoever works on it.

use serde_json::{Value, json};

use super::args::{Common, StatusArguments};
use super::progress_words::short;
use super::stored::other_spec;
use super::{CommandResult, Exit, counted, print, print_json, say, spec_options};
use crate::plan;
use crate::record::layout::Layout;
use crate::record::{
    self, RunProgress, RunStage, RunStatus, Submission, TeacherStatus, run_statuses,
    teacher_statuses, trial_statuses,
};
use crate::runner::{CacheLayout, cache_folder};
use crate::slurm::{self, QueuedTask};

/// All that is shown.
struct StudyStatus {
    name: String,
    /// That the spec at hand is not the one whose runs are shown.
    note: Option<String>,
    runs: Vec<RunStatus>,
    teachers: Vec<TeacherStatus>,
    /// Jobs of the study that are not over; none where it was not submitted, or Slurm does not
    /// answer.
    tasks: Vec<QueuedTask>,
}

pub fn status(arguments: &StatusArguments, common: &Common) -> CommandResult {
    let loaded = plan::load(&arguments.spec, &spec_options(common)?)?;
    let layout = Layout::new(&common.results, loaded.name());
    if !layout.lock().exists() {
        return Err(anyhow::anyhow!(
            "{} holds no study yet: `kdpipe run {}` or `kdpipe submit` makes it",
            layout.root.display(),
            arguments.spec.display()
        )
        .into());
    }
    let study = record::read_study(&layout)?;
    let note = other_spec(&loaded, &study).map(|other| other.words);
    let submission = record::read_submission(&layout)?;
    let cache = match &submission {
        Some(submission) => Some(submission.cache.clone()),
        None => cache_folder().ok(),
    };
    let trained = cache.map(|root| CacheLayout::new(&root).teachers());
    let found = StudyStatus {
        name: study.name.clone(),
        note,
        runs: [
            trial_statuses(&layout, &study),
            run_statuses(&layout, &study),
        ]
        .concat(),
        teachers: trained.map_or_else(Vec::new, |trained| {
            teacher_statuses(&layout, &trained, &study)
        }),
        tasks: submission.as_ref().map_or_else(Vec::new, tasks),
    };
    if common.json {
        print_json(&as_json(&found))?;
    } else {
        if let Some(note) = &found.note {
            say(&format!("note: {note}"));
        }
        print(&as_text(&found, common.verbose));
    }
    Ok(Exit::Good)
}

/// Jobs that are not over. That Slurm does not know them any more is the usual end.
fn tasks(submission: &Submission) -> Vec<QueuedTask> {
    slurm::queued(&submission.ids()).unwrap_or_default()
}

fn as_text(status: &StudyStatus, is_verbose: bool) -> String {
    let count =
        |stage: fn(&RunStage) -> bool| status.runs.iter().filter(|run| stage(&run.stage)).count();
    let mut text = format!(
        "{}: {}: {} done, {} running, {} open, {} failed",
        status.name,
        counted(status.runs.len(), "run"),
        count(|stage| matches!(stage, RunStage::Done)),
        count(|stage| matches!(stage, RunStage::Running { .. })),
        count(|stage| matches!(stage, RunStage::Open { .. })),
        count(|stage| matches!(stage, RunStage::Failed { .. })),
    );
    for (count, word) in [
        (
            count(|stage| matches!(stage, RunStage::Trained)),
            "trained, to be evaluated",
        ),
        (
            count(|stage| matches!(stage, RunStage::Diverged { .. })),
            "diverged",
        ),
    ] {
        if count > 0 {
            text += &format!(", {count} {word}");
        }
    }
    text.push('\n');
    for teacher in &status.teachers {
        text += &teacher_line(teacher);
    }
    for run in &status.runs {
        let is_told = is_verbose || !matches!(run.stage, RunStage::Done | RunStage::Open { .. });
        if is_told {
            text += &run_line(run);
        }
    }
    for task in &status.tasks {
        let place = if task.node.is_empty() {
            &task.reason
        } else {
            &task.node
        };
        text += &format!(
            "job      {:<12}  {} {place}\n",
            task.name,
            task.state.to_lowercase()
        );
    }
    text
}

fn teacher_line(teacher: &TeacherStatus) -> String {
    let key = &teacher.key;
    match &teacher.owner {
        Some(owner) => format!(
            "teacher  {key}  step {}: {}, heard of {} s ago\n",
            teacher.step,
            owner.words,
            owner.silence.as_secs()
        ),
        None => format!("teacher  {key}  is to be made\n"),
    }
}

fn run_line(run: &RunStatus) -> String {
    let RunStatus { id, label, stage } = run;
    let rest = match stage {
        RunStage::Done => String::new(),
        RunStage::Trained => ": to be evaluated".to_owned(),
        RunStage::Diverged { reason } => format!(": {reason}"),
        RunStage::Running { owner, progress } => format!(
            ": {}; {}, heard of {} s ago",
            progress_in_words(progress),
            owner.words,
            owner.silence.as_secs()
        ),
        RunStage::Failed { error, log } => {
            let log = log
                .as_ref()
                .map_or_else(String::new, |log| format!(" (log: {log})"));
            format!(": {error}{log}")
        }
        RunStage::Open { progress } if progress.step > 0 => {
            format!(": {}", progress_in_words(progress))
        }
        RunStage::Open { .. } => String::new(),
    };
    format!("{:<8} {id}  {label}{rest}\n", stage_name(stage))
}

fn stage_name(stage: &RunStage) -> &'static str {
    match stage {
        RunStage::Done => "done",
        RunStage::Trained => "trained",
        RunStage::Diverged { .. } => "diverged",
        RunStage::Running { .. } => "running",
        RunStage::Failed { .. } => "failed",
        RunStage::Open { .. } => "open",
    }
}

fn progress_in_words(progress: &RunProgress) -> String {
    let mut text = format!("step {}", progress.step);
    if let Some(steps) = progress.steps {
        text += &format!(" of {steps}");
    }
    if let Some(left) = progress.left {
        text += &format!(", {} left", short(left));
    }
    text
}

fn as_json(status: &StudyStatus) -> Value {
    let runs = status.runs.iter().map(|run| {
        let mut line = json!({
            "id": run.id,
            "label": run.label,
            "state": stage_name(&run.stage),
        });
        match &run.stage {
            RunStage::Done | RunStage::Trained => {}
            RunStage::Diverged { reason } => line["reason"] = json!(reason),
            RunStage::Failed { error, log } => {
                line["reason"] = json!(error);
                line["log"] = json!(log);
            }
            RunStage::Running { owner, progress } => {
                line["owner"] = json!(owner.words);
                line["host"] = json!(owner.host);
                line["beat_seconds"] = json!(owner.silence.as_secs());
                add_progress(&mut line, progress);
            }
            RunStage::Open { progress } => add_progress(&mut line, progress),
        }
        line
    });
    let teachers = status.teachers.iter().map(|teacher| {
        json!({
            "key": teacher.key,
            "step": teacher.step,
            "owner": teacher.owner.as_ref().map(|owner| &owner.words),
            "host": teacher.owner.as_ref().map(|owner| &owner.host),
        })
    });
    let jobs = status.tasks.iter().map(|task| {
        json!({
            "id": task.name,
            "state": task.state,
            "node": task.node,
            "reason": task.reason,
        })
    });
    json!({
        "name": status.name,
        "note": status.note,
        "runs": runs.collect::<Vec<_>>(),
        "teachers_to_make": teachers.collect::<Vec<_>>(),
        "jobs": jobs.collect::<Vec<_>>(),
    })
}

fn add_progress(line: &mut Value, progress: &RunProgress) {
    line["step"] = json!(progress.step);
    line["steps"] = json!(progress.steps);
    line["seconds_left"] = json!(progress.left.map(|left| left.as_secs()));
}
