//! From values to pixels: linear and logarithmic scales with ticks at round numbers.

use std::collections::BTreeSet;

use crate::report::format;

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    pub low: f64,
    pub high: f64,
    pub logarithmic: bool,
    /// Round values within the range, with their labels.
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// Whether a value has a place on it.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// A linear scale that holds `values` with a little room, and about `ticks` ticks.
    pub fn linear(values: impl IntoIterator<Item = f64>, ticks: usize) -> Self {
        let (low, high) = padded(range(values).unwrap_or((0.0, 1.0)), 0.05);
        Self::exactly(low, high, ticks)
    }

    /// A linear scale over exactly this range.
    pub fn exactly(low: f64, high: f64, ticks: usize) -> Self {
        Self::with_ticks(low, high, (high - low) / ticks.max(1) as f64)
    }

    /// A linear scale over exactly this range, its ticks at least so far from each other.
    fn with_ticks(low: f64, high: f64, least: f64) -> Self {
        let (step, decimals) = round_step(least);
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        let values: Vec<f64> = (first..=last).map(|i| i as f64 * step).collect();
        let has_prefix = decimals == 0 && values.iter().any(|value| value.abs() >= 1e4);
        let digits = digits_of(&values);
        let label = |value: f64| {
            if has_prefix {
                format::prefixed(value, digits).replace(' ', "")
            } else {
                format::fixed(value, decimals)
            }
        };
        let ticks = values.iter().map(|&value| (value, label(value))).collect();
        Self {
            low,
            high,
            logarithmic: false,
            ticks,
        }
    }

    /// A linear scale without ticks.
    pub fn without_ticks(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            logarithmic: false,
            ticks: Vec::new(),
        }
    }

    /// A scale of training steps that holds those of `points`.
    pub fn of_steps<'a>(points: impl Iterator<Item = &'a (f64, f64)>, ticks: usize) -> Self {
        let last = points.map(|point| point.0).fold(1.0, f64::max);
        // Steps are whole numbers.
        let least = last / ticks.min(last as usize).max(1) as f64;
        Self::with_ticks(0.0, last * 1.01, least)
    }

    /// The same scale, its ticks without labels.
    pub fn unlabelled(&self) -> Self {
        let ticks = self.ticks.iter().map(|tick| (tick.0, String::new()));
        Self {
            ticks: ticks.collect(),
            ..self.clone()
        }
    }

    /// A logarithmic scale that holds the positive ones of `values`; linear where there are none.
    /// `label` writes a tick with so many significant digits: as few as tell every tick exactly.
    pub fn logarithmic(
        values: impl IntoIterator<Item = f64>,
        label: impl Fn(f64, usize) -> String,
    ) -> Self {
        let Some((low, high)) = range(
            values
                .into_iter()
                .filter(|&value| value > 0.0)
                .map(f64::log10),
        ) else {
            return Self::exactly(0.0, 1.0, 4);
        };
        let (low, high) = padded((low, high), 0.08);
        let ticks = logarithmic_ticks(low, high);
        let digits = digits_of(&ticks);
        Self {
            low: 10f64.powf(low),
            high: 10f64.powf(high),
            logarithmic: true,
            ticks: ticks
                .into_iter()
                .map(|value| (value, label(value, digits)))
                .collect(),
        }
    }

    /// The place of a value from 0 (low) to 1 (high), outside held at the ends.
    pub fn share(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(f64::MIN_POSITIVE) / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }
}

/// Round values within a range of positive numbers, with labels of as few digits as tell them
/// exactly.
pub fn round_values(low: f64, high: f64) -> Vec<(f64, String)> {
    if !(low > 0.0 && low < high && high.is_finite()) {
        return Vec::new();
    }
    let values = logarithmic_ticks(low.log10(), high.log10());
    let digits = digits_of(&values);
    let label = |value: f64| format::significant(value, digits);
    values.iter().map(|&value| (value, label(value))).collect()
}

