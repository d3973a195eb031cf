//! Targets made of several states of a teacher, row by row.

use dfdx::prelude::Cpu;
use rayon::prelude::*;

use super::tape::{matrix, values};
use super::vector::{add_scaled, dot};
use crate::ops::Mat;

/// See [`crate::ops::Losses::mean_of`].
pub fn mean_of(parts: &[&Mat<Cpu>]) -> Mat<Cpu> {
    let share = 1.0 / parts.len() as f64;
    weighted(parts, |_, weights| {
        weights.fill(share);
        0.0
    })
    .0
}

/// See [`crate::ops::Losses::attended`].
pub fn attended(x: &Mat<Cpu>, parts: &[&Mat<Cpu>]) -> (Mat<Cpu>, f64) {
    let width = x.shape().1;
    assert_eq!(x.shape(), parts[0].shape(), "states of one shape");
    let own = values(x);
    weighted(parts, |row, weights| {
        let place = row * width..(row + 1) * width;
        for (weight, part) in weights.iter_mut().zip(parts) {
            *weight = dot(&own[place.clone()], &values(part)[place.clone()]);
        }
        softmax(weights)
    })
}

/// Logits become probabilities; returns their entropy.
fn softmax(weights: &mut [f64]) -> f64 {
    let top = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = weights.iter().map(|z| (z - top).exp()).sum();
    let mut entropy = 0.0;
    for z in weights {
        let log = *z - top - sum.ln();
        *z = log.exp();
        entropy -= *z * log;
    }
    entropy
}

/// Σ_j w_j·y_j in every row with the weights that `weigh` fills in for it, and the mean of what
/// it returns.
fn weighted(
    parts: &[&Mat<Cpu>],
    weigh: impl Fn(usize, &mut [f64]) -> f64 + Sync,
) -> (Mat<Cpu>, f64) {
    let (rows, width) = *parts[0].shape();
    assert!(
        parts.iter().all(|part| part.shape() == parts[0].shape()),
        "states of one shape"
    );
    let mut out = vec![0.0f32; rows * width];
    let found: Vec<f64> = out
        .par_chunks_mut(width)
        .enumerate()
        .with_min_len(16)
        .map(|(row, out)| {
            let mut weights = vec![0.0; parts.len()];
            let found = weigh(row, &mut weights);
            for (weight, part) in weights.iter().zip(parts) {
                let values = &values(part)[row * width..(row + 1) * width];
                add_scaled(out, values, *weight as f32);
            }
            found
        })
        .collect();
    let mean = found.iter().sum::<f64>() / rows as f64;
    (matrix(parts[0].device(), rows, width, out), mean)
}

#[cfg(test)]
#[path = "blend_tests.rs"]
mod tests;
