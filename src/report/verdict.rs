//! The verdict on a comparison, in fixed words.

use std::fmt;

use super::statistics::{FEWEST_SEEDS, Paired};

/// Below this many seeds a verdict is marked "few seeds".
pub const FEW_SEEDS: usize = 5;

/// What the report says of a comparison, in fixed words. The first that holds, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Protocol, data order or finished seeds differ, or the two do not differ at all; with the
    /// reason.
    NotComparable(String),
    /// Fewer than three seeds.
    TooFewSeeds,
    /// The whole interval lies below −δ.
    Better,
    /// The whole interval lies above δ.
    Worse,
    /// The interval of two one-sided tests lies inside ±δ.
    Equivalent,
    /// The interval lies below 0.
    BetterSizeUnsure,
    /// The interval lies above 0.
    WorseSizeUnsure,
    Undecided,
}

impl Verdict {
    /// Judges a comparison; `alpha` is its own, already divided by the size of its family.
    ///
    /// A difference counts by the interval at 1 − α, equivalence by that at 1 − 2α: two
    /// one-sided tests at α each (Schuirmann 1987).
    pub fn new(paired: &Paired, alpha: f64, margin: f64) -> Self {
        let n = paired.n();
        if n < FEWEST_SEEDS {
            return Self::TooFewSeeds;
        }
        if paired.deviation == Some(0.0) {
            let reason = if paired.mean == 0.0 {
                "every pair of runs has the same loss"
            } else {
                "every seed gives the same difference"
            };
            return Self::NotComparable(format!("{reason}: something that should vary does not"));
        }
        let (Some((low, high)), Some((least, most))) = (
            paired.interval(alpha, paired.error),
            // Beyond a half, one-sided tests have no interval left.
            paired.interval((2.0 * alpha).min(1.0), paired.error),
        ) else {
            return Self::TooFewSeeds;
        };
        if high < -margin {
            Self::Better
        } else if low > margin {
            Self::Worse
        } else if least > -margin && most < margin {
            Self::Equivalent
        } else if high < 0.0 {
            Self::BetterSizeUnsure
        } else if low > 0.0 {
            Self::WorseSizeUnsure
        } else {
            Self::Undecided
        }
    }

    /// The verdict on the same two the other way round.
    pub fn turned(&self) -> Self {
        match self {
            Self::Better => Self::Worse,
            Self::Worse => Self::Better,
            Self::BetterSizeUnsure => Self::WorseSizeUnsure,
            Self::WorseSizeUnsure => Self::BetterSizeUnsure,
            other @ (Self::NotComparable(_)
            | Self::TooFewSeeds
            | Self::Equivalent
            | Self::Undecided) => other.clone(),
        }
    }

    /// Why the two cannot be compared.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::NotComparable(reason) => Some(reason),
            Self::TooFewSeeds
            | Self::Better
            | Self::Worse
            | Self::Equivalent
            | Self::BetterSizeUnsure
            | Self::WorseSizeUnsure
            | Self::Undecided => None,
        }
    }

    /// The place among all verdicts, from better to worse; those that say nothing come last.
    pub fn rank(&self) -> usize {
        match self {
            Self::Better => 0,
            Self::BetterSizeUnsure => 1,
            Self::Equivalent => 2,
            Self::Undecided => 3,
            Self::WorseSizeUnsure => 4,
            Self::Worse => 5,
            Self::NotComparable(_) => 6,
            Self::TooFewSeeds => 7,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NotComparable(_) => f.write_str("not comparable"),
            Self::TooFewSeeds => f.write_str("no verdict"),
            Self::Better => f.write_str("better by more than δ"),
            Self::Worse => f.write_str("worse by more than δ"),
            Self::Equivalent => f.write_str("equivalent within δ"),
            Self::BetterSizeUnsure => f.write_str("better, size unsure"),
            Self::WorseSizeUnsure => f.write_str("worse, size unsure"),
            Self::Undecided => f.write_str("undecided"),
        }
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