/// Round values between two powers of ten.
fn logarithmic_ticks(low: f64, high: f64) -> Vec<f64> {
    // So narrow a range is as good as linear.
    if high - low < 0.7 {
        let (low, high) = (10f64.powf(low), 10f64.powf(high));
        let ticks = Scale::exactly(low, high, 5).ticks;
        return ticks.into_iter().map(|tick| tick.0).collect();
    }
    let candidates = |digits: &[f64]| -> Vec<f64> {
        let powers = low.floor() as i32..=high.ceil() as i32;
        let all =
            powers.flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)));
        all.filter(|value| (low..=high).contains(&value.log10()))
            .collect()
    };
    let sets: [&[f64]; 4] = [
        &[1.0],
        &[1.0, 3.0],
        &[1.0, 2.0, 5.0],
        &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    ];
    let chosen = sets
        .iter()
        .map(|digits| candidates(digits))
        .find(|ticks| ticks.len() >= 3)
        .unwrap_or_default();
    // Too many are thinned evenly: every second, third, ….
    let stride = chosen.len().div_ceil(7).max(1);
    chosen.into_iter().step_by(stride).collect()
}

/// The significant digits that tell every tick exactly.
fn digits_of(ticks: &[f64]) -> usize {
    let is_exact = |value: f64, digits: usize| {
        let written: f64 = format!("{value:.*e}", digits - 1).parse().unwrap_or(value);
        (written - value).abs() <= value.abs() * 1e-9
    };
    (1..9)
        .find(|&digits| ticks.iter().all(|&tick| is_exact(tick, digits)))
        .unwrap_or(9)
}

/// Least and greatest of the finite values.
pub fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
        })
}

/// Whether a reference lies so near to the values that showing it does not squeeze them to less
/// than a third.
pub fn is_near(reference: f64, values: &[f64]) -> bool {
    range(values.iter().copied()).is_some_and(|(low, high)| {
        let span = (high - low).max(0.02);
        reference > low - 2.0 * span && reference < high + 2.0 * span
    })
}

/// The places of values without which the range of the others is less than a third; of four or
/// fewer values none, and never more than a quarter of them.
pub fn far_off(values: impl Iterator<Item = Option<f64>>) -> BTreeSet<usize> {
    let values = values.enumerate();
    let mut sorted: Vec<(usize, f64)> = values
        .filter_map(|(place, value)| Some((place, value?)))
        .collect();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut far = BTreeSet::new();
    let mut rest = sorted.as_slice();
    for _ in 0..sorted.len().saturating_sub(1) / 4 {
        let [first, middle @ .., last] = rest else {
            break;
        };
        let (Some(second), Some(before)) = (middle.first(), middle.last()) else {
            break;
        };
        let (below, above) = (second.1 - first.1, last.1 - before.1);
        let whole = last.1 - first.1;
        if whole <= 3.0 * (whole - below.max(above)) {
            break;
        }
        rest = if above >= below {
            far.insert(last.0);
            &rest[..rest.len() - 1]
        } else {
            far.insert(first.0);
            &rest[1..]
        };
    }
    far
}

/// A range with room at both ends; one value gets a range around it.
fn padded((low, high): (f64, f64), share: f64) -> (f64, f64) {
    let room = if high > low {
        (high - low) * share
    } else {
        (low.abs() * 0.02).max(0.02)
    };
    (low - room, high + room)
}

/// The next of 1, 2, 2.5, 5 times a power of ten, and the decimals that its multiples need.
fn round_step(least: f64) -> (f64, usize) {
    let power = least.log10().floor();
    let base = 10f64.powf(power);
    let digit = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .find(|digit| digit * base >= least * (1.0 - 1e-9))
        .unwrap_or(10.0);
    let power = if digit == 10.0 { power + 1.0 } else { power };
    let decimals = (-power).max(0.0) as usize + usize::from(digit == 2.5 && power < 1.0);
    (digit * base, decimals)
}

#[cfg(test)]
#[path = "scale_tests.rs"]
mod tests;
