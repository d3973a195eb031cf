//! What a handful of seeds can say: paired differences, t intervals, one correction for both.
//!
//! Everything is in f64 and sums run in the order of the slices. Losses are test NLL in nats per
//! token, lower is better, and every difference is arm minus baseline, so a negative one means that
//! the arm is better. The t distribution is that of `statrs`.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The fewest seeds that a verdict is given for.
pub const FEWEST_SEEDS: usize = 3;
/// Sign flips cannot reach a p value of 0.05 with fewer differences, and are too many to enumerate
/// with more.
const FLIPS: std::ops::RangeInclusive<usize> = 6..=20;

/// Mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// The mean of what there is; none of nothing.
pub fn mean_of(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.into_iter().collect();
    (!values.is_empty()).then(|| mean(&values))
}

/// Sample standard deviation √(Σ(x − mean)²/(n − 1)); none of fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// The t value below which a share `p` of the t distribution with `freedom` degrees of freedom
/// lies.
pub fn t_quantile(p: f64, freedom: usize) -> f64 {
    if p == 0.5 {
        0.0
    } else {
        student(freedom).inverse_cdf(p)
    }
}

/// The share of the t distribution below `t`.
pub fn t_share_below(t: f64, freedom: usize) -> f64 {
    if t.is_infinite() {
        if t > 0.0 { 1.0 } else { 0.0 }
    } else {
        student(freedom).cdf(t)
    }
}

fn student(freedom: usize) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom as f64)
        .expect("a t distribution has at least one degree of freedom")
}

/// A paired comparison of two arms: the same seeds in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// d_s, arm minus baseline, by seed.
    pub differences: Vec<f64>,
    /// D, their mean.
    pub mean: f64,
    /// √v, their sample standard deviation; none of one.
    pub deviation: Option<f64>,
    /// √(v/n).
    pub error: Option<f64>,
    /// Two-sided p value of the paired t test; none of fewer than two seeds.
    pub p: Option<f64>,
    /// Seeds on which the arm has the lower loss.
    pub wins: usize,
    /// Correlation of the pairs; none of fewer than three seeds, or where an arm does not vary.
    pub correlation: Option<f64>,
    /// (D/√v)·(1 − 3/(4n − 5)), the standardised difference without its bias in small samples
    /// (Hedges 1981, for paired differences).
    pub effect: Option<f64>,
}

impl Paired {
    /// Compares the losses of an arm with the baseline's, seed by seed.
    pub fn new(arm: &[f64], baseline: &[f64]) -> Self {
        assert_eq!(
            arm.len(),
            baseline.len(),
            "paired losses are of the same seeds"
        );
        let differences = arm.iter().zip(baseline).map(|(a, b)| a - b).collect();
        Self {
            correlation: correlation(arm, baseline),
            ..Self::of(differences)
        }
    }

    /// What differences say that are no longer two losses each: means of several, or differences of
    /// differences. They have no correlation.
    pub fn of(differences: Vec<f64>) -> Self {
        let n = differences.len();
        let centre = mean(&differences);
        let deviation = standard_deviation(&differences);
        let error = deviation.map(|deviation| deviation / (n as f64).sqrt());
        let p = error.map(|error| 2.0 * t_share_below(-ratio(centre.abs(), error), n - 1));
        let effect = deviation
            .filter(|&deviation| n >= FEWEST_SEEDS && deviation > 0.0)
            .map(|deviation| centre / deviation * (1.0 - 3.0 / (4.0 * n as f64 - 5.0)));
        let wins = differences.iter().filter(|&&difference| difference < 0.0);
        Self {
            mean: centre,
            deviation,
            error,
            p,
            wins: wins.count(),
            correlation: None,
            effect,
            differences,
        }
    }

    /// The same two the other way round.
    pub fn turned(&self) -> Self {
        Self {
            correlation: self.correlation,
            ..Self::of(self.differences.iter().map(|one| -one).collect())
        }
    }

    /// Number of seeds.
    pub fn n(&self) -> usize {
        self.differences.len()
    }

