//! Where a run stands.

use anyhow::Result;

use super::failure::{Failure, read_failure};
use super::layout::Layout;
use crate::files::CHECKSUMS;

/// Whether a run needs work.
#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    /// Not published: never begun, or unfinished.
    Absent,
    /// Published with a student.
    Published,
    /// Published as diverged.
    Diverged(Failure),
}

/// Looks at `runs/<id>`. A folder appears there whole, so that it exists is enough.
///
/// # Errors
/// A failure that cannot be read.
pub fn run_state(layout: &Layout, id: &str) -> Result<RunState> {
    let run = layout.run(id);
    if !run.root.join(CHECKSUMS).is_file() {
        return Ok(RunState::Absent);
    }
    Ok(read_failure(&run.failure())?.map_or(RunState::Published, RunState::Diverged))
}
