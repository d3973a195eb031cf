//! What lies in a results folder, read once: the study, its runs with their evaluations, the
//! teachers. A run that is missing, diverged or damaged is kept with its reason.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use crate::files;
use crate::plan::run::RunSpec;
use crate::record::evaluation::{EmbeddingPoint, Evaluation, Speed, TextSample};
use crate::record::layout::{Layout, RunFolder};
use crate::record::study::{Cell, Study};
use crate::record::{
    Depth, Failure, damage, read_embedding, read_evaluation, read_failure, read_samples,
    read_speed, read_study,
};
use crate::table;

/// Points that a curve is thinned to: means over so many equal stretches of the training.
const STRETCHES: u64 = 150;
/// The most that a run's `spec.toml` may hold.
const SPEC_LIMIT: u64 = 1 << 20;

/// A study with all that is stored of it.
#[derive(Debug, Clone)]
pub struct StudyData {
    pub study: Study,
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
    pub curves: Curves,
    /// There exactly where `state` is `Finished`.
    pub evaluation: Option<Evaluation>,
    pub speed: Option<Speed>,
    /// Seconds of all training steps, where they are stored.
    pub training_seconds: Option<f64>,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunResult {
    /// Trained and evaluated.
    Finished,
    Diverged(Failure),
    /// Not there, or not whole; in words.
    Missing(String),
}

/// The values of a run by name, as (step, value); dense ones thinned to means over stretches, of
/// which the step is the middle.
pub type Curves = BTreeMap<String, Vec<(f64, f64)>>;

impl StudyData {
    /// Reads the study.
    ///
    /// # Errors
    /// A `lock.toml` that is missing or damaged. Nothing that is wrong with a run is an error.
    pub fn read(layout: &Layout) -> Result<Self> {
        let study = read_study(layout)?;
        let (keys, run_of_cell) = distinct(&study.cells, |cell| {
            (cell.run.clone(), cell.evaluation.clone())
        });
        let (teacher_keys, _) = distinct(&study.cells, |cell| {
            (cell.teacher.clone(), cell.teacher_evaluation.clone())
        });
        let runs = keys
            .par_iter()
            .map(|(id, key)| RunData::read(layout.run(id), id, key, true))
            .collect();
        let teachers = teacher_keys
            .par_iter()
            .map(|(id, key)| RunData::read(layout.teacher(id), id, key, false))
            .collect();
        Ok(Self {
            study,
            runs,
            run_of_cell,
            teachers,
        })
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
        };
        data.state = data
            .fill(is_run)
            .unwrap_or_else(|error| RunResult::Missing(format!("damaged: {error:#}")));
        if data.state != RunResult::Finished {
            data.evaluation = None;
        }
        data
    }

    fn fill(&mut self, is_run: bool) -> Result<RunResult> {
        let folder = self.folder.clone();
        let evaluation = folder.evaluation(&self.evaluation_key);
        for part in [&folder.root, &evaluation.root] {
            if let Some(mismatch) = damage(part, Depth::Records)? {
                bail!("{mismatch}; the next `kdpipe run` makes it again");
            }
        }
        if is_run {
            if !folder.spec().exists() {
                return Ok(RunResult::Missing("not finished".to_owned()));
            }
            self.spec = Some(read_spec(&folder.spec())?);
            self.curves = read_curves(&folder.metrics())?;
            if let Some(failure) = read_failure(&folder)? {
                return Ok(RunResult::Diverged(failure));
            }
        } else if folder.metrics().exists() {
            self.curves = read_curves(&folder.metrics())?;
        }
        if !evaluation.evaluation().exists() {
            return Ok(RunResult::Missing(
                if is_run {
                    "trained, but not evaluated"
                } else {
                    "not evaluated"
                }
                .to_owned(),
            ));
        }
        self.evaluation = Some(read_evaluation(&evaluation)?);
        self.speed = read_speed(&evaluation)?;
        self.training_seconds = read_seconds(&folder.timings());
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
}

fn read_spec(path: &Path) -> Result<RunSpec> {
    toml::from_str(&files::read_text(path, SPEC_LIMIT)?)
        .with_context(|| format!("{} is damaged", path.display()))
}

/// Reads `metrics.parquet` column by column; values that are absent or not finite are left out.
fn read_curves(path: &Path) -> Result<Curves> {
    let table = table::read(path)?;
    let steps = table
        .u64("step")
        .with_context(|| format!("{} is not a table of metrics", path.display()))?;
    let length = steps
        .last()
        .map_or(1, |last| last + 1)
        .div_ceil(STRETCHES)
        .max(1);
    let mut curves = Curves::new();
    for name in table.names().filter(|&name| name != "step") {
        let values = table
            .sparse(name)
            .with_context(|| format!("{} is not a table of metrics", path.display()))?;
        let present = steps
            .iter()
            .zip(values.iter())
            .filter_map(|(&step, value)| {
                value.filter(|v| v.is_finite()).map(|value| (step, value))
            });
        // What is measured at times stays as it is.
        let curve = if name.starts_with("validation.") {
            present.map(|(step, value)| (step as f64, value)).collect()
        } else {
            thin(present, length)
        };
        if !curve.is_empty() {
            curves.insert(name.to_owned(), curve);
        }
    }
    Ok(curves)
}

/// Means over stretches of `length` steps; the step of a mean is the middle of its stretch.
fn thin(values: impl Iterator<Item = (u64, f64)>, length: u64) -> Vec<(f64, f64)> {
    let mut thinned: Vec<(f64, f64)> = Vec::new();
    let (mut stretch, mut sum, mut count) = (0, 0.0, 0u64);
    let mut close = |stretch: u64, sum: f64, count: u64| {
        if count > 0 {
            thinned.push((
                (stretch * length) as f64 + (length - 1) as f64 / 2.0,
                sum / count as f64,
            ));
        }
    };
    for (step, value) in values {
        if step / length != stretch {
            close(stretch, sum, count);
            (stretch, sum, count) = (step / length, 0.0, 0);
        }
        sum += value;
        count += 1;
    }
    close(stretch, sum, count);
    thinned
}

/// The sum of all steps' seconds; times are extras, so whatever is wrong with the file, there are
/// none.
fn read_seconds(path: &Path) -> Option<f64> {
    if !path.exists() {
        return None;
    }
    let table = table::read(path).ok()?;
    Some(table.sparse("seconds").ok()?.iter().flatten().sum())
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
