//! Validation and test as shares of the training documents, for datasets that have no such splits
//! (OpenWebText, one file).
//!
//! A document belongs to a split by its text alone, without the white space at its ends: the first
//! eight bytes of its sha256 are a number u in [0, 1); u below the share of validation is
//! validation, below both shares together test, the rest is trained on. So equal documents are on
//! the same side, whatever else the dataset holds, and none is ever trained on and tested.

use sha2::{Digest, Sha256};

use super::document::Part;
use crate::plan::dataset_identity::SHARES_VERSION;
use crate::plan::schedule::percentage;

/// Changes with the rule that cuts.
pub const VERSION: u32 = SHARES_VERSION;

/// Shares of the training documents; 0 where a split has files of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    validation: f64,
    test: f64,
}

impl Shares {
    /// From `dataset.validation` and `dataset.test`: percentages, or splits that are no share.
    pub fn new(validation: &str, test: &str) -> Self {
        let share = |written: &str| {
            percentage(written)
                .filter(|_| written.ends_with('%'))
                .map_or(0.0, |percent| percent / 100.0)
        };
        Self {
            validation: share(validation),
            test: share(test),
        }
    }

    pub fn of_validation(&self) -> bool {
        self.validation > 0.0
    }

    pub fn of_test(&self) -> bool {
        self.test > 0.0
    }

    /// The share that a split is of the training documents; 0 where it is none.
    pub fn of(&self, part: Part) -> f64 {
        part.of(0.0, self.validation, self.test)
    }

    pub fn any(&self) -> bool {
        self.of_validation() || self.of_test()
    }

    /// The split that a document belongs to.
    pub fn part(&self, text: &str) -> Part {
        let digest = Sha256::digest(text.trim_ascii().as_bytes());
        let first = u64::from_be_bytes(std::array::from_fn(|at| digest[at]));
        let u = (first >> 11) as f64 / (1u64 << 53) as f64;
        if u < self.validation {
            Part::Validation
        } else if u < self.validation + self.test {
            Part::Test
        } else {
            Part::Train
        }
    }
}

#[cfg(test)]
#[path = "shares_tests.rs"]
mod tests;
