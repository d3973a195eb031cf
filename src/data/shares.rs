//! Validation and test as shares of the training documents, for datasets that have no such splits
//! (OpenWebText).
//!
//! A document belongs to a split by its text alone: the first eight bytes of its sha256 are a
//! number u in [0, 1); u below the share of validation is validation, below both shares together
//! test, the rest is trained on. So equal documents are on the same side, whatever else the dataset
//! holds, and none is ever trained on and tested.

use sha2::{Digest, Sha256};

use super::parquet::Row;
use super::sources::{Part, Reach};
use crate::spec::schedule::percentage;

/// Changes with the rule that cuts.
pub const VERSION: u32 = 1;

/// Shares of the training documents; 0 where a split has files of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    validation: f64,
    test: f64,
}

impl Shares {
    /// From `dataset.validation` and `dataset.test`: the name of a split, or a percentage.
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

    pub fn any(&self) -> bool {
        self.of_validation() || self.of_test()
    }

    /// The split that a document belongs to.
    pub fn part(&self, text: &str) -> Part {
        let digest = Sha256::digest(text.as_bytes());
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

    /// Takes the documents of a part, in order, until the `reach`-th training document was passed.
    /// An empty text is no document.
    pub fn chooser(self, part: Part, reach: Reach) -> impl FnMut(&str) -> Row {
        let mut trained = 0;
        move |text| {
            if text.is_empty() {
                return Row::Skip;
            }
            if reach.is_some_and(|reach| trained >= reach) {
                return Row::Stop;
            }
            let own = self.part(text);
            trained += u64::from(own == Part::Train);
            if own == part { Row::Take } else { Row::Skip }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<String> {
        (0..20_000)
            .map(|index| format!("document {index}"))
            .collect()
    }

    #[test]
    fn shares_are_about_what_was_asked_for_and_splits_of_their_own_are_none() {
        let shares = Shares::new("5%", "10%");
        let count = |part| {
            texts()
                .iter()
                .filter(|text| shares.part(text) == part)
                .count() as f64
                / 20_000.0
        };
        for (part, share) in [
            (Part::Validation, 0.05),
            (Part::Test, 0.10),
            (Part::Train, 0.85),
        ] {
            // Four standard deviations.
            assert!(
                (count(part) - share).abs() < 4.0 * f64::sqrt(share * (1.0 - share) / 20_000.0),
                "{part:?}"
            );
        }
        assert!(!Shares::new("validation", "test").any());
        assert_eq!(
            Shares::new("validation", "50%").part("x"),
            Shares::new("0.0%", "50%").part("x")
        );
    }

    #[test]
    fn every_document_is_in_one_split_and_a_document_has_the_same_one_wherever_it_stands() {
        let shares = Shares::new("20%", "20%");
        let of = |part| {
            let mut choose = shares.chooser(part, None);
            texts()
                .into_iter()
                .filter(|text| choose(text) == Row::Take)
                .collect::<Vec<_>>()
        };
        let all = [of(Part::Train), of(Part::Validation), of(Part::Test)];
        assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 20_000);
        assert!(
            all[1]
                .iter()
                .all(|text| shares.part(text) == Part::Validation)
        );
    }

    #[test]
    fn the_number_of_a_document_is_the_beginning_of_its_sha256() {
        // `printf 'document 0' | sha256sum` begins with 19e6bd2c.
        let u = 0.101177;
        for (share, is_below) in [(u - 0.001, false), (u + 0.001, true)] {
            assert_eq!(
                Shares::new(&format!("{}%", 100.0 * share), "test").part("document 0")
                    == Part::Validation,
                is_below
            );
        }
    }

    #[test]
    fn the_reach_of_training_ends_the_other_splits_too() {
        let shares = Shares::new("20%", "20%");
        let texts = texts();
        let trained: Vec<usize> = (0..texts.len())
            .filter(|&at| shares.part(&texts[at]) == Part::Train)
            .take(100)
            .collect();
        let last = *trained.last().unwrap();
        let mut choose = shares.chooser(Part::Test, Some(100));
        let taken: Vec<usize> = (0..texts.len())
            .take_while(|&at| choose(&texts[at]) != Row::Stop)
            .collect();
        assert_eq!(taken.len(), last + 1);
        assert_eq!(shares.chooser(Part::Test, None)(""), Row::Skip);
    }
}
