//! Where everything lies below a results folder: the only place that knows the names of what a run
//! and its evaluations are stored as. Tables and forms of a report are named by `report`; journals,
//! locks and notes of an unfinished run by the files that write them.

use std::path::{Path, PathBuf};

/// Files of a run.
pub const SPEC: &str = "spec.toml";
pub const METRICS: &str = "metrics.parquet";
pub const TIMINGS: &str = "timings.parquet";
pub const EVENTS: &str = "events.jsonl";
pub const FAILURE: &str = "failure.json";
/// The folder of a run's student.
pub const STUDENT: &str = "student";

/// Files of an evaluation.
pub const EVALUATION: &str = "eval.json";
pub const SPEED: &str = "speed.json";
pub const SAMPLES: &str = "samples.json";
pub const SAMPLES_TEXT: &str = "samples.md";
pub const EMBEDDING: &str = "embedding.parquet";

/// Folders of an attempt at a run: what becomes the finished run, and saved states.
pub const OUT: &str = "out";
pub const CHECKPOINTS: &str = "checkpoints";

/// The heading, in a student's card, of how the student is loaded. Whoever hands the student on
/// puts results before it.
pub const LOADING_HEADING: &str = "## How to load it";

/// The folder of one study, `results/<name>`.
#[derive(Debug, Clone)]
pub struct Layout {
    pub root: PathBuf,
}

impl Layout {
    pub fn new(results: &Path, name: &str) -> Self {
        Self {
            root: results.join(name),
        }
    }

    pub fn report(&self) -> PathBuf {
        self.root.join("report.md")
    }

    pub fn figures(&self) -> PathBuf {
        self.root.join("figures")
    }

    pub fn lock(&self) -> PathBuf {
        self.root.join("lock.toml")
    }

    /// Scripts, logs and the frozen spec of a study that was submitted to Slurm.
    pub fn slurm(&self) -> PathBuf {
        self.root.join("slurm")
    }

    pub fn jobs(&self) -> PathBuf {
        self.slurm().join("jobs.toml")
    }

    pub fn frozen(&self) -> PathBuf {
        self.slurm().join("frozen.toml")
    }

    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    pub fn run(&self, id: &str) -> RunFolder {
        RunFolder {
            root: self.runs().join(id),
        }
    }

    /// Event files for TensorBoard, a folder per run: beside the results, and no part of them.
    pub fn tensorboard(&self) -> PathBuf {
        self.root.join("tensorboard")
    }

    /// The folder of all unfinished runs.
    pub fn all_work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Folder of an unfinished run; attempts lie below it.
    pub fn work(&self, id: &str) -> PathBuf {
        self.all_work().join(id)
    }

    pub fn teachers(&self) -> PathBuf {
        self.root.join("teachers")
    }

    pub fn teacher(&self, key: &str) -> RunFolder {
        RunFolder {
            root: self.teachers().join(key),
        }
    }
}

/// A finished run, or a teacher, which has the metrics and evaluations alone.
#[derive(Debug, Clone)]
pub struct RunFolder {
    pub root: PathBuf,
}

impl RunFolder {
    pub fn spec(&self) -> PathBuf {
        self.root.join(SPEC)
    }

    pub fn metrics(&self) -> PathBuf {
        self.root.join(METRICS)
    }

    pub fn student(&self) -> PathBuf {
        self.root.join(STUDENT)
    }

    /// Present in a run that diverged.
    pub fn failure(&self) -> PathBuf {
        self.root.join(FAILURE)
    }

    pub fn timings(&self) -> PathBuf {
        self.root.join(TIMINGS)
    }

    pub fn events(&self) -> PathBuf {
        self.root.join(EVENTS)
    }

    /// The folder of all evaluations.
    pub fn evaluations(&self) -> PathBuf {
        self.root.join("evals")
    }

    pub fn evaluation(&self, key: &str) -> EvaluationFolder {
        EvaluationFolder {
            root: self.evaluations().join(key),
        }
    }
}

#[derive(Debug, Clone)]
pub struct EvaluationFolder {
    pub root: PathBuf,
}

impl EvaluationFolder {
    pub fn evaluation(&self) -> PathBuf {
        self.root.join(EVALUATION)
    }

    pub fn speed(&self) -> PathBuf {
        self.root.join(SPEED)
    }

    pub fn embedding(&self) -> PathBuf {
        self.root.join(EMBEDDING)
    }

    pub fn samples(&self) -> PathBuf {
        self.root.join(SAMPLES)
    }
}
