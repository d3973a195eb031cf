//! Finished runs: what is there, and what is left to do.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::layout::{self, Layout, RunFolder};
use super::publish::publish_files;
use super::store::read_json;
use crate::files::{self, Mismatch};
use crate::plan::run::RunSpec;

/// More than the metrics of any training take.
pub const METRICS_LIMIT: u64 = 1 << 30;
/// More than the spec of any run takes.
const SPEC_LIMIT: u64 = 16 << 20;

/// `failure.json`: why a run diverged. The same run always fails in the same way, so nothing of an
/// interruption is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// In words.
    pub reason: String,
    /// The step, counted from 0, that could not be taken.
    pub step: u64,
    /// The term that was not finite, where it was one.
    pub term: Option<String>,
}

/// What there is of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    /// Nothing that is whole: never begun, unfinished, or published with files that are missing
    /// since.
    Absent,
    /// Published, every file in its place.
    Published,
    /// Published, and nothing but weights is missing since: they were deleted, not copied, or left
    /// behind by Git LFS. What was measured with them stands.
    WithoutWeights,
    /// Published as one that diverged: it is not tried again.
    Diverged(Failure),
}

/// Tells what is left to do for a run.
///
/// # Errors
/// A `failure.json` that is damaged.
pub fn run_state(layout: &Layout, id: &str) -> Result<RunState> {
    let folder = layout.run(id);
    let Ok(missing) = files::missing_files(&folder.root) else {
        return Ok(RunState::Absent);
    };
    let are_gone = |file: &PathBuf| {
        let path = folder.root.join(file);
        is_weights(file) && (!path.exists() || files::is_lfs_pointer(&path))
    };
    if !missing.iter().all(are_gone) {
        return Ok(RunState::Absent);
    }
    Ok(match read_failure(&folder)? {
        Some(failure) => RunState::Diverged(failure),
        None if missing.is_empty() => RunState::Published,
        None => RunState::WithoutWeights,
    })
}

/// Whether every file of a run's `checksums.toml` is there at its length. Nothing is hashed.
pub fn is_complete(folder: &RunFolder) -> bool {
    files::missing_files(&folder.root).is_ok_and(|missing| missing.is_empty())
}

/// Whether a file holds weights, which a finished folder can do without.
pub fn is_weights(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending == "safetensors")
}

/// How much of a finished folder is held against its checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All but weights: quick.
    Records,
    /// Weights, too: before they are used.
    Weights,
}

/// The first file of a finished folder that is not what was written. Files that are not there are
/// no damage: they are made again. Nothing where the folder has no checksums.
///
/// # Errors
/// A file that cannot be read.
pub fn damage(folder: &Path, depth: Depth) -> Result<Option<Mismatch>> {
    let Ok(checksums) = files::read_checksums(folder) else {
        return Ok(None);
    };
    let found = files::compare_some(folder, checksums, |file| {
        depth == Depth::Weights || !is_weights(Path::new(file))
    })?;
    Ok(found
        .into_iter()
        .find(|mismatch| !matches!(mismatch, Mismatch::Missing { .. })))
}

/// Sets a finished folder with [`damage`] aside, so that it is made again, and says so in a line.
///
/// # Errors
/// Anything the disk refuses.
pub fn set_damaged_aside(folder: &Path, depth: Depth) -> Result<Option<String>> {
    let Some(mismatch) = damage(folder, depth)? else {
        return Ok(None);
    };
    let reason = format!("{}: {mismatch}", folder.display());
    match files::set_aside(folder, &reason) {
        Ok(aside) => Ok(Some(format!(
            "{reason}; it is set aside as {} and made again",
            aside.display()
        ))),
        // Another process was faster.
        Err(_) if !folder.exists() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a trained teacher's metrics, which lie in the cache with its weights, beside the study. A
/// teacher of the same key that ended otherwise, on another machine, is set aside with its
/// evaluations; the answer is where it went.
///
/// # Errors
/// Anything the disk refuses.
pub fn publish_teacher(folder: &RunFolder, metrics: &[u8]) -> Result<Option<PathBuf>> {
    let stored = folder.metrics();
    let differs = stored.exists() && files::read_limited(&stored, METRICS_LIMIT)? != metrics;
    let aside = differs
        .then(|| {
            files::set_aside(
                &folder.root,
                "the teacher was trained again, and ended otherwise",
            )
        })
        .transpose()?;
    publish_files(&folder.root, &[(layout::METRICS, metrics)])?;
    Ok(aside)
}

/// Reads the spec of a run, which may be unfinished.
///
/// # Errors
/// A file that cannot be read, or is no spec of this version.
pub fn read_spec(folder: &RunFolder) -> Result<RunSpec> {
    let path = folder.spec();
    let text = files::read_text(&path, SPEC_LIMIT)?;
    toml::from_str(&text).with_context(|| format!("{} is no spec of this version", path.display()))
}

/// Reads `failure.json`, where there is one.
///
/// # Errors
/// A file that is damaged.
pub fn read_failure(folder: &RunFolder) -> Result<Option<Failure>> {
    let path = folder.failure();
    if path.exists() {
        read_json(&path).map(Some)
    } else {
        Ok(None)
    }
}
