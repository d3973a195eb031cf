//! The gradient of a critic's objective, mean f(s) − mean f(t) + λ·GP.
//!
//! Tokens are worked through in chunks, in order; sums have a fixed order whatever the number of
//! threads. x̂·W₁ of an interpolate x̂ = ε·t + (1 − ε)·s is the same mixture of t·W₁ and s·W₁, so
//! the interpolates need no product with W₁ of their own. What the penalty adds is in
//! [`super::penalty`].

use rayon::prelude::*;

use super::column_sums::add_scaled_column_sums;
use super::net::{CHUNK, Net};
use super::penalty::Penalty;
use super::state::Critic;
use super::workspace::Workspace;
use crate::ops::cpu::matmul::product;
use crate::ops::critic::{Constraint, CriticReport};

/// Interpolates at which the gradient's norm is recorded where no penalty needs it: evenly spaced,
/// so that recording costs little.
const PROBES: usize = 128;

/// The pairs of vectors that a critic learns from.
#[derive(Clone, Copy)]
pub(super) struct Pairs<'a> {
    /// (N, input).
    pub student: &'a [f32],
    /// (N, input).
    pub teacher: &'a [f32],
    /// Places each pair's interpolate, in [0, 1).
    pub epsilon: &'a [f32],
}

impl<'a> Pairs<'a> {
    /// `count` pairs from the pair `start` on.
    fn part(self, start: usize, count: usize, input: usize) -> Self {
        let vectors = start * input..(start + count) * input;
        Self {
            student: &self.student[vectors.clone()],
            teacher: &self.teacher[vectors],
            epsilon: &self.epsilon[start..start + count],
        }
    }
}

/// The gradient with respect to the weights that the forward pass uses.
pub(super) fn gradient(
    critic: &Critic,
    workspace: &mut Workspace,
    pairs: Pairs<'_>,
) -> (Vec<f32>, CriticReport) {
    let weights = critic.effective();
    let net = Net::new(critic, &weights);
    let rows = pairs.epsilon.len();
    let (input, width, depth) = (
        critic.settings.input,
        critic.settings.width,
        critic.settings.depth,
    );
    let (factor, stride) = match critic.settings.constraint {
        Constraint::GradientPenalty(lambda) => (Some(lambda / rows as f64), 1),
        Constraint::Spectral | Constraint::Clip(_) => (None, rows.div_ceil(PROBES)),
    };
    workspace.reserve(depth, rows.min(CHUNK) * width);
    let mut gradient = vec![0.0f32; critic.layout.count()];
    let mut penalty = Penalty::new(&net, factor);
    let mut sums = [0.0f64; 2];
    for start in (0..rows).step_by(CHUNK) {
        let count = CHUNK.min(rows - start);
        let chunk = pairs.part(start, count, input);
        let probes: Vec<usize> = (0..count)
            .filter(|row| (start + row) % stride == 0)
            .collect();
        forward(&net, workspace, chunk, &probes);
        let last = &workspace.activations[depth - 1];
        sums[0] += net.sum(&last[..count * width]);
        sums[1] += net.sum(&last[count * width..2 * count * width]);
        net.factors(
            &workspace.activations,
            &mut workspace.factors,
            2 * count + probes.len(),
        );
        let inputs = [chunk.student, chunk.teacher];
        means_backward(&net, workspace, inputs, count, rows, &mut gradient);
        penalty.add_chunk(&net, workspace, count, probes.len(), &mut gradient);
    }
    penalty.finish(&net, &mut gradient);
    let report = CriticReport {
        estimate: (sums[1] - sums[0]) / rows as f64,
        penalty: penalty.mean(),
        gradient_norm: penalty.mean_norm(),
    };
    (gradient, report)
}

/// Fills the activations of a chunk's student rows, teacher rows and interpolates at `probes`.
fn forward(net: &Net<'_>, workspace: &mut Workspace, chunk: Pairs<'_>, probes: &[usize]) {
    let (width, count) = (net.width, chunk.epsilon.len());
    let (student, rest) = workspace.activations[0].split_at_mut(count * width);
    let (teacher, rest) = rest.split_at_mut(count * width);
    net.first_products(chunk.student, student, count);
    net.first_products(chunk.teacher, teacher, count);
    let (student, teacher) = (&*student, &*teacher);
    rest.par_chunks_mut(width)
        .zip(probes)
        .with_min_len(64)
        .for_each(|(mixed, &probe)| {
            let (row, epsilon) = (probe * width..(probe + 1) * width, chunk.epsilon[probe]);
            let pairs = student[row.clone()].iter().zip(&teacher[row]);
            for (x, (s, t)) in mixed.iter_mut().zip(pairs) {
                *x = epsilon * t + (1.0 - epsilon) * s;
            }
        });
    net.forward(&mut workspace.activations, 2 * count + probes.len());
}

/// Adds the gradient of mean f(s) − mean f(t) of a chunk, the means over `rows` tokens.
fn means_backward(
    net: &Net<'_>,
    workspace: &Workspace,
    inputs: [&[f32]; 2],
    count: usize,
    rows: usize,
    gradient: &mut [f32],
) {
    let width = net.width;
    for (side, sign) in [1.0f32, -1.0].into_iter().enumerate() {
        let scale = sign / rows as f32;
        let part = side * count * width..(side + 1) * count * width;
        for (l, layer) in net.layout.layers.iter().enumerate() {
            let below = if l == 0 {
                inputs[side]
            } else {
                &workspace.activations[l - 1][part.clone()]
            };
            let factors = &workspace.factors[l][part.clone()];
            let shape = net
                .shape(layer.input, count, width)
                .left_transposed()
                .scale(scale)
                .accumulate();
            product(shape, below, factors, &mut gradient[layer.weight.clone()]);
            add_scaled_column_sums(&mut gradient[layer.bias.clone()], factors, scale);
        }
        let last = &workspace.activations[net.layout.layers.len() - 1][part];
        add_scaled_column_sums(&mut gradient[net.layout.out.clone()], last, scale);
    }
}
