//! What lies in a results folder, read once: the study, its runs with their evaluations, the
//! teachers. A run that is missing, diverged or damaged is kept with its reason.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use rayon::prelude::*;

use super::blocks::with_blocks;
use super::curves::{Curves, curves_of, read_curves};
use crate::plan::run::RunSpec;
use crate::record::evaluation::{EmbeddingPoint, Evaluation, Speed, TextSample, TrainingCost};
use crate::record::layout::{Layout, RunFolder};
use crate::record::study::{Cell, Study};
use crate::record::{
    Depth, Failure, RunInWork, damage, metrics_table, read_embedding, read_error, read_evaluation,
    read_failure, read_in_work, read_machine, read_samples, read_spec, read_speed,
};
use crate::recorded::SECONDS;
use crate::table;

/// A study with all that is stored of it.
#[derive(Debug, Clone)]
pub struct StudyData {
    /// With teachers as blocks: what is compared.
    pub study: Study,
    /// As it is stored: what tables of runs show.
    pub written: Study,
    /// Each run with each evaluation that a cell names, in the order of first appearance.
    pub runs: Vec<RunData>,
    /// For every cell of the study, its place in `runs`.
    pub run_of_cell: Vec<usize>,
    /// Each teacher with each evaluation, in the order of first appearance.
    pub teachers: Vec<RunData>,
}

/// A run, or a teacher, with one evaluation of it.
#[derive(Debug, Clone)]
pub struct RunData {
    pub id: String,
    pub evaluation_key: String,
    pub folder: RunFolder,
    pub state: RunResult,
    /// Absent in a teacher and where there is no run.
    pub spec: Option<RunSpec>,
    /// Of an unfinished run, what it has recorded so far.
    pub curves: Curves,
    /// There exactly where `state` is `Finished`.
    pub evaluation: Option<Evaluation>,
    pub speed: Option<Speed>,
    /// Seconds of all training steps, where they are stored.
    pub training_seconds: Option<f64>,
    /// The kind of machine that computed it, where it is stored.
    pub machine: Option<String>,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunResult {
    /// Trained and evaluated.
    Finished,
    Diverged(Failure),
    /// A living process is training it.
    InWork(WorkSoFar),
    /// Not there, or not whole; in words.
    Missing(String),
}

/// How far an unfinished run has got.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkSoFar {
    /// Steps that are done.
    pub step: u64,
    /// Of so many; none for a moment at the beginning.
    pub steps: Option<u64>,
    /// Of the steps that are done.
    pub seconds: f64,
    /// Estimated, at the speed so far, once a step is done.
    pub seconds_left: Option<f64>,
    /// The process that is at it, in words; none where it was left.
    pub owner: Option<String>,
}

impl WorkSoFar {
    fn new(run: &RunInWork) -> Self {
        let (step, (seconds, each)) = (run.step(), run.seconds());
        let steps = run.spec.as_ref().map(|spec| spec.train.steps);
        let left = steps.map(|steps| steps.saturating_sub(step) as f64 * each);
        Self {
            step,
            steps,
            seconds,
            seconds_left: left.filter(|_| each > 0.0),
            owner: run.owner.clone(),
        }
    }

    /// `step 420 of 600`.
    pub fn in_words(&self) -> String {
        let of = self.steps.map(|steps| format!(" of {steps}"));
        format!("step {}{}", self.step, of.unwrap_or_default())
    }
}

impl RunResult {
    /// Whether there is a result.
    pub fn is_finished(&self) -> bool {
        match self {
            Self::Finished => true,
            Self::Diverged(_) | Self::InWork(_) | Self::Missing(_) => false,
        }
    }

    /// One word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Diverged(_) => "diverged",
            Self::InWork(_) => "in work",
            Self::Missing(_) => "missing",
        }
    }

    /// Why there is no result.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Finished => None,
            Self::Diverged(failure) => Some(format!("{} at step {}", failure.reason, failure.step)),
            Self::InWork(work) => Some(work.in_words()),
            Self::Missing(reason) => Some(reason.clone()),
        }
    }
}

/// How many runs ended in each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub finished: usize,
    pub diverged: usize,
    /// A living process trains them.
    pub in_work: usize,
    pub missing: usize,
}

impl Outcomes {
    /// Counts them.
    pub fn count<'a>(runs: impl Iterator<Item = &'a RunData>) -> Self {
        let mut outcomes = Self::default();
        for run in runs {
            match run.state {
                RunResult::Finished => outcomes.finished += 1,
                RunResult::Diverged(_) => outcomes.diverged += 1,
                RunResult::InWork(_) => outcomes.in_work += 1,
                RunResult::Missing(_) => outcomes.missing += 1,
            }
        }
        outcomes
    }
}

/// All counted operations of the training that made a model: student, teacher and critics.
pub fn training_flops(evaluation: &Evaluation) -> Option<f64> {
    evaluation.training.as_ref().map(TrainingCost::flops)
}

impl StudyData {
    /// Reads what is stored of a study. Nothing that is wrong with a run is an error.
    pub fn read(layout: &Layout, study: Study) -> Self {
        let (keys, run_of_cell) = distinct(&study.cells, |cell| {
            (cell.run.clone(), cell.evaluation.clone())
        });
        let (teacher_keys, _) = distinct(&study.cells, |cell| {
            (cell.teacher.clone(), cell.teacher_evaluation.clone())
        });
        let runs = keys
            .par_iter()
            .map(|(id, key)| RunData::read_run(layout, id, key))
            .collect();
        let teachers = teacher_keys
            .par_iter()
            .map(|(id, key)| RunData::read(layout.teacher(id), id, key, false))
            .collect();
        Self {
            study: with_blocks(&study),
            written: study,
            runs,
            run_of_cell,
            teachers,
        }
    }

