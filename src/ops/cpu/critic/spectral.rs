//! Spectral normalisation of a critic's weights (arXiv 1802.05957).
//!
//! Each weight W (in, out) keeps two unit vectors u (in) and v (out); σ = uᵀWv. An update takes one
//! power iteration, v ← Wᵀu/‖Wᵀu‖ and u ← Wv/‖Wv‖, before its forward pass. The network uses W̃ =
//! W/σ; with u and v fixed, ∂L/∂W = (∂L/∂W̃ − ⟨∂L/∂W̃, W̃⟩·u·vᵀ)/σ. Biases are left alone.

use super::layout::CriticLayout;
use crate::ops::cpu::vector::dot;
use crate::random::Stream;

/// Power iterations at the start.
const FIRST_ITERATIONS: usize = 15;
/// Keeps a zero matrix from a division by zero.
const TINY: f64 = 1e-12;

/// The singular vectors u and v of every weight, w last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spectral {
    pub vectors: Vec<(Vec<f32>, Vec<f32>)>,
}

/// Place and columns of every weight, w last.
fn weights(
    layout: &CriticLayout,
    width: usize,
) -> impl Iterator<Item = (std::ops::Range<usize>, usize)> {
    layout
        .layers
        .iter()
        .map(move |layer| (layer.weight.clone(), width))
        .chain([(layout.out.clone(), 1)])
}

impl Spectral {
    pub fn new(
        layout: &CriticLayout,
        width: usize,
        parameters: &[f32],
        stream: &mut Stream,
    ) -> Self {
        let mut vectors = Vec::with_capacity(layout.layers.len() + 1);
        for (range, columns) in weights(layout, width) {
            let mut u: Vec<f32> = (0..range.len() / columns)
                .map(|_| stream.normal() as f32)
                .collect();
            normalize(&mut u);
            vectors.push((u, vec![0.0; columns]));
        }
        let mut spectral = Self { vectors };
        for _ in 0..FIRST_ITERATIONS {
            spectral.iterate(layout, width, parameters);
        }
        spectral
    }

    /// One power iteration of every weight.
    pub fn iterate(&mut self, layout: &CriticLayout, width: usize, parameters: &[f32]) {
        for ((range, columns), (u, v)) in weights(layout, width).zip(&mut self.vectors) {
            let weight = &parameters[range];
            let mut sums = vec![0.0f64; columns];
            for (row, &factor) in weight.chunks_exact(columns).zip(u.iter()) {
                for (sum, &w) in sums.iter_mut().zip(row) {
                    *sum += f64::from(factor) * f64::from(w);
                }
            }
            v.iter_mut()
                .zip(&sums)
                .for_each(|(v, &sum)| *v = sum as f32);
            normalize(v);
            u.iter_mut()
                .zip(weight.chunks_exact(columns))
                .for_each(|(u, row)| *u = dot(row, v) as f32);
            normalize(u);
        }
    }

    /// σ = uᵀWv of every weight.
    pub fn sigmas(&self, layout: &CriticLayout, width: usize, parameters: &[f32]) -> Vec<f64> {
        let mut sigmas = Vec::with_capacity(self.vectors.len());
        for ((range, columns), (u, v)) in weights(layout, width).zip(&self.vectors) {
            let rows = parameters[range].chunks_exact(columns);
            let sigma: f64 = rows
                .zip(u)
                .map(|(row, &u)| f64::from(u) * dot(row, v))
                .sum();
            sigmas.push(sigma.max(TINY));
        }
        sigmas
    }

    /// All parameters with the weights divided by their σ.
    pub fn normalized(&self, layout: &CriticLayout, width: usize, parameters: &[f32]) -> Vec<f32> {
        let mut effective = parameters.to_vec();
        for ((range, _), sigma) in
            weights(layout, width).zip(self.sigmas(layout, width, parameters))
        {
            let scale = (1.0 / sigma) as f32;
            effective[range].iter_mut().for_each(|w| *w *= scale);
        }
        effective
    }

    /// Turns the gradient with respect to W̃ into the one with respect to W, in place.
    pub fn backward(
        &self,
        layout: &CriticLayout,
        width: usize,
        parameters: &[f32],
        effective: &[f32],
        gradient: &mut [f32],
    ) {
        let sigmas = self.sigmas(layout, width, parameters);
        for (((range, columns), (u, v)), sigma) in
            weights(layout, width).zip(&self.vectors).zip(sigmas)
        {
            let gradient = &mut gradient[range.clone()];
            let along = (dot(gradient, &effective[range]) / sigma) as f32;
            let scale = (1.0 / sigma) as f32;
            for (row, &u) in gradient.chunks_exact_mut(columns).zip(u) {
                let factor = along * u;
                row.iter_mut()
                    .zip(v)
                    .for_each(|(g, &v)| *g = *g * scale - factor * v);
            }
        }
    }
}

/// Scales `vector` to length 1; a zero vector stays.
fn normalize(vector: &mut [f32]) {
    let scale = (1.0 / dot(vector, vector).sqrt().max(TINY)) as f32;
    vector.iter_mut().for_each(|x| *x *= scale);
}

#[cfg(test)]
#[path = "spectral_tests.rs"]
mod tests;
