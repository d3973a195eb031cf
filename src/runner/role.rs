//! What part of a study's work a process does, where several are at it.

use anyhow::{Result, bail};

use crate::record::{Attempt, MOST_RESTARTS};

/// What a process does for the study that it is started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// All of it that is free; what others hold is left to them, and told.
    #[default]
    Whole,
    /// All that is free, until nothing is; what others hold is as good as done.
    Worker,
    /// All that is free, and waits for what others hold: whatever they leave it takes over.
    Finisher,
    /// A worker at what `[select]` tries, which decides what it does next: it waits for what others
    /// hold, and leaves to them what they alone can go on with.
    WaitingWorker,
    /// Texts and teachers, and no run.
    Preparer,
}

impl Role {
    /// Whether a run that was started again and again without a new step is given up: nobody looks
    /// on, and a batch system starts it again without end.
    pub(super) fn gives_up(self) -> bool {
        matches!(self, Self::Worker | Self::Finisher | Self::WaitingWorker)
    }

    /// Whether it waits for what others hold, so that it has not done its part while they hold any.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::Finisher | Self::WaitingWorker)
    }

    /// Whether what cannot be gone on with here, as it was begun on a machine of another kind, is
    /// left to others.
    pub(super) fn leaves_to_others(self) -> bool {
        matches!(self, Self::Worker | Self::WaitingWorker)
    }

    /// Whether it is one of many, so that it looks whether there is something for it to do before
    /// it reads what that needs.
    pub(super) fn looks_first(self) -> bool {
        matches!(self, Self::Worker | Self::Finisher | Self::WaitingWorker)
    }
}

/// Gives up a run that was started from the same step again and again, where nobody looks on.
///
/// # Errors
/// That it is given up; anything the disk refuses.
pub(super) fn refuse_restarts(id: &str, attempt: &Attempt, step: u64, role: Role) -> Result<()> {
    if !role.gives_up() {
        return attempt.forget_starts();
    }
    let before = attempt.count_start(step)?;
    if before > MOST_RESTARTS {
        bail!(
            "{id} was started {before} times from step {step} and never came to save a later one, \
             as with too little memory or time for it; give it more, and start the study again \
             with `kdpipe submit` or `kdpipe run`, without --worker or --wait"
        );
    }
    Ok(())
}
