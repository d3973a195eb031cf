//! From values to pixels: linear and logarithmic scales with ticks at round numbers.

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
    /// A linear scale that holds `values` with a little room, and about `ticks` ticks.
    pub fn linear(values: impl IntoIterator<Item = f64>, ticks: usize) -> Self {
        let (low, high) = padded(range(values).unwrap_or((0.0, 1.0)), 0.05);
        Self::exactly(low, high, ticks)
    }

    /// A linear scale over exactly this range.
    pub fn exactly(low: f64, high: f64, ticks: usize) -> Self {
        let (step, decimals) = round_step((high - low) / ticks.max(1) as f64);
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        let label = |value: f64| {
            if value.abs() >= 1e4 && decimals == 0 {
                format::prefixed(value, 3).replace(' ', "")
            } else {
                format::fixed(value, decimals)
            }
        };
        let ticks = (first..=last)
            .map(|i| i as f64 * step)
            .map(|value| (value, label(value)))
            .collect();
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
        Self::exactly(0.0, last * 1.01, ticks)
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
    pub fn logarithmic(
        values: impl IntoIterator<Item = f64>,
        label: impl Fn(f64) -> String,
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
        let candidates = |digits: &[f64]| -> Vec<f64> {
            let powers = low.floor() as i32..=high.ceil() as i32;
            let all =
                powers.flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)));
            all.filter(|value| (low..=high).contains(&value.log10()))
                .collect()
        };
        let fine: Vec<f64> = (10..100).map(|tenths| f64::from(tenths) / 10.0).collect();
        let sets: [&[f64]; 5] = [
            &[1.0],
            &[1.0, 3.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
            &fine,
        ];
        // A range so narrow that it holds none of these is as good as linear.
        let linear = || {
            Self::exactly(10f64.powf(low), 10f64.powf(high), 4)
                .ticks
                .into_iter()
                .map(|tick| tick.0)
                .collect()
        };
        let chosen = sets
            .iter()
            .map(|digits| candidates(digits))
            .find(|ticks| ticks.len() >= 3)
            .unwrap_or_else(linear);
        // Too many are thinned evenly: every second, third, ….
        let stride = if high - low > 4.0 {
            chosen.len().div_ceil(6)
        } else {
            chosen.len().div_ceil(8)
        }
        .max(1);
        let ticks = chosen
            .into_iter()
            .step_by(stride)
            .map(|value| (value, label(value)))
            .collect();
        Self {
            low: 10f64.powf(low),
            high: 10f64.powf(high),
            logarithmic: true,
            ticks,
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
