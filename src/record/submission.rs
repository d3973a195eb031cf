//! `slurm/jobs.toml`: the jobs that a study was submitted as, so that the same command again finds
//! them, and `status` can ask for them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::store::read_toml;
use crate::files;

/// The content of `jobs.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// What the names of its jobs begin with.
    pub name: String,
    /// Workers that were asked for.
    pub workers: usize,
    /// What `sbatch` was given beside the scripts.
    pub arguments: Vec<String>,
    /// Flags that every job gets.
    pub flags: Vec<String>,
    /// Tokenized texts and trained teachers.
    pub cache: PathBuf,
    /// How often workers were submitted, the first time included.
    pub rounds: u32,
    /// The jobs of the last round.
    pub jobs: Vec<SubmittedJob>,
}

/// A job of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmittedJob {
    /// "prepare", "workers" or "finish".
    pub stage: String,
    /// Its number.
    pub id: String,
}

impl Submission {
    /// The number of the job of a stage.
    pub fn job(&self, stage: &str) -> Option<&str> {
        let job = self.jobs.iter().find(|job| job.stage == stage)?;
        Some(&job.id)
    }

    /// The numbers of all its jobs.
    pub fn ids(&self) -> Vec<&str> {
        self.jobs.iter().map(|job| job.id.as_str()).collect()
    }
}

/// How a study was submitted; none where it was not.
///
/// # Errors
/// A file that is damaged.
pub fn read_submission(layout: &Layout) -> Result<Option<Submission>> {
    let path = layout.jobs();
    path.exists().then(|| read_toml(&path)).transpose()
}

/// Keeps how a study was submitted.
///
/// # Errors
/// Anything the disk refuses.
pub fn write_submission(layout: &Layout, submission: &Submission) -> Result<()> {
    let text = toml::to_string(submission).context("jobs cannot be written as TOML")?;
    files::write_atomically(&layout.jobs(), text.as_bytes())
}
