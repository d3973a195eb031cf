//! `failure.json`: why a run that diverged has no student.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A run that ended at a number that is not finite. It is deterministic, so it is published and not tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Which value was not finite, and what it was.
    pub reason: String,
    /// The step, from 0.
    pub step: u64,
}

/// Reads the failure of a run's folder; none where it has a student.
///
/// # Errors
/// A file that is there and broken.
pub fn read_failure(path: &Path) -> Result<Option<Failure>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).with_context(|| format!("{} is broken", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
