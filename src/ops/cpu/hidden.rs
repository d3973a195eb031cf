//! Distances between matched hidden states, token by token, fused for the CPU: value and gradient
//! in one pass over the rows.
//!
//! A norm is √(Σ² + 1e-12), which has a derivative everywhere: a zero row counts as a vector of
//! length 0 and stays finite. Sums run in f64, in the order of the rows.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::tape::{precomputed, values};
use super::vector::{dispatched, dot};
use crate::ops::{Mat, Scalar};

/// Added to the squared norm of a row.
const NORM_EPSILON: f64 = 1e-12;

/// See [`crate::ops::Losses::hidden_mse`].
pub fn hidden_mse<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
    normalize: bool,
) -> (Scalar<Cpu, T>, f64) {
    if normalize {
        mean_over_rows(x, target, directions)
    } else {
        mean_over_rows(x, target, squares)
    }
}

/// See [`crate::ops::Losses::hidden_cosine`].
pub fn hidden_cosine<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
) -> (Scalar<Cpu, T>, f64) {
    mean_over_rows(x, target, cosine)
}

/// The loss of one row; fills its gradient with respect to `x` times the share of a row, 1/N,
/// unless `gradient` is empty.
type RowLoss = fn(x: &[f32], target: &[f32], share: f64, gradient: &mut [f32]) -> f64;

fn mean_over_rows<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
    loss: RowLoss,
) -> (Scalar<Cpu, T>, f64) {
    let (rows, columns) = *x.shape();
    assert_eq!(
        *target.shape(),
        (rows, columns),
        "both clouds have the same shape"
    );
    let (own, targets) = (values(&x), values(target));
    let share = 1.0 / rows as f64;
    let pairs = own.par_chunks(columns).zip(targets.par_chunks(columns));
    let mut gradient = vec![0.0f32; if T::OWNS_TAPE { own.len() } else { 0 }];
    let losses: Vec<f64> = if T::OWNS_TAPE {
        pairs
            .zip(gradient.par_chunks_mut(columns))
            .with_min_len(16)
            .map(|((x, t), g)| loss(x, t, share, g))
            .collect()
    } else {
        pairs
            .with_min_len(16)
            .map(|(x, t)| loss(x, t, share, &mut []))
            .collect()
    };
    let value = losses.iter().sum::<f64>() * share;
    let ((x, tape), device) = (x.split_tape(), target.device());
    (precomputed(tape, device, value, vec![(x, gradient)]), value)
}

dispatched! {
    /// Σ (x − t)² / C.
    fn squares(x: &[f32], target: &[f32], share: f64, gradient: &mut [f32]) -> f64 {
        const WIDE: usize = 16;
        let columns = x.len() as f64;
        let scale = (2.0 * share / columns) as f32;
        for ((g, x), t) in gradient.iter_mut().zip(x).zip(target) {
            *g = scale * (x - t);
        }
        let mut sums = [0.0f64; WIDE];
        let (left, right) = (x.chunks_exact(WIDE), target.chunks_exact(WIDE));
        let (left_rest, right_rest) = (left.remainder(), right.remainder());
        for (x, t) in left.zip(right) {
            for lane in 0..WIDE {
                let difference = f64::from(x[lane]) - f64::from(t[lane]);
                sums[lane] += difference * difference;
            }
        }
        let rest: f64 = left_rest
            .iter()
            .zip(right_rest)
            .map(|(&x, &t)| (f64::from(x) - f64::from(t)).powi(2))
            .sum();
        (sums.iter().sum::<f64>() + rest) / columns
    }
}

/// Σ (x/‖x‖ − t/‖t‖)², from three inner products: ‖x‖² and ‖t‖² carry the 1e-12, so a zero row has
/// a direction of length 0.
fn directions(x: &[f32], target: &[f32], share: f64, gradient: &mut [f32]) -> f64 {
    let (xx, tt, xt) = (dot(x, x), dot(target, target), dot(x, target));
    let (nx, nt) = ((xx + NORM_EPSILON).sqrt(), (tt + NORM_EPSILON).sqrt());
    let cosine = xt / (nx * nt);
    // With a = x/‖x‖ and b = t/‖t‖: d/dx ‖a − b‖² = 2·(a − b − a·(a·a − a·b))/‖x‖.
    let lengths = xx / (nx * nx);
    let along = 2.0 * share * (1.0 - lengths + cosine) / (nx * nx);
    let across = 2.0 * share / (nx * nt);
    combine(gradient, x, along, target, across);
    (lengths + tt / (nt * nt) - 2.0 * cosine).max(0.0)
}

/// 1 − x·t/(‖x‖·‖t‖).
fn cosine(x: &[f32], target: &[f32], share: f64, gradient: &mut [f32]) -> f64 {
    let nx = (dot(x, x) + NORM_EPSILON).sqrt();
    let nt = (dot(target, target) + NORM_EPSILON).sqrt();
    let cosine = dot(x, target) / (nx * nt);
    combine(
        gradient,
        x,
        share * cosine / (nx * nx),
        target,
        share / (nx * nt),
    );
    1.0 - cosine
}

dispatched! {
    /// gradient = along·x − across·t.
    fn combine(gradient: &mut [f32], x: &[f32], along: f64, target: &[f32], across: f64) {
        let (along, across) = (along as f32, across as f32);
        for ((g, x), t) in gradient.iter_mut().zip(x).zip(target) {
            *g = along * x - across * t;
        }
    }
}

#[cfg(test)]
#[path = "hidden_tests.rs"]
mod tests;
