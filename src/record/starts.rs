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

/// Counts a start from a step, and tells how many there were before it. A damaged count begins
/// anew.
pub(super) fn count(work: &Path, step: u64) -> Result<u32> {
    let path = work.join(STARTS);
    let known = path.exists().then(|| read_toml::<Starts>(&path).ok());
    let before = known
        .flatten()
        .filter(|known| known.step == step)
        .map_or(0, |known| known.starts);
    if before <= MOST_RESTARTS {
        let starts = Starts {
            step,
            starts: before + 1,
        };
        let text = toml::to_string(&starts).context("starts cannot be written as TOML")?;
        files::write_atomically(&path, text.as_bytes())?;
    }
    Ok(before)
}

/// Forgets the count.
pub(super) fn forget(work: &Path) -> Result<()> {
    let path = work.join(STARTS);
    if path.exists() {
        files::remove_file(&path)?;
    }
    Ok(())
}
