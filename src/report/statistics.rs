//! What a handful of seeds can say: paired differences, t intervals, Holm, the fixed words of a
//! verdict.
//!
//! Everything is in f64 and sums run in the order of the slices. Losses are test NLL in nats per
//! token, lower is better, and every difference is arm minus baseline, so a negative one means that
//! the arm is better. The t distribution is that of `statrs`.

use std::fmt;

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

/// The fewest seeds that a verdict is given for.
pub const FEWEST_SEEDS: usize = 3;
/// Below this many seeds a verdict is marked "few seeds".
pub const FEW_SEEDS: usize = 5;
/// Sign flips cannot reach a p value of 0.05 with fewer differences, and are too many to enumerate
/// with more.
const FLIPS: std::ops::RangeInclusive<usize> = 6..=20;
/// The most seeds that planning looks at.
const MOST_SEEDS: usize = 1000;

/// Mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
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
        let differences: Vec<f64> = arm.iter().zip(baseline).map(|(a, b)| a - b).collect();
        let n = differences.len();
        let centre = mean(&differences);
        let deviation = standard_deviation(&differences);
        let error = deviation.map(|deviation| deviation / (n as f64).sqrt());
        let p = error.map(|error| 2.0 * t_share_below(-ratio(centre.abs(), error), n - 1));
        let effect = deviation
            .filter(|&deviation| n >= FEWEST_SEEDS && deviation > 0.0)
            .map(|deviation| centre / deviation * (1.0 - 3.0 / (4.0 * n as f64 - 5.0)));
        Self {
            mean: centre,
            deviation,
            error,
            p,
            wins: differences
                .iter()
                .filter(|&&difference| difference < 0.0)
                .count(),
            correlation: correlation(arm, baseline),
            effect,
            differences,
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

/// Holm's adjusted p values, in the order given: sorted ascending, p₍ᵢ₎ times (K − i), never below
/// the one before, at most 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]).then(a.cmp(&b)));
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0f64;
    for (rank, &index) in order.iter().enumerate() {
        least = least.max(p[index] * (p.len() - rank) as f64).min(1.0);
        adjusted[index] = least;
    }
    adjusted
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
    None,
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
            return Self::None;
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
            return Self::None;
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
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NotComparable(_) => f.write_str("not comparable"),
            Self::None => f.write_str("no verdict"),
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
mod tests {
    use super::*;

    fn near(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    #[test]
    fn t_and_chi_squared_agree_with_the_printed_tables() {
        near(t_quantile(0.975, 4), 2.7764, 5e-5);
        near(t_quantile(0.975, 2), 4.3027, 5e-5);
        near(t_quantile(0.95, 2), 2.9200, 5e-5);
        near(t_quantile(0.025, 9), -2.2622, 5e-5);
        // With 2 degrees of freedom the share below t is 1/2 + t/(2√(2 + t²)), with 1 it is 1/2 +
        // atan(t)/π.
        for t in [-7.0, -0.3, 0.0, 1.0, 4.3, 50.0f64] {
            near(
                t_share_below(t, 2),
                0.5 + t / (2.0 * (2.0 + t * t).sqrt()),
                1e-10,
            );
            near(
                t_share_below(t, 1),
                0.5 + t.atan() / std::f64::consts::PI,
                1e-10,
            );
        }
        for (n, factor) in [(3, 2.12), (5, 1.56), (8, 1.35), (10, 1.29)] {
            near(upper_factor(n), factor, 5e-3);
        }
    }

    #[test]
    fn a_paired_difference_worked_by_hand() {
        // d = −0.01, −0.02, −0.03: mean −0.02, v = 1e-4, se = 0.01/√3; t = −2√3 with 2 degrees.
        let paired = Paired::new(&[1.0, 1.1, 0.9], &[1.01, 1.12, 0.93]);
        near(paired.mean, -0.02, 1e-12);
        near(paired.deviation.unwrap(), 0.01, 1e-12);
        near(paired.error.unwrap(), 0.01 / 3.0f64.sqrt(), 1e-12);
        let t = -2.0 * 3.0f64.sqrt();
        near(
            paired.p.unwrap(),
            2.0 * (0.5 + t / (2.0 * (2.0 + t * t).sqrt())),
            1e-10,
        );
        near(paired.effect.unwrap(), -2.0 * (1.0 - 3.0 / 7.0), 1e-9);
        assert_eq!(paired.wins, 3);
        let (low, high) = paired.interval(0.05, paired.error).unwrap();
        near(low, -0.02 - 4.302_652_7 * 0.01 / 3.0f64.sqrt(), 1e-8);
        near(high, -0.02 + 4.302_652_7 * 0.01 / 3.0f64.sqrt(), 1e-8);
        let [better, same, worse] = paired.posterior(0.005).unwrap();
        let share = |t: f64| 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
        near(better, share(1.5 * 3.0f64.sqrt()), 1e-9);
        near(worse, 1.0 - share(2.5 * 3.0f64.sqrt()), 1e-9);
        near(better + same + worse, 1.0, 1e-12);
    }

    #[test]
    fn the_correlation_of_a_line_is_one_and_of_a_constant_unknown() {
        near(
            correlation(&[1.0, 2.0, 4.0], &[3.0, 5.0, 9.0]).unwrap(),
            1.0,
            1e-12,
        );
        near(
            correlation(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]).unwrap(),
            0.5,
            1e-12,
        );
        assert_eq!(correlation(&[1.0, 1.0, 1.0], &[1.0, 3.0, 2.0]), None);
        assert_eq!(correlation(&[1.0, 2.0], &[1.0, 3.0]), None);
    }

    #[test]
    fn holm_steps_down_and_never_reverses_the_order() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            near(*found, expected, 1e-12);
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn sign_flips_are_counted_exactly() {
        // All of one sign: only the sample itself and its mirror are as extreme.
        let paired = Paired::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.0; 6]);
        assert_eq!(paired.sign_flips(), Some(2.0 / 64.0));
        assert_eq!(Paired::new(&[1.0; 5], &[0.0; 5]).sign_flips(), None);
        // Differences 1, 1, 1, 1, 1, −1 have sum 4: of the 64 flips 2 have sum ±6 and 12 have sum
        // ±4.
        let paired = Paired::new(&[1.0, 1.0, 1.0, 1.0, 1.0, -1.0], &[0.0; 6]);
        assert_eq!(paired.sign_flips(), Some(14.0 / 64.0));
    }

    #[test]
    fn the_error_of_the_text_weighs_documents_by_their_tokens() {
        // Two documents of equal weight at ±1 around their mean: √(2/1·(w² + w²))/2w = 1.
        near(
            text_error(&[(1.0, 10), (3.0, 10), (9.0, 0)]).unwrap(),
            1.0,
            1e-12,
        );
        // Weights 1 and 3, differences 0 and 4: D = 3, √(2·(9 + 9))/4 = 1.5.
        near(text_error(&[(0.0, 1), (4.0, 3)]).unwrap(), 1.5, 1e-12);
        assert_eq!(text_error(&[(1.0, 10)]), None);
    }

    /// Three differences with the given mean and standard deviation.
    fn three(centre: f64, deviation: f64) -> Paired {
        Paired::new(&[centre - deviation, centre, centre + deviation], &[0.0; 3])
    }

    #[test]
    fn the_words_come_in_their_order() {
        let words = |centre, deviation| Verdict::new(&three(centre, deviation), 0.05, 0.005);
        // The interval of three differences is ± 2.484 deviations, that at 90 % ± 1.686.
        assert_eq!(words(-0.02, 0.001), Verdict::Better);
        assert_eq!(words(0.02, 0.001), Verdict::Worse);
        assert_eq!(words(0.0, 0.002), Verdict::Equivalent);
        // Equivalence goes before a small difference that is sure.
        assert_eq!(words(-0.002, 0.0005), Verdict::Equivalent);
        assert_eq!(words(-0.006, 0.002), Verdict::BetterSizeUnsure);
        assert_eq!(words(0.006, 0.002), Verdict::WorseSizeUnsure);
        assert!(matches!(words(-0.006, 0.02), Verdict::Undecided(Some(1..))));
        assert_eq!(
            Verdict::new(&Paired::new(&[-1.0, -1.1], &[0.0, 0.0]), 0.05, 0.005),
            Verdict::None
        );
        assert_eq!(
            Verdict::new(&Paired::new(&[-1.0], &[0.0]), 0.05, 0.005),
            Verdict::None
        );
        assert!(matches!(
            Verdict::new(&Paired::new(&[1.0; 4], &[1.0; 4]), 0.05, 0.005),
            Verdict::NotComparable(_)
        ));
        assert_eq!(Verdict::Better.to_string(), "better by more than δ");
    }

    #[test]
    fn more_seeds_are_as_many_as_make_the_interval_narrow_enough() {
        let paired = three(-0.01, 0.01);
        let more = more_seeds(&paired, 0.05, 0.005).unwrap();
        let half = |n: usize| t_quantile(0.975, n - 1) * 0.01 * upper_factor(3) / (n as f64).sqrt();
        assert!(half(3 + more) <= 0.01 && half(2 + more) > 0.01, "{more}");
        assert_eq!(more_seeds(&three(0.0, 10.0), 0.05, 0.005), None);
    }
}
