//! Where everything lies below a results folder: the only place that knows file names.

use std::path::{Path, PathBuf};

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

    /// Folder of an unfinished run; attempts lie below it.
    pub fn work(&self, id: &str) -> PathBuf {
        self.root.join("work").join(id)
    }

    pub fn teacher(&self, key: &str) -> RunFolder {
        RunFolder {
            root: self.root.join("teachers").join(key),
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
        self.root.join("spec.toml")
    }

    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.parquet")
    }

    pub fn student(&self) -> PathBuf {
        self.root.join("student")
    }

    /// Present in a run that diverged.
    pub fn failure(&self) -> PathBuf {
        self.root.join("failure.json")
    }

    pub fn timings(&self) -> PathBuf {
        self.root.join("timings.parquet")
    }

    pub fn events(&self) -> PathBuf {
        self.root.join("events.jsonl")
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
        self.root.join("eval.json")
    }

    pub fn speed(&self) -> PathBuf {
        self.root.join("speed.json")
    }

    pub fn embedding(&self) -> PathBuf {
        self.root.join("embedding.parquet")
    }

    pub fn samples(&self) -> PathBuf {
        self.root.join("samples.json")
    }
}