    /// D ± t·`error`, with t such that a two-sided interval misses with probability `alpha`; none
    /// of fewer than two seeds.
    pub fn interval(&self, alpha: f64, error: Option<f64>) -> Option<(f64, f64)> {
        let half = t_quantile(
            1.0 - alpha / 2.0,
            self.n().checked_sub(1).filter(|&freedom| freedom > 0)?,
        ) * error?;
        Some((self.mean - half, self.mean + half))
    }

    /// P(better by more than δ), P(within δ), P(worse by more than δ) of the true difference: the t
    /// posterior with a flat prior.
    pub fn posterior(&self, margin: f64) -> Option<[f64; 3]> {
        let error = self.error?;
        let freedom = self.n() - 1;
        let better = t_share_below(ratio(-margin - self.mean, error), freedom);
        let worse = 1.0 - t_share_below(ratio(margin - self.mean, error), freedom);
        Some([better, (1.0 - better - worse).max(0.0), worse])
    }

    /// The exact two-sided p value over all 2ⁿ sign flips of the differences; none below 6 seeds,
    /// where it cannot reach 0.05.
    pub fn sign_flips(&self) -> Option<f64> {
        let n = self.n();
        if !FLIPS.contains(&n) {
            return None;
        }
        let seen = self.differences.iter().sum::<f64>().abs();
        // Sums that differ by rounding alone count as equal.
        let tolerance = 1e-12
            * self
                .differences
                .iter()
                .map(|difference| difference.abs())
                .sum::<f64>();
        let sum = |flips: u32| -> f64 {
            self.differences
                .iter()
                .enumerate()
                .map(|(i, difference)| {
                    if flips >> i & 1 == 1 {
                        -difference
                    } else {
                        *difference
                    }
                })
                .sum()
        };
        let extreme = (0..1u32 << n)
            .filter(|&flips| sum(flips).abs() >= seen - tolerance)
            .count();
        Some(extreme as f64 / f64::from(1u32 << n))
    }
}

/// a/b with a sign where b is 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 {
        a / b
    } else if a == 0.0 {
        0.0
    } else {
        a.signum() * f64::INFINITY
    }
}

/// Pearson's correlation; none of fewer than three pairs, or where one side does not vary.
pub fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (centre_a, centre_b) = (mean(a), mean(b));
    let product: f64 = a
        .iter()
        .zip(b)
        .map(|(x, y)| (x - centre_a) * (y - centre_b))
        .sum();
    let scale = standard_deviation(a)? * standard_deviation(b)? * (a.len() - 1) as f64;
    (a.len() > 2 && scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
}

/// The p value of one of `family` comparisons, corrected for all of them: p·K, at most 1
/// (Bonferroni).
///
/// It is at most α exactly where the interval at α/K of [`Paired::interval`] does not hold 0, so
/// that the two never say different things; a step-down test would have smaller p values, and no
/// intervals of two sides that belong to it. Under whatever dependence of the comparisons, the
/// chance that any of the K intervals misses its true difference is at most α.
pub fn corrected(p: f64, family: usize) -> f64 {
    (p * family as f64).min(1.0)
}

/// The part of the error that comes from the test text being a sample: √(J/(J−1)·Σ w²(r − D)²)/Σ w
/// over J documents with difference r (mean over seeds, nats per token) and w scored tokens, D
/// their weighted mean. None of fewer than two documents.
pub fn text_error(documents: &[(f64, u64)]) -> Option<f64> {
    let scored: Vec<(f64, f64)> = documents
        .iter()
        .filter(|(_, tokens)| *tokens > 0)
        .map(|&(difference, tokens)| (difference, tokens as f64))
        .collect();
    if scored.len() < 2 {
        return None;
    }
    let weight: f64 = scored.iter().map(|(_, weight)| weight).sum();
    let centre = scored
        .iter()
        .map(|(difference, weight)| difference * weight)
        .sum::<f64>()
        / weight;
    let squares: f64 = scored
        .iter()
        .map(|(difference, weight)| (weight * (difference - centre)).powi(2))
        .sum();
    let count = scored.len() as f64;
    Some((count / (count - 1.0) * squares).sqrt() / weight)
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
