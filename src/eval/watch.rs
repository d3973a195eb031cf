//! Whoever waits for an evaluation: hears how far it is, and may stop it.

use std::fmt;

use anyhow::Result;

/// Hears how far an evaluation is, from any thread.
pub trait EvaluationWatch: Sync {
    /// There are so many operations to do, beside what was expected before.
    fn expect(&self, operations: f64);

    /// So many more of them are done.
    fn advance(&self, operations: f64);

    /// Whether nobody waits any more.
    fn is_stopped(&self) -> bool;
}

/// Hears nothing, and never stops.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl EvaluationWatch for Unwatched {
    fn expect(&self, _: f64) {}

    fn advance(&self, _: f64) {}

    fn is_stopped(&self) -> bool {
        false
    }
}

/// The evaluation was stopped before its end; nothing came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationStopped;

impl fmt::Display for EvaluationStopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the evaluation was stopped")
    }
}

impl std::error::Error for EvaluationStopped {}

/// Says what is done, and looks whether to go on.
///
/// # Errors
/// [`EvaluationStopped`].
pub fn go_on(watch: &dyn EvaluationWatch, operations: f64) -> Result<()> {
    watch.advance(operations);
    if watch.is_stopped() {
        Err(EvaluationStopped.into())
    } else {
        Ok(())
    }
}
