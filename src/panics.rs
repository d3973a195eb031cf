//! A panic as an error, wherever one must not end the program.
//!
//! What a user can get wrong is an error long before; a panic is a defect, of this program or of a
//! library that it uses, unless it is a [`Fault`]. Whatever the work had in hand is not used again.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyhow::{Error, Result, anyhow};

/// A panic that is no defect: something outside the program failed in the midst of work whose
/// functions return no errors, a card that is out of memory for one. Its words are the error.
#[derive(Debug)]
pub struct Fault(pub String);

impl Fault {
    /// Ends the work in hand with it, without a word to the user yet.
    pub fn raise(self) -> ! {
        // A test that ends with it would say nothing else.
        #[cfg(test)]
        #[allow(clippy::print_stderr)]
        {
            eprintln!("{}", self.0);
        }
        resume_unwind(Box::new(self))
    }
}

/// Does the work; `message` makes an error of the words of its panic.
///
/// # Errors
/// What the work returns, and its panic.
pub fn panic_as_error<R, E: Into<Error>>(
    work: impl FnOnce() -> Result<R, E>,
    message: impl FnOnce(&str) -> String,
) -> Result<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(Into::into),
        Err(panic) => Err(match panic.downcast::<Fault>() {
            Ok(fault) => anyhow!(fault.0),
            Err(panic) => anyhow!(message(words(&*panic))),
        }),
    }
}

/// Does the work; its panic is reported as a defect of kdpipe. The run that it happened in fails
/// and is tried again the next time; the others go on.
///
/// # Errors
/// What the work returns, and its panic.
pub fn panic_as_defect<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    panic_as_error(work, |words| {
        format!("a defect of kdpipe and not of your study ({words}); please report it")
    })
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words")
}

#[cfg(test)]
#[path = "panics_tests.rs"]
mod tests;
