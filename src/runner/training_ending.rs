//! How a training ended.

use crate::record::TakenOver;

/// How a training ended.
#[derive(Debug)]
pub(super) enum TrainingEnding {
    /// It is published, now or before.
    Published,
    /// It was published as diverged, now; its last checkpoint was after `last_good` steps.
    Diverged {
        reason: String,
        step: u64,
        last_good: Option<u64>,
    },
    /// Another process is at it; in words.
    HeldBy(String),
    /// A machine of another kind has to go on with it; in words.
    OfAnotherMachine(String),
    /// Stopped by the user; saved.
    Interrupted,
    /// To be tried again.
    Failed(String),
}

/// What an error makes of a training. One that another process took over is no failure: it goes on
/// there.
pub(super) fn ending_of_error(error: &anyhow::Error) -> TrainingEnding {
    match error.downcast_ref::<TakenOver>() {
        Some(taken_over) => TrainingEnding::HeldBy(taken_over.to_string()),
        None => TrainingEnding::Failed(format!("{error:#}")),
    }
}
