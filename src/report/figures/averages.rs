//! Curves of several seeds as one.

use std::collections::BTreeMap;

use crate::report::curves::StepValues;
use crate::report::data::RunData;
use crate::report::statistics::mean;

/// A curve with its name in the legend.
pub struct NamedCurve {
    pub name: String,
    pub points: StepValues,
}

/// The mean and the range of several curves at the steps that all of them have.
pub struct Averaged {
    pub mean: StepValues,
    /// (step, low, high).
    pub band: Vec<(f64, f64, f64)>,
}

/// Averages what is recorded under a name, over the runs that have it.
pub fn average_of(runs: &[&RunData], name: &str) -> Averaged {
    let curves: Vec<&[(f64, f64)]> = runs
        .iter()
        .filter_map(|run| run.curves.get(name))
        .map(Vec::as_slice)
        .collect();
    average(&curves)
}

/// Averages curves.
pub fn average(curves: &[&[(f64, f64)]]) -> Averaged {
    let mut averaged = Averaged {
        mean: Vec::new(),
        band: Vec::new(),
    };
    let Some((first, others)) = curves.split_first() else {
        return averaged;
    };
    // By the bits of the step, which are the same where the step is.
    let by_step = |curve: &&[(f64, f64)]| -> BTreeMap<u64, f64> {
        let points = curve.iter();
        points
            .map(|&(step, value)| (step.to_bits(), value))
            .collect()
    };
    let others: Vec<BTreeMap<u64, f64>> = others.iter().map(by_step).collect();
    for &(step, value) in *first {
        let of_others = others
            .iter()
            .map(|curve| curve.get(&step.to_bits()).copied());
        let values: Option<Vec<f64>> = [Some(value)].into_iter().chain(of_others).collect();
        let Some(values) = values else { continue };
        averaged.mean.push((step, mean(&values)));
        let (low, high) = values.iter().fold((value, value), |(low, high), &value| {
            (f64::min(low, value), f64::max(high, value))
        });
        averaged.band.push((step, low, high));
    }
    averaged
}
