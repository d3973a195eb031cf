//! The verdict on a comparison, in fixed words, and how many more seeds would help.

use std::fmt;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::statistics::{FEWEST_SEEDS, Paired, t_quantile};

/// Below this many seeds a verdict is marked "few seeds".
pub const FEW_SEEDS: usize = 5;
/// The most seeds that planning looks at.
const MOST_SEEDS: usize = 1000;

/// By how much a standard deviation of `n` values may be too small: the true one is below `factor`
/// times it in 80 % of all samples.
pub fn upper_factor(n: usize) -> f64 {
    let freedom = (n - 1) as f64;
    let chi_squared =
        ChiSquared::new(freedom).expect("a χ² distribution has at least one degree of freedom");
    (freedom / chi_squared.inverse_cdf(0.2)).sqrt()
}

/// How many more seeds would help: so many that the interval, with the deviation at its 80 % upper
/// factor, is no wider on either side than the difference seen or δ, whichever is more. None beyond
/// 1,000 seeds or below two.
pub fn more_seeds(paired: &Paired, alpha: f64, margin: f64) -> Option<usize> {
    let deviation = paired.deviation? * upper_factor(paired.n());
    let half = paired.mean.abs().max(margin);
    let wide =
        |n: usize| t_quantile(1.0 - alpha / 2.0, n - 1) * deviation / (n as f64).sqrt() > half;
    // The width falls with every seed, so the first that is narrow enough is found by halving.
    let (mut low, mut high) = (paired.n(), MOST_SEEDS);
    if wide(high) {
        return None;
    }
    while low + 1 < high {
        let middle = low.midpoint(high);
        if wide(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    Some(high - paired.n())
}

/// What the report says of a contrast, in fixed words. The first that holds, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Protocol, data order or finished seeds differ, or the two do not differ at all; with the
    /// reason.
    NotComparable(String),
    /// Fewer than three seeds.
    TooFewSeeds,
    /// The whole simultaneous interval lies below −δ.
    Better,
    /// The whole simultaneous interval lies above δ.
    Worse,
    /// The 90 % interval lies inside ±δ.
    Equivalent,
    /// The simultaneous interval lies below 0.
    BetterSizeUnsure,
    /// The simultaneous interval lies above 0.
    WorseSizeUnsure,
    /// None of these, with how many more seeds would help (none: more than 1,000).
    Undecided(Option<usize>),
}

impl Verdict {
    /// The verdict on a comparison whose simultaneous interval misses with probability `alpha`
    /// (already divided by the size of the family).
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
        let (Some((low, high)), Some((low_90, high_90))) = (
            paired.interval(alpha, paired.error),
            paired.interval(0.1, paired.error),
        ) else {
            return Self::TooFewSeeds;
        };
        if high < -margin {
            Self::Better
        } else if low > margin {
            Self::Worse
        } else if low_90 > -margin && high_90 < margin {
            Self::Equivalent
        } else if high < 0.0 {
            Self::BetterSizeUnsure
        } else if low > 0.0 {
            Self::WorseSizeUnsure
        } else {
            Self::Undecided(more_seeds(paired, alpha, margin))
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
            | Self::Undecided(_) => None,
        }
    }

    /// Of an undecided comparison, how many more seeds would help (none: more than 1,000).
    pub fn undecided(&self) -> Option<Option<usize>> {
        match self {
            Self::Undecided(more) => Some(*more),
            Self::NotComparable(_)
            | Self::TooFewSeeds
            | Self::Better
            | Self::Worse
            | Self::Equivalent
            | Self::BetterSizeUnsure
            | Self::WorseSizeUnsure => None,
        }
    }

    /// The place among all verdicts, from better to worse; those that say nothing come last.
    pub fn rank(&self) -> usize {
        match self {
            Self::Better => 0,
            Self::BetterSizeUnsure => 1,
            Self::Equivalent => 2,
            Self::Undecided(_) => 3,
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
            Self::Undecided(_) => f.write_str("undecided"),
        }
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
