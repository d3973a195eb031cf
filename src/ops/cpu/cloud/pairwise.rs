//! Distances made of a function of d² over all pairs of vectors: energy distance and MMD.

use rayon::prelude::*;

use super::super::vector::{dispatched, exp, sum_of};
use super::squares::{Centred, add_pulls, median};
use super::{Clouds, ValueAndGradient};

/// Added to a squared distance before its root.
const ROOT_EPSILON: f32 = 1e-8;
/// The largest of the kernels' scales s; the others are halves of one another.
const WIDEST: f64 = 4.0;
/// Kernels in the mean.
const KERNELS: f32 = 5.0;
/// The smallest median that kernels are scaled by: clouds of one point have none.
const LEAST_MEDIAN: f64 = 1e-12;

/// A function of d².
#[derive(Debug, Clone, Copy)]
enum PairFunction {
    /// √(d² + 1e-8).
    Root,
    /// The mean of exp(−d²/(s·m)); `rate` is 1/(4·m).
    Kernels { rate: f32 },
}

/// See [`crate::ops::CloudDistance::Energy`].
pub(super) fn energy(clouds: Clouds<'_>) -> ValueAndGradient {
    let (x, y) = Centred::both(clouds);
    let between = x.distances(&y);
    pairs(clouds, &x, &y, between, PairFunction::Root, 1.0)
}

/// See [`crate::ops::CloudDistance::Mmd`].
pub(super) fn mmd(clouds: Clouds<'_>) -> ValueAndGradient {
    let (x, y) = Centred::both(clouds);
    let between = x.distances(&y);
    let rate = (1.0 / (WIDEST * median(&between).max(LEAST_MEDIAN))) as f32;
    pairs(
        clouds,
        &x,
        &y,
        between,
        PairFunction::Kernels { rate },
        -1.0,
    )
}

/// `sign`·(2·mean f between x and y − mean f within x − mean f within y).
fn pairs(
    clouds: Clouds<'_>,
    x: &Centred,
    y: &Centred,
    mut between: Vec<f32>,
    function: PairFunction,
    sign: f64,
) -> ValueAndGradient {
    let count = clouds.rows as f64;
    // A cloud of one vector has no pair.
    let within_pairs = (count * (count - 1.0)).max(1.0);
    let mut gradient = vec![0.0; if clouds.gradient { clouds.x.len() } else { 0 }];
    let (sum, slopes) = apply(function, &mut between, clouds.rows, false);
    let mut value = 2.0 * sum / (count * count);
    if clouds.gradient {
        let scale = sign * 4.0 / (count * count);
        add_pulls(&mut gradient, scale, &between, &slopes, x, y);
    }
    drop(between);
    let mut within = x.distances(x);
    let (sum, slopes) = apply(function, &mut within, clouds.rows, true);
    value -= sum / within_pairs;
    if clouds.gradient {
        let scale = -sign * 4.0 / within_pairs;
        add_pulls(&mut gradient, scale, &within, &slopes, x, x);
    }
    drop(within);
    let mut within = y.distances(y);
    value -= apply(function, &mut within, clouds.rows, true).0 / within_pairs;
    (sign * value, gradient)
}

/// Σ f over the pairs, those of a vector with itself left out where both clouds are one. Every d²
/// becomes f′(d²), whose sums of rows are returned, too.
fn apply(
    function: PairFunction,
    squares: &mut [f32],
    columns: usize,
    is_one_cloud: bool,
) -> (f64, Vec<f64>) {
    let rows: Vec<(f64, f64)> = squares
        .par_chunks_mut(columns)
        .enumerate()
        .with_min_len(4)
        .map(|(place, row)| {
            if !is_one_cloud {
                return apply_to(function, row);
            }
            let (before, rest) = row.split_at_mut(place);
            let (own, after) = rest.split_at_mut(1);
            own[0] = 0.0;
            let (a, b) = (apply_to(function, before), apply_to(function, after));
            (a.0 + b.0, a.1 + b.1)
        })
        .collect();
    let sum = rows.iter().map(|row| row.0).sum();
    (sum, rows.iter().map(|row| row.1).collect())
}

dispatched! {
    /// Σ f and Σ f′ over some d², each of which becomes f′(d²).
    fn apply_to(function: PairFunction, squares: &mut [f32]) -> (f64, f64) {
        let sum = match function {
            PairFunction::Root => {
                let sum = sum_of(squares, |d| (d + ROOT_EPSILON).sqrt());
                for d in squares.iter_mut() {
                    *d = 0.5 / (*d + ROOT_EPSILON).sqrt();
                }
                sum
            }
            PairFunction::Kernels { rate } => {
                let sum = sum_of(squares, |d| kernels(d, rate).0);
                for d in squares.iter_mut() {
                    *d = kernels(*d, rate).1;
                }
                sum
            }
        };
        (sum, sum_of(squares, |slope| slope))
    }
}

/// The mean of the kernels at a d², and its derivative: each kernel is the square of the next
/// wider one.
#[inline(always)]
fn kernels(square: f32, rate: f32) -> (f32, f32) {
    let a = exp(-square * rate);
    let b = a * a;
    let c = b * b;
    let d = c * c;
    let e = d * d;
    let value = (a + b + c + d + e) / KERNELS;
    let slope = -rate / KERNELS * (a + 2.0 * b + 4.0 * c + 8.0 * d + 16.0 * e);
    (value, slope)
}
