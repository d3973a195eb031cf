//! AdamW on host slices (arXiv 1711.05101), with gradient clipping folded in, in one sweep.

use rayon::prelude::*;

use super::vector::{self, dispatched};

/// Elements that one task works on.
const CHUNK: usize = 1 << 14;

/// Settings that hold for every parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// β₁ and β₂.
    pub betas: [f64; 2],
    pub eps: f64,
}

/// The running means of a parameter's gradient and of its square.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

/// The numbers of one step.
#[derive(Clone, Copy)]
struct AdamWStep {
    gradient_scale: f32,
    keep: f32,
    betas: [f32; 2],
    rest: [f32; 2],
    rate: f32,
    root: f32,
    eps: f32,
}

/// One step of AdamW on one parameter, as `torch.optim.AdamW` does it: θ ← θ·(1 − lr·decay); m ←
/// β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; θ ← θ − lr/(1 − β₁ᵏ)·m/(√v/√(1 − β₂ᵏ) + ε).
///
/// g is the gradient times `gradient_scale` (clipping); `step` is k, from 1.
pub fn adamw(
    parameters: &mut [f32],
    moments: &mut Moments,
    gradient: &[f32],
    gradient_scale: f64,
    step: u64,
    lr: f64,
    weight_decay: f64,
    settings: &AdamW,
) {
    assert!(
        parameters.len() == gradient.len()
            && gradient.len() == moments.first.len()
            && gradient.len() == moments.second.len(),
        "one size"
    );
    let [b1, b2] = settings.betas;
    let power = |beta: f64| 1.0 - beta.powf(step as f64);
    let step = AdamWStep {
        gradient_scale: gradient_scale as f32,
        keep: (1.0 - lr * weight_decay) as f32,
        betas: [b1 as f32, b2 as f32],
        rest: [(1.0 - b1) as f32, (1.0 - b2) as f32],
        rate: (lr / power(b1)) as f32,
        root: (1.0 / power(b2).sqrt()) as f32,
        eps: settings.eps as f32,
    };
    let tasks = parameters
        .par_chunks_mut(CHUNK)
        .zip(moments.first.par_chunks_mut(CHUNK))
        .zip(moments.second.par_chunks_mut(CHUNK))
        .zip(gradient.par_chunks(CHUNK));
    tasks.for_each(|(((x, m), v), g)| sweep(x, m, v, g, step));
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
