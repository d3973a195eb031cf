//! What an unfinished run has recorded so far, for a process that only looks.
//!
//! Whoever trains the run may be writing at the same moment. So nothing here takes a lock or
//! changes a file: a journal is read up to its last whole row, and a folder that goes away while it
//! is read, because the run was published or taken over, is looked for again.

use std::path::{Path, PathBuf};

use super::attempt::{METRICS, TIMINGS};
use super::checkpoint;
use super::journal::rows_so_far;
use super::layout::{CHECKPOINTS, Layout, OUT, RunFolder};
use super::metrics::MetricsRow;
use super::runs::read_spec;
use super::work::{LOCK, folders};
use crate::files::Lock;
use crate::plan::run::RunSpec;
use crate::recorded::SECONDS;

/// How often a folder that goes away is looked for again.
const LOOKS: usize = 5;

/// An unfinished run as it is at this moment.
#[derive(Debug, Clone)]
pub struct RunInWork {
    /// The living process that is at it, in words; none where it was left.
    pub owner: Option<String>,
    /// What is trained; none for a moment at its beginning.
    pub spec: Option<RunSpec>,
    /// The values of the steps so far.
    pub metrics: Vec<MetricsRow>,
    /// The times of the steps so far. They are extras: some may be lost.
    pub timings: Vec<MetricsRow>,
}

impl RunInWork {
    /// Steps that are done.
    pub fn step(&self) -> u64 {
        self.metrics.last().map_or(0, |(step, _)| step + 1)
    }

    /// Seconds of all steps so far, and of one on average.
    pub fn seconds(&self) -> (f64, f64) {
        let times: Vec<f64> = self
            .timings
            .iter()
            .filter_map(|(_, values)| values.get(SECONDS).copied())
            .filter(|seconds| seconds.is_finite())
            .collect();
        let sum: f64 = times.iter().sum();
        (sum, sum / times.len().max(1) as f64)
    }
}

/// What an unfinished run has recorded so far; none where no attempt at it is there.
pub fn read_in_work(layout: &Layout, id: &str) -> Option<RunInWork> {
    let work = layout.work(id);
    for _ in 0..LOOKS {
        let attempt = furthest(&work)?;
        let found = read(&work, &attempt);
        if attempt.exists() {
            return Some(found);
        }
    }
    None
}

/// The attempt that whoever is at it goes on with: the one that got furthest.
fn furthest(work: &Path) -> Option<PathBuf> {
    let attempts = folders(work).ok()?.into_iter().map(|path| {
        let saved = checkpoint::steps(&path.join(CHECKPOINTS));
        (saved.unwrap_or_default().last().copied(), path)
    });
    attempts.max().map(|(_, path)| path)
}

fn read(work: &Path, attempt: &Path) -> RunInWork {
    let out = RunFolder {
        root: attempt.join(OUT),
    };
    RunInWork {
        owner: Lock::living_owner(&work.join(LOCK)),
        spec: read_spec(&out).ok(),
        metrics: rows_so_far(&attempt.join(METRICS)),
        timings: rows_so_far(&attempt.join(TIMINGS)),
    }
}