    /// The run of a cell.
    pub fn run(&self, cell: usize) -> &RunData {
        &self.runs[self.run_of_cell[cell]]
    }
}

/// Distinct keys in the order of first appearance, and the place of each cell's key among them.
fn distinct(
    cells: &[Cell],
    key: impl Fn(&Cell) -> (String, String),
) -> (Vec<(String, String)>, Vec<usize>) {
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut keys = Vec::new();
    let places_of_cells = cells.iter().map(|cell| {
        *places.entry(key(cell)).or_insert_with_key(|key| {
            keys.push(key.clone());
            keys.len() - 1
        })
    });
    let places_of_cells = places_of_cells.collect();
    (keys, places_of_cells)
}

impl RunData {
    /// A run; of an unfinished one, what it has recorded so far.
    fn read_run(layout: &Layout, id: &str, key: &str) -> Self {
        let folder = layout.run(id);
        let read = || Self::read(layout.run(id), id, key, true);
        let mut data = read();
        if !folder.spec().exists() {
            match read_in_work(layout, id) {
                Some(run) => data.take_what_is_in_work(run),
                // It may have been published since.
                None if folder.spec().exists() => data = read(),
                None => {}
            }
        }
        if let (RunResult::Missing(reason), Some(error)) = (&mut data.state, read_error(layout, id))
        {
            *reason = format!("{reason}: {error}");
        }
        data
    }

    fn take_what_is_in_work(&mut self, run: RunInWork) {
        let work = WorkSoFar::new(&run);
        // A table of what is so far is never refused but for a name that no step records.
        self.curves = metrics_table(&run.metrics)
            .and_then(|table| curves_of(&table, work.steps))
            .unwrap_or_default();
        self.training_seconds = Some(work.seconds).filter(|_| work.step > 0);
        self.spec = run.spec;
        self.state = match work.owner {
            Some(_) => RunResult::InWork(work),
            None => RunResult::Missing(format!("left at {}", work.in_words())),
        };
    }

    /// Whether it has curves to show: it is finished, or on its way.
    pub fn has_curves(&self) -> bool {
        match self.state {
            RunResult::Finished => true,
            RunResult::Diverged(_) => false,
            RunResult::InWork(_) | RunResult::Missing(_) => !self.curves.is_empty(),
        }
    }

    fn read(folder: RunFolder, id: &str, key: &str, is_run: bool) -> Self {
        let mut data = Self {
            id: id.to_owned(),
            evaluation_key: key.to_owned(),
            folder,
            state: RunResult::Finished,
            spec: None,
            curves: Curves::new(),
            evaluation: None,
            speed: None,
            training_seconds: None,
            machine: None,
        };
        data.state = data
            .read_results(is_run)
            .unwrap_or_else(|error| RunResult::Missing(format!("damaged: {error:#}")));
        if !data.state.is_finished() {
            data.evaluation = None;
        }
        data
    }

    /// Reads what is stored, and says how the run ended.
    fn read_results(&mut self, is_run: bool) -> Result<RunResult> {
        let folder = self.folder.clone();
        let evaluation = folder.evaluation(&self.evaluation_key);
        for part in [&folder.root, &evaluation.root] {
            if let Some(mismatch) = damage(part, Depth::Records)? {
                bail!("{mismatch}; the next `kdpipe run` makes it again");
            }
        }
        if is_run {
            if !folder.spec().exists() {
                return Ok(RunResult::Missing("not begun".to_owned()));
            }
            self.spec = Some(read_spec(&folder)?);
            self.curves = read_curves(&folder.metrics())?;
            if let Some(failure) = read_failure(&folder)? {
                return Ok(RunResult::Diverged(failure));
            }
        } else if folder.metrics().exists() {
            self.curves = read_curves(&folder.metrics())?;
        }
        if !evaluation.evaluation().exists() {
            let reason = if is_run {
                "trained, but not evaluated"
            } else {
                "not evaluated"
            };
            return Ok(RunResult::Missing(reason.to_owned()));
        }
        self.evaluation = Some(read_evaluation(&evaluation)?);
        self.speed = read_speed(&evaluation)?;
        self.training_seconds = read_seconds(&folder.timings());
        self.machine = read_machine(&folder.events());
        Ok(RunResult::Finished)
    }

    /// Samples of text; none where none are stored.
    ///
    /// # Errors
    /// A damaged file.
    pub fn samples(&self) -> Result<Vec<TextSample>> {
        read_samples(&self.folder.evaluation(&self.evaluation_key))
    }

    /// The t-SNE; none where none is stored.
    ///
    /// # Errors
    /// A damaged file.
    pub fn embedding(&self) -> Result<Vec<EmbeddingPoint>> {
        read_embedding(&self.folder.evaluation(&self.evaluation_key))
    }

    /// Test NLL in nats per token.
    pub fn nll(&self) -> Option<f64> {
        self.evaluation
            .as_ref()
            .map(|evaluation| evaluation.test.nll_nats_per_token)
    }

    /// Test NLL; `worst` of a run that diverged.
    pub fn nll_or_worst(&self, worst: f64) -> Option<f64> {
        match self.state {
            RunResult::Finished => self.nll(),
            RunResult::Diverged(_) => Some(worst),
            RunResult::InWork(_) | RunResult::Missing(_) => None,
        }
    }
}

/// The sum of all steps' seconds; times are extras, so whatever is wrong with the file, there are
/// none.
fn read_seconds(path: &Path) -> Option<f64> {
    if !path.exists() {
        return None;
    }
    let table = table::read(path).ok()?;
    Some(table.sparse(SECONDS).ok()?.iter().flatten().sum())
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
