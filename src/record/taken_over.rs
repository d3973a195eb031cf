//! An error of its own: whoever stood still is told so, and not that something failed.

use std::fmt;

/// That another process went on with an attempt while this one stood still.
#[derive(Debug)]
pub struct TakenOver {
    pub(super) id: String,
}

impl fmt::Display for TakenOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "run {} was taken over by another process while this one stood still; its results \
             stay as they are",
            self.id
        )
    }
}
