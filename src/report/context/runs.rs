//! What became of the runs, and how they were measured.

use serde::Serialize;

use super::teacher_names::named_teachers;
use crate::record::evaluation::Protocol;
use crate::report::curves::VALIDATION;
use crate::report::data::{Outcomes, RunData, RunResult, StudyData};

/// How many cells and distinct runs there are, and how the runs ended.
#[derive(Debug, Clone, Serialize)]
pub struct Counts {
    pub cells: usize,
    pub runs: usize,
    pub finished: usize,
    pub diverged: usize,
    pub in_work: usize,
    pub missing: usize,
}

impl Counts {
    /// Counts them.
    pub fn new(data: &StudyData) -> Self {
        let Outcomes {
            finished,
            diverged,
            in_work,
            missing,
        } = Outcomes::count(data.runs.iter());
        Self {
            cells: data.study.cells.len(),
            runs: data.runs.len(),
            finished,
            diverged,
            in_work,
            missing,
        }
    }
}

/// How losses were measured.
#[derive(Debug, Clone, Serialize)]
pub struct ProtocolFacts {
    pub context: usize,
    pub stride: usize,
    pub rows: String,
    pub detokenize: String,
    /// First digits of the hash of tokenizer.json.
    pub tokenizer: String,
    pub tokens: u64,
    pub scored_tokens: u64,
    pub words: u64,
    pub bytes: u64,
    pub documents: usize,
    /// Whether every run was measured so.
    pub is_shared: bool,
}

/// A run without a result.
#[derive(Debug, Clone, Serialize)]
pub struct FailedRun {
    pub run: String,
    /// The cells that it stands for, in words.
    pub cells: Vec<String>,
    pub state: String,
    pub reason: String,
}

/// A run that a living process is training.
#[derive(Debug, Clone, Serialize)]
pub struct RunInWorkFacts {
    pub run: String,
    /// The cells that it stands for, in words.
    pub cells: Vec<String>,
    pub step: u64,
    pub steps: Option<u64>,
    pub seconds: f64,
    pub seconds_left: Option<f64>,
    /// The last loss on the validation split, where it was looked at.
    pub validation: Option<f64>,
    pub owner: Option<String>,
}

/// The protocol of the first run that has one.
pub fn protocol(data: &StudyData) -> Option<ProtocolFacts> {
    let first = data.runs.iter().find_map(|run| run.evaluation.as_ref())?;
    let Protocol {
        context,
        stride,
        rows,
        detokenize,
        tokenizer,
        ..
    } = first.protocol.clone();
    let is_shared = data
        .runs
        .iter()
        .filter_map(|run| run.evaluation.as_ref())
        .all(|other| other.protocol == first.protocol);
    Some(ProtocolFacts {
        context,
        stride,
        rows,
        detokenize,
        tokenizer: tokenizer.chars().take(12).collect(),
        tokens: first.test.tokens,
        scored_tokens: first.test.scored_tokens,
        words: first.test.words,
        bytes: first.test.bytes,
        documents: first.test.documents.len(),
        is_shared,
    })
}

/// The runs that living processes are training.
pub fn in_work(data: &StudyData) -> Vec<RunInWorkFacts> {
    let runs = data.runs.iter().enumerate();
    runs.filter_map(|(place, run)| {
        let RunResult::InWork(work) = &run.state else {
            return None;
        };
        let last = run.curves.get(VALIDATION).and_then(|curve| curve.last());
        Some(RunInWorkFacts {
            run: run.id.clone(),
            cells: cells_of(data, place),
            step: work.step,
            steps: work.steps,
            seconds: work.seconds,
            seconds_left: work.seconds_left,
            validation: last.map(|point| point.1),
            owner: work.owner.clone(),
        })
    })
    .collect()
}

/// The cells that the run at a place stands for, in words.
fn cells_of(data: &StudyData, place: usize) -> Vec<String> {
    (0..data.study.cells.len())
        .filter(|&cell| data.run_of_cell[cell] == place)
        .map(|cell| in_words(data, cell))
        .collect()
}

/// The teachers and runs without a result, but for those that are in work.
pub fn failures(data: &StudyData) -> Vec<FailedRun> {
    let teachers =
        named_teachers(data).filter_map(|(name, teacher)| FailedRun::new(teacher, || vec![name]));
    // In the order of cells; the runs are those of the cells, in the order of first appearance.
    let runs = data
        .runs
        .iter()
        .enumerate()
        .filter(|(_, run)| !matches!(run.state, RunResult::InWork(_)))
        .filter_map(|(place, run)| FailedRun::new(run, || cells_of(data, place)));
    teachers.chain(runs).collect()
}

impl FailedRun {
    /// None of a run that has a result.
    fn new(run: &RunData, cells: impl FnOnce() -> Vec<String>) -> Option<Self> {
        Some(Self {
            run: run.id.clone(),
            reason: run.state.reason()?,
            cells: cells(),
            state: run.state.word().to_owned(),
        })
    }
}

/// A cell as `arm=mse seed=0`, the axes in the order of the spec.
fn in_words(data: &StudyData, cell: usize) -> String {
    let at = &data.study.cells[cell].at;
    let words: Vec<String> = data
        .study
        .axes
        .iter()
        .filter_map(|axis| {
            at.get(&axis.key)
                .map(|value| format!("{}={value}", axis.key))
        })
        .collect();
    words.join(" ")
}
