//! A results folder of closed-form numbers, for tests.

mod evaluations;
mod extras;
mod normals;
mod runs;
mod studies;

use std::fs;
use std::path::Path;

use crate::record::evaluation::Evaluation;
use crate::record::layout::Layout;
use crate::record::study::{Cell, Study};
use crate::record::{Failure, write_study};
use crate::table::to_parquet;

pub use normals::Normals;

pub const EVALUATION: &str = "e1";
pub const TEACHER: &str = "t1";
const STEPS: u64 = 400;

/// What a fixture consists of.
pub struct StudyShape {
    pub arms: Vec<&'static str>,
    pub strategies: Vec<&'static str>,
    pub layers: Vec<usize>,
    pub seeds: usize,
    /// Rows of the metrics; the fewer, the faster.
    pub steps: u64,
    /// Whether samples, embeddings, speeds and teachers are there.
    pub extras: bool,
}

impl Default for StudyShape {
    fn default() -> Self {
        Self {
            arms: vec!["mse", "wasserstein"],
            strategies: vec!["uniform", "last"],
            layers: vec![4],
            seeds: 3,
            steps: STEPS,
            extras: true,
        }
    }
}

/// A results folder that lives as long as this.
pub struct Fixture {
    _folder: tempfile::TempDir,
    pub layout: Layout,
    pub study: Study,
}

impl Fixture {
    pub fn new(shape: &StudyShape) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), "fixture");
        let study = studies::study(shape);
        fs::create_dir_all(&layout.root).unwrap();
        write_study(&layout, &study).unwrap();
        let fixture = Self {
            _folder: folder,
            layout,
            study,
        };
        for cell in &fixture.study.cells {
            if !fixture.layout.run(&cell.run).root.exists() {
                fixture.write_run(cell, shape);
            }
        }
        if shape.extras {
            fixture.write_teacher();
        }
        fixture
    }

    fn write_run(&self, cell: &Cell, shape: &StudyShape) {
        let run = self.layout.run(&cell.run);
        let evaluation = run.evaluation(&cell.evaluation);
        fs::create_dir_all(&evaluation.root).unwrap();
        fs::write(run.spec(), toml::to_string(&runs::spec(cell)).unwrap()).unwrap();
        let metrics = runs::metrics(cell, shape.steps);
        fs::write(run.metrics(), to_parquet(&metrics).unwrap()).unwrap();
        json(&evaluation.evaluation(), &evaluations::student(cell));
        if shape.extras {
            let arm = cell.at["arm"].as_str();
            json(&evaluation.speed(), &extras::student_speed());
            json(&evaluation.samples(), &extras::samples(arm));
            let embedding = to_parquet(&extras::embedding(arm, true)).unwrap();
            fs::write(evaluation.embedding(), embedding).unwrap();
            let timings = to_parquet(&extras::timings()).unwrap();
            fs::write(run.timings(), timings).unwrap();
        }
    }

    fn write_teacher(&self) {
        let evaluation = self.layout.teacher(TEACHER).evaluation(EVALUATION);
        fs::create_dir_all(&evaluation.root).unwrap();
        json(&evaluation.evaluation(), &evaluations::teacher());
        json(&evaluation.speed(), &extras::teacher_speed());
    }

    /// `wasserstein` against `mse`, whose losses differ by these numbers, seed by seed.
    pub fn of_differences(differences: &[f64]) -> Self {
        let fixture = Self::new(&StudyShape {
            strategies: vec!["uniform"],
            seeds: differences.len(),
            steps: 40,
            extras: false,
            ..StudyShape::default()
        });
        for cell in &fixture.study.cells {
            let seed: usize = cell.at["seed"].parse().unwrap();
            let is_other = cell.at["arm"] == "wasserstein";
            let more = if is_other { differences[seed] } else { 0.0 };
            fixture.reevaluate(&cell.run, |evaluation| {
                evaluation.test.nll_nats_per_token = 3.0 + 0.1 * seed as f64 + more;
            });
        }
        fixture
    }

    /// Writes the study again after a change.
    pub fn change(&mut self, change: impl FnOnce(&mut Study)) {
        change(&mut self.study);
        write_study(&self.layout, &self.study).unwrap();
    }

    /// Makes a run one that diverged.
    pub fn diverge(&self, run: &str) {
        let folder = self.layout.run(run);
        fs::remove_dir_all(folder.root.join("evals")).unwrap();
        json(
            &folder.failure(),
            &Failure {
                reason: "term.kl is NaN".to_owned(),
                step: 17,
                term: Some("kl".to_owned()),
            },
        );
    }

    /// Removes a run.
    pub fn remove(&self, run: &str) {
        fs::remove_dir_all(self.layout.run(run).root).unwrap();
    }

    /// Makes every picture one of a build that did not store what tokens stand for.
    pub fn forget_token_texts(&self) {
        for cell in &self.study.cells {
            let evaluation = self.layout.run(&cell.run).evaluation(&cell.evaluation);
            let table = extras::embedding(cell.at["arm"].as_str(), false);
            fs::write(evaluation.embedding(), to_parquet(&table).unwrap()).unwrap();
        }
    }

    /// Replaces a text in the spec of a run.
    pub fn change_spec(&self, run: &str, (from, to): (&str, &str)) {
        let path = self.layout.run(run).spec();
        let spec = fs::read_to_string(&path).unwrap();
        assert!(spec.contains(from), "{from} is not in\n{spec}");
        fs::write(&path, spec.replace(from, to)).unwrap();
    }

    /// Changes the evaluation of a run.
    pub fn reevaluate(&self, run: &str, change: impl FnOnce(&mut Evaluation)) {
        let path = self.layout.run(run).evaluation(EVALUATION).evaluation();
        let mut evaluation: Evaluation = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut evaluation);
        json(&path, &evaluation);
    }
}

fn json<T: serde::Serialize>(path: &Path, value: &T) {
    fs::write(path, serde_json::to_vec(value).unwrap()).unwrap();
}
