//! Planning before anything is looked at: how many seeds a paired comparison needs.
//!
//! The paired t test on n seeds finds a true difference θ, with σ the standard deviation of
//! the differences of a seed, with probability P(T > c): T has the noncentral t distribution
//! with n − 1 degrees of freedom and noncentrality θ√n/σ, c is the quantile of the central
//! one. Two one-sided tests show that a difference lies within ±δ where both reject. Both are
//! expectations over the sample's standard deviation, S = √(χ²/freedom), of shares of the
//! normal distribution, and are integrated as such, by five-point Gauss and Legendre rules on
//! panels that are narrow where the shares change: ten digits agree with scipy's noncentral t
//! and its adaptive quadrature. A normal approximation would be wrong for a handful of seeds.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::erf::erfc;
use statrs::function::gamma::ln_gamma;

use super::statistics::{FEWEST_SEEDS, t_quantile};

/// The most seeds that planning looks at.
pub const MOST_SEEDS: usize = 1000;
/// The share of samples whose standard deviation, times [`upper_factor`], is above the true one.
pub const UPPER_SHARE: f64 = 0.8;

/// What is beyond so many standard deviations is less than the rounding of the sums.
const FAR: f64 = 9.0;
/// Panels of each piece of an integral.
const PANELS: usize = 64;
/// Gauss and Legendre's rule of five points on −1 to 1: places and weights.
const RULE: [(f64, f64); 5] = [
    (0.0, 128.0 / 225.0),
    (0.538_469_310_105_683, 0.478_628_670_499_366_5),
    (-0.538_469_310_105_683, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
];

/// By how much a standard deviation of `n` values, at least two, may be too small: the true one is
/// below `factor` times it in 80 % of all samples.
pub fn upper_factor(n: usize) -> f64 {
    let freedom = n.saturating_sub(1).max(1) as f64;
    let chi_squared =
        ChiSquared::new(freedom).expect("a χ² distribution has at least one degree of freedom");
    (freedom / chi_squared.inverse_cdf(1.0 - UPPER_SHARE)).sqrt()
}

/// The chance that the two-sided paired t test at `alpha` on `n` seeds, at least two, finds a
/// difference of `ratio` standard deviations, with its sign.
pub fn chance_to_find(n: usize, ratio: f64, alpha: f64) -> f64 {
    let freedom = n - 1;
    let critical = t_quantile(1.0 - alpha / 2.0, freedom);
    noncentral_share_above(critical, freedom, ratio * (n as f64).sqrt())
}

/// The chance that two one-sided t tests at `alpha` each show a difference to lie within `ratio`
/// standard deviations, on `n` seeds, at least two, where there is none.
pub fn chance_to_show(n: usize, ratio: f64, alpha: f64) -> f64 {
    both_reject_share(n - 1, ratio * (n as f64).sqrt(), 0.0, alpha)
}

/// The fewest seeds with which a difference of `ratio` standard deviations is found with
/// probability `power`, by the two-sided test at `alpha`; none beyond [`MOST_SEEDS`].
pub fn seeds_to_detect(ratio: f64, alpha: f64, power: f64) -> Option<usize> {
    first(|n| chance_to_find(n, ratio, alpha) >= power)
}

/// The fewest seeds with which a difference of none is shown to lie within `ratio` standard
/// deviations with probability `power`, by one-sided tests at `alpha`; none beyond [`MOST_SEEDS`].
pub fn seeds_to_show(ratio: f64, alpha: f64, power: f64) -> Option<usize> {
    first(|n| chance_to_show(n, ratio, alpha) >= power)
}

/// The fewest seeds that are enough. More always are, so it is found by halving: a chance grows
/// with every seed, but for that of showing equivalence where it is below α, which no plan asks
/// for.
fn first(is_enough: impl Fn(usize) -> bool) -> Option<usize> {
    if is_enough(FEWEST_SEEDS) {
        return Some(FEWEST_SEEDS);
    }
    if !is_enough(MOST_SEEDS) {
        return None;
    }
    let (mut too_few, mut enough) = (FEWEST_SEEDS, MOST_SEEDS);
    while too_few + 1 < enough {
        let middle = too_few.midpoint(enough);
        if is_enough(middle) {
            enough = middle
        } else {
            too_few = middle
        }
    }
    Some(enough)
}

/// The share of the noncentral t distribution above `critical`, which is above 0.
fn noncentral_share_above(critical: f64, freedom: usize, shift: f64) -> f64 {
    let cuts = [shift - FAR, shift, shift + FAR].map(|place| place / critical);
    over_deviations(freedom, f64::INFINITY, &cuts, |deviation| {
        normal_share_below(shift - critical * deviation)
    })
}

/// The share in which two one-sided tests at `alpha` both reject: the margin and the true
/// difference are in standard errors.
fn both_reject_share(freedom: usize, margin: f64, shift: f64, alpha: f64) -> f64 {
    let critical = t_quantile(1.0 - alpha, freedom);
    let (near, far) = (margin - shift.abs(), margin + shift.abs());
    let cuts = [near - FAR, near, far - FAR].map(|place| place / critical);
    // With a larger deviation the interval is wider than the margins.
    over_deviations(freedom, margin / critical, &cuts, |deviation| {
        let half = margin - critical * deviation;
        normal_share_below(half - shift) - normal_share_below(-half - shift)
    })
}

/// The expectation of `f` over the standard deviation of a sample with `freedom` degrees of
/// freedom, relative to the true one, as far as it is below `end`. At the `cuts` it falls into
/// pieces, so that those of a piece are as narrow as what changes there.
fn over_deviations(freedom: usize, end: f64, cuts: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let freedom = freedom as f64;
    let half = freedom / 2.0;
    let constant = std::f64::consts::LN_2 + half * half.ln() - ln_gamma(half);
    let density = |s: f64| (constant + (freedom - 1.0) * s.ln() - half * s * s).exp();
    let reach = FAR / freedom.sqrt();
    let (start, end) = ((1.0 - reach).max(0.0), (1.0 + reach).min(end));
    let mut ends: Vec<f64> = cuts
        .iter()
        .copied()
        .filter(|&cut| cut > start && cut < end)
        .chain([start, end])
        .collect();
    ends.sort_unstable_by(f64::total_cmp);
    let pieces = ends.windows(2).filter(|piece| piece[0] < piece[1]);
    pieces
        .map(|piece| integral(piece[0], piece[1], |s| density(s) * f(s)))
        .sum()
}

/// The integral over one piece.
fn integral(start: f64, end: f64, f: impl Fn(f64) -> f64) -> f64 {
    let half = (end - start) / (2 * PANELS) as f64;
    let mut sum = 0.0;
    for panel in 0..PANELS {
        let centre = start + half * (2 * panel + 1) as f64;
        for (place, weight) in RULE {
            sum += weight * f(centre + half * place);
        }
    }
    sum * half
}

/// The share of the normal distribution below `z`.
fn normal_share_below(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
#[path = "power_tests.rs"]
mod tests;
