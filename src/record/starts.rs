//! How often an unfinished run was started from the same step: one that ends again and again before
//! it can save a later one (for want of memory or of time) would be started by a batch system
//! without end.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::store::read_toml;
use crate::files;

const STARTS: &str = "starts.toml";

/// How often a run is started again from one step before it is given up.
pub const MOST_RESTARTS: u32 = 3;

/// The content of `starts.toml`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Starts {
    step: u64,
    starts: u32,
}

fn read(path: &Path) -> Option<Starts> {
    let known = path.exists().then(|| read_toml::<Starts>(path).ok());
    known.flatten()
}

fn write(path: &Path, starts: &Starts) -> Result<()> {
    let text = toml::to_string(starts).context("starts cannot be written as TOML")?;
    files::write_atomically(path, text.as_bytes())
}

/// Counts a start from a step, and tells how many there were before it. A damaged count begins
/// anew.
pub(super) fn count(work: &Path, step: u64) -> Result<u32> {
    let path = work.join(STARTS);
    let before = read(&path)
        .filter(|known| known.step == step)
        .map_or(0, |known| known.starts);
    if before <= MOST_RESTARTS {
        let starts = before + 1;
        write(&path, &Starts { step, starts })?;
    }
    Ok(before)
}

/// Takes the last start back.
pub(super) fn take_back(work: &Path) -> Result<()> {
    let path = work.join(STARTS);
    match read(&path) {
        Some(Starts { step, starts }) if starts > 0 => {
            let starts = starts - 1;
            write(&path, &Starts { step, starts })
        }
        _ => Ok(()),
    }
}

/// Forgets the count.
pub(super) fn forget(work: &Path) -> Result<()> {
    let path = work.join(STARTS);
    if path.exists() {
        files::remove_file(&path)?;
    }
    Ok(())
}
