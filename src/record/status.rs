//! Where every run of a study stands, from its folder alone: for a process that only looks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::evaluations::has_evaluation;
use super::in_work::read_in_work;
use super::layout::Layout;
use super::runs::{Failure, RunState, run_state};
use super::study::{Cell, Study};
use super::work::{LOCK, is_begun, read_error, read_log};
use crate::files::{Lock, LockOwner};

/// A run of a study as it stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStatus {
    pub id: String,
    /// Its first cell in words.
    pub label: String,
    pub stage: RunStage,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RunStage {
    /// Trained and evaluated.
    Done,
    /// It is recorded as that, and not tried again.
    Diverged { reason: String },
    /// Its evaluation is to come, or under way.
    Trained,
    /// A living process is training it.
    Running {
        owner: LockOwner,
        progress: RunProgress,
    },
    /// The last try ended with this error, and where a log of it is, if it is known.
    Failed { error: String, log: Option<String> },
    /// Nobody is at it; some of it may be done.
    Open { progress: RunProgress },
}

/// How far a training is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RunProgress {
    /// Steps that are done.
    pub step: u64,
    /// All steps, where they are known.
    pub steps: Option<u64>,
    /// Time that the rest takes at the speed so far.
    pub left: Option<Duration>,
}

/// A teacher of a study that is not there yet.
#[derive(Debug, Clone, PartialEq)]
pub struct TeacherStatus {
    pub key: String,
    /// The living process that makes it.
    pub owner: Option<LockOwner>,
    /// Steps of its training that are recorded.
    pub step: u64,
}

/// Where the runs of a study stand, each once, in the order of its cells.
pub fn run_statuses(layout: &Layout, study: &Study) -> Vec<RunStatus> {
    // Cells that share a run and differ in how it is measured are done together.
    let mut cells: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
    let mut order = Vec::new();
    for cell in &study.cells {
        let of_run = cells.entry(&cell.run).or_default();
        if of_run.is_empty() {
            order.push(cell);
        }
        of_run.push(cell);
    }
    let status = |cell: &Cell| RunStatus {
        id: cell.run.clone(),
        label: label(study, cell),
        stage: stage(layout, &cell.run, &cells[cell.run.as_str()]),
    };
    order.into_iter().map(status).collect()
}

/// Where the runs stand that `[select]` tries; none once everything is chosen.
pub fn trial_statuses(layout: &Layout, study: &Study) -> Vec<RunStatus> {
    let open = study
        .trials
        .iter()
        .filter(|trials| trials.choice().is_none());
    let tried = open.flat_map(|trials| trials.tried.iter().map(move |tried| (trials, tried)));
    let runs = tried.flat_map(|(trials, tried)| {
        let values = trials.in_words(tried);
        let words = match tried.arm_name() {
            "" => format!("[select] {values}"),
            arm => format!("[select] arm={arm} {values}"),
        };
        tried.runs.iter().map(move |id| (id, words.clone()))
    });
    let status = |(id, label): (&String, String)| RunStatus {
        id: id.clone(),
        label,
        stage: stage(layout, id, &[]),
    };
    runs.map(status).collect()
}

/// The teachers that are not evaluated yet; `trained` is where teachers are trained.
pub fn teacher_statuses(layout: &Layout, trained: &Layout, study: &Study) -> Vec<TeacherStatus> {
    let cells = study.cells.iter();
    let evaluations: BTreeSet<(&String, &String)> = cells
        .map(|cell| (&cell.teacher, &cell.teacher_evaluation))
        .collect();
    let open = evaluations
        .into_iter()
        .filter(|(key, evaluation)| !has_evaluation(&layout.teacher(key), evaluation));
    let keys: BTreeSet<&String> = open.map(|(key, _)| key).collect();
    let status = |key: &String| TeacherStatus {
        key: key.clone(),
        owner: Lock::look(&trained.work(key).join(LOCK)),
        step: read_in_work(trained, key).map_or(0, |found| found.step()),
    };
    keys.into_iter().map(status).collect()
}

fn label(study: &Study, cell: &Cell) -> String {
    let axes = study.axes.iter();
    let parts = axes.filter_map(|axis| Some(format!("{}={}", axis.key, cell.at.get(&axis.key)?)));
    parts.collect::<Vec<_>>().join(" ")
}

fn stage(layout: &Layout, id: &str, cells: &[&Cell]) -> RunStage {
    let folder = layout.run(id);
    let is_measured = || {
        cells
            .iter()
            .all(|cell| has_evaluation(&folder, &cell.evaluation))
    };
    match run_state(layout, id) {
        Ok(RunState::Diverged(Failure { reason, .. })) => return RunStage::Diverged { reason },
        Ok(RunState::Published | RunState::WithoutWeights) if is_measured() => {
            return RunStage::Done;
        }
        Ok(RunState::Published) if read_error(layout, id).is_none() => return RunStage::Trained,
        _ => {}
    }
    if let Some(owner) = Lock::look(&layout.work(id).join(LOCK)) {
        let progress = progress(layout, id);
        return RunStage::Running { owner, progress };
    }
    match read_error(layout, id) {
        Some(error) => RunStage::Failed {
            error,
            log: read_log(layout, id),
        },
        None => RunStage::Open {
            progress: if is_begun(layout, id) {
                progress(layout, id)
            } else {
                RunProgress::default()
            },
        },
    }
}

fn progress(layout: &Layout, id: &str) -> RunProgress {
    let Some(found) = read_in_work(layout, id) else {
        return RunProgress::default();
    };
    let steps = found.spec.as_ref().map(|spec| spec.train.steps);
    let (_, of_one) = found.seconds();
    let left = steps
        .filter(|_| of_one > 0.0)
        .map(|steps| of_one * steps.saturating_sub(found.step()) as f64);
    RunProgress {
        step: found.step(),
        steps,
        left: left.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    }
}
