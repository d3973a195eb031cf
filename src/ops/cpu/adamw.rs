//! AdamW on host slices (arXiv 1711.05101), with gradient clipping folded in, in one sweep.

use rayon::prelude::*;

use super::vector::{self, dispatched};
use crate::ops::optimizer::AdamWStep;

/// Elements that one task works on.
const CHUNK: usize = 1 << 14;

/// The running means of a parameter's gradient and of its square.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

/// See [`crate::ops::Backend::adamw`].
pub fn adamw(parameters: &mut [f32], moments: &mut Moments, gradient: &[f32], step: &AdamWStep) {
    assert!(
        parameters.len() == gradient.len()
            && gradient.len() == moments.first.len()
            && gradient.len() == moments.second.len(),
        "one size"
    );
    let tasks = parameters
        .par_chunks_mut(CHUNK)
        .zip(moments.first.par_chunks_mut(CHUNK))
        .zip(moments.second.par_chunks_mut(CHUNK))
        .zip(gradient.par_chunks(CHUNK));
    tasks.for_each(|(((x, m), v), g)| sweep(x, m, v, g, *step));
}

dispatched! {
    fn sweep(x: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], step: AdamWStep) {
        let count = x.len();
        let (m, v, g) = (&mut m[..count], &mut v[..count], &g[..count]);
        for i in 0..count {
            let g = g[i] * step.gradient_scale;
            m[i] = step.betas[0] * m[i] + step.rest[0] * g;
            v[i] = step.betas[1] * v[i] + step.rest[1] * g * g;
            x[i] = x[i] * step.keep - step.rate * m[i] / (v[i].sqrt() * step.root + step.eps);
        }
    }
}

/// Σ x², in fixed chunks, in f64 across them.
pub fn sum_of_squares(x: &[f32]) -> f64 {
    let chunks: Vec<f64> = x
        .par_chunks(CHUNK)
        .map(|chunk| vector::dot(chunk, chunk))
        .collect();
    chunks.iter().sum()
}

/// x += y.
pub fn add_assign(x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len(), "one size");
    x.par_chunks_mut(CHUNK)
        .zip(y.par_chunks(CHUNK))
        .for_each(|(x, y)| vector::add(x, y));
}

#[cfg(test)]
#[path = "adamw_tests.rs"]
mod tests;
