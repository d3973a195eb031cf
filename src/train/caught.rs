//! A panic costs the run that it happened in, and no other.
//!
//! What a user can get wrong is an error long before; a panic is a defect of the program. The grid
//! goes on without the run, which is reported as what it is and tried again the next time.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, anyhow};

/// Does the work; a panic in it is an error that says so. Whatever the work had in hand is not used
/// again.
///
/// # Errors
/// What the work returns, and its panic.
pub fn caught<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(defect(&*panic)))
}

fn defect(panic: &(dyn Any + Send)) -> anyhow::Error {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    anyhow!(
        "a defect of kdpipe and not of your study ({}); please report it",
        text.unwrap_or("a panic without words")
    )
}

#[cfg(test)]
#[path = "caught_tests.rs"]
mod tests;
