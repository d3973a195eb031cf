//! One training step of a critic on the host: Adam on mean f(s) − mean f(t) + λ·GP.
//!
//! GP = mean (‖∇f(x̂)‖ − 1)² at x̂ = ε·t + (1 − ε)·s needs a second derivative, but for a leaky
//! ReLU ∇f(x̂) = u_1·W₁ᵀ (see [`super::net`]) is a product of weights and constant masks, so its
//! derivative is written out here. Two identities save work without changing the value:
//!
//! - x̂·W₁ is the same mixture of t·W₁ and s·W₁, so the interpolates need no product with W₁ of
//!   their own;
//! - ‖u_1·W₁ᵀ‖² = u_1·K·u_1ᵀ with K = W₁ᵀW₁ (width, width). With c = 2λ/N·(n − 1)/n for a token of
//!   norm n = √(u_1·K·u_1ᵀ + 1e-12), the penalty's gradient with respect to W₁ is W₁·Σ c·u_1ᵀu_1,
//!   and c·u_1·K goes back through the factors. So nothing is as wide as the input.
//!
//! Tokens are worked through in chunks, in order; sums have a fixed order whatever the number of
//! threads.

use rayon::prelude::*;

use super::net::{CHUNK, Net};
use super::settings::Constraint;
use super::state::{Critic, clamp};
use super::workspace::{Workspace, reserve};
use crate::ops::cpu::matmul::product;
use crate::ops::cpu::product::Product;
use crate::ops::cpu::vector::{dispatched, dot};

/// Adam's epsilon.
const ADAM_EPSILON: f64 = 1e-8;
/// Added to the squared norm of ∇f, so that its root has a derivative at 0.
const NORM_EPSILON: f64 = 1e-12;
/// Interpolates at which the gradient's norm is recorded where no penalty needs it: evenly spaced,
/// so that recording costs little.
const PROBES: usize = 128;
/// Parameters that one task of Adam works on.
const ADAM_CHUNK: usize = 1 << 14;

/// What an update saw, before it changed the critic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticReport {
    /// mean f(t) − mean f(s).
    pub estimate: f64,
    /// mean (‖∇f(x̂)‖ − 1)², without λ; 0 where the constraint is another.
    pub penalty: f64,
    /// mean ‖∇f(x̂)‖; with other constraints than the gradient penalty, over at most 128 evenly
    /// spaced tokens.
    pub gradient_norm: f64,
}

/// The penalty's part that is summed over chunks.
struct Penalty {
    /// K = W₁ᵀW₁.
    gram: Vec<f32>,
    /// Σ c·u_1ᵀu_1.
    outer: Vec<f32>,
    norms: f64,
    penalty: f64,
    count: usize,
}

/// One update of `critic` on `rows` pairs of vectors, `student` and `teacher` (rows, input) each,
/// with one ε in [0, 1) a row.
pub fn critic_update(
    critic: &mut Critic,
    student: &[f32],
    teacher: &[f32],
    rows: usize,
    epsilon: &[f32],
) -> CriticReport {
    let input = critic.settings.input;
    assert!(
        rows > 0
            && student.len() == rows * input
            && teacher.len() == rows * input
            && epsilon.len() == rows,
        "rows of width {input} and an epsilon for each"
    );
    if let Some(spectral) = &mut critic.spectral {
        spectral.iterate(&critic.layout, critic.settings.width, &critic.parameters);
    }
    let mut workspace = std::mem::take(&mut critic.workspace);
    let (mut gradient, report) = gradient(critic, &mut workspace, student, teacher, rows, epsilon);
    critic.workspace = workspace;
    if let Some(spectral) = &critic.spectral {
        let effective = critic.effective();
        spectral.backward(
            &critic.layout,
            critic.settings.width,
            &critic.parameters,
            &effective,
            &mut gradient,
        );
    }
    adam(critic, &gradient);
    if let Constraint::Clip(bound) = critic.settings.constraint {
        clamp(&mut critic.parameters, bound);
    }
    report
}

/// The gradient of mean f(s) − mean f(t) + λ·GP with respect to the weights that the forward pass
/// uses.
fn gradient(
    critic: &Critic,
    workspace: &mut Workspace,
    student: &[f32],
    teacher: &[f32],
    rows: usize,
    epsilon: &[f32],
) -> (Vec<f32>, CriticReport) {
    let weights = critic.effective();
    let net = Net::new(critic, &weights);
    let (input, width, depth) = (
        critic.settings.input,
        critic.settings.width,
        critic.settings.depth,
    );
    let (lambda, stride) = match critic.settings.constraint {
        Constraint::GradientPenalty(lambda) => (Some(lambda), 1),
        Constraint::Spectral | Constraint::Clip(_) => (None, rows.div_ceil(PROBES)),
    };
    workspace.activations.resize_with(depth, Vec::new);
    workspace.factors.resize_with(depth, Vec::new);
    let size = 3 * rows.min(CHUNK) * width;
    workspace
        .activations
        .iter_mut()
        .chain(&mut workspace.factors)
        .for_each(|buffer| reserve(buffer, size));
    workspace
        .back
        .iter_mut()
        .for_each(|buffer| reserve(buffer, size / 3));

    let mut gradient = vec![0.0f32; critic.layout.count()];
    let mut gram = vec![0.0f32; width * width];
    product(
        Product::new(width, input, width).left_transposed(),
        net.weight(0),
        net.weight(0),
        &mut gram,
    );
    let mut penalty = Penalty {
        gram,
        outer: vec![0.0; width * width],
        norms: 0.0,
        penalty: 0.0,
        count: 0,
    };
    let mut sums = [0.0f64; 2];
    for start in (0..rows).step_by(CHUNK) {
        let count = CHUNK.min(rows - start);
        let student = &student[start * input..(start + count) * input];
        let teacher = &teacher[start * input..(start + count) * input];
        let probes: Vec<usize> = (start..start + count)
            .filter(|row| row % stride == 0)
            .collect();
        forward(
            &net,
            workspace,
            [student, teacher],
            count,
            start,
            &probes,
            epsilon,
        );
        let last = &workspace.activations[depth - 1];
        sums[0] += net.sum(&last[..count * width]);
        sums[1] += net.sum(&last[count * width..2 * count * width]);
        net.factors(
            &workspace.activations,
            &mut workspace.factors,
            2 * count + probes.len(),
        );
        means_backward(
            &net,
            workspace,
            [student, teacher],
            count,
            rows,
            &mut gradient,
        );
        penalty_backward(
            &net,
            workspace,
            count,
            probes.len(),
            lambda.map(|lambda| lambda / rows as f64),
            &mut penalty,
            &mut gradient,
        );
    }
    if lambda.is_some() {
        let first = critic.layout.layers[0].weight.clone();
        product(
            Product::new(input, width, width).accumulate(),
            net.weight(0),
            &penalty.outer,
            &mut gradient[first],
        );
    }
    let report = CriticReport {
        estimate: (sums[1] - sums[0]) / rows as f64,
        penalty: if lambda.is_some() {
            penalty.penalty / penalty.count as f64
        } else {
            0.0
        },
        gradient_norm: penalty.norms / penalty.count as f64,
    };
    (gradient, report)
}

/// Fills the activations of `count` student rows, `count` teacher rows and the interpolates at
/// `probes` (indices in the whole batch; the chunk begins at `start`).
fn forward(
    net: &Net<'_>,
    workspace: &mut Workspace,
    inputs: [&[f32]; 2],
    count: usize,
    start: usize,
    probes: &[usize],
    epsilon: &[f32],
) {
    let width = net.width;
    let (student, rest) = workspace.activations[0].split_at_mut(count * width);
    let (teacher, rest) = rest.split_at_mut(count * width);
    net.enter(inputs[0], student, count);
    net.enter(inputs[1], teacher, count);
    let (student, teacher) = (&*student, &*teacher);
    rest.par_chunks_mut(width)
        .zip(probes)
        .with_min_len(64)
        .for_each(|(mixed, &probe)| {
            let (row, epsilon) = ((probe - start) * width, epsilon[probe]);
            for ((x, s), t) in mixed
                .iter_mut()
                .zip(&student[row..row + width])
                .zip(&teacher[row..row + width])
            {
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
            add_column_sums(&mut gradient[layer.bias.clone()], factors, scale);
        }
        let last = &workspace.activations[net.layout.layers.len() - 1][part];
        add_column_sums(&mut gradient[net.layout.out.clone()], last, scale);
    }
}

/// Records the norms of ∇f at the interpolates of a chunk and, with a `factor` λ/N, adds the
/// penalty's gradient for all weights but W₁, whose part is left in `penalty.outer`.
fn penalty_backward(
    net: &Net<'_>,
    workspace: &mut Workspace,
    count: usize,
    probes: usize,
    factor: Option<f64>,
    penalty: &mut Penalty,
    gradient: &mut [f32],
) {
    let width = net.width;
    let part = 2 * count * width..(2 * count + probes) * width;
    let size = probes * width;
    let [back, other] = &mut workspace.back;
    let (mut back, mut other) = (&mut back[..size], &mut other[..size]);
    let first = &workspace.factors[0][part.clone()];
    product(
        Product::new(probes, width, width),
        first,
        &penalty.gram,
        back,
    );
    let norms: Vec<f64> = first
        .par_chunks(width)
        .zip(back.par_chunks(width))
        .with_min_len(64)
        .map(|(u, k)| (dot(u, k).max(0.0) + NORM_EPSILON).sqrt())
        .collect();
    penalty.norms += norms.iter().sum::<f64>();
    penalty.penalty += norms.iter().map(|norm| (norm - 1.0).powi(2)).sum::<f64>();
    penalty.count += probes;
    let Some(factor) = factor else { return };

    // c·u_1 for the sum of outer products, and c·u_1·K in place, which then goes back through the
    // factors.
    let rows = other
        .par_chunks_mut(width)
        .zip(back.par_chunks_mut(width))
        .zip(first.par_chunks(width))
        .zip(&norms);
    rows.with_min_len(64)
        .for_each(|(((scaled, back), first), norm)| {
            let c = (2.0 * factor * (norm - 1.0) / norm) as f32;
            scaled
                .iter_mut()
                .zip(first)
                .for_each(|(scaled, u)| *scaled = c * u);
            back.iter_mut().for_each(|x| *x *= c);
        });
    product(
        Product::new(width, probes, width)
            .left_transposed()
            .accumulate(),
        first,
        other,
        &mut penalty.outer,
    );
    net.mask(back, &workspace.activations[0][part.clone()]);
    for (l, layer) in net.layout.layers.iter().enumerate().skip(1) {
        let shape = Product::new(width, probes, width)
            .left_transposed()
            .accumulate();
        product(
            shape,
            back,
            &workspace.factors[l][part.clone()],
            &mut gradient[layer.weight.clone()],
        );
        product(
            Product::new(probes, width, width),
            back,
            net.weight(l),
            other,
        );
        net.mask(other, &workspace.activations[l][part.clone()]);
        std::mem::swap(&mut back, &mut other);
    }
    add_column_sums(&mut gradient[net.layout.out.clone()], back, 1.0);
}

/// Adds `scale` times the sum of the rows of `values` to `sums`, in the order of the rows.
fn add_column_sums(sums: &mut [f32], values: &[f32], scale: f32) {
    let width = sums.len();
    let columns = width.div_ceil(4).max(32);
    sums.par_chunks_mut(columns)
        .enumerate()
        .for_each(|(block, sums)| {
            let mut total = vec![0.0f32; sums.len()];
            add_rows(
                &mut total,
                &values[(block * columns).min(values.len())..],
                width,
            );
            sums.iter_mut()
                .zip(&total)
                .for_each(|(sum, total)| *sum += scale * total);
        });
}

dispatched! {
    /// sums += each row of `values` in turn; rows begin `stride` apart and may be longer than the
    /// sums.
    fn add_rows(sums: &mut [f32], values: &[f32], stride: usize) {
        for row in values.chunks(stride) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
    }
}

/// One step of Adam (arXiv 1412.6980) with bias correction as in PyTorch, no decay.
fn adam(critic: &mut Critic, gradient: &[f32]) {
    critic.step += 1;
    let [beta1, beta2] = critic.settings.betas;
    let exponent = i32::try_from(critic.step).unwrap_or(i32::MAX);
    let rate = (critic.settings.lr / (1.0 - beta1.powi(exponent))) as f32;
    let root = (1.0 / (1.0 - beta2.powi(exponent)).sqrt()) as f32;
    let moments = critic
        .first
        .par_chunks_mut(ADAM_CHUNK)
        .zip(critic.second.par_chunks_mut(ADAM_CHUNK));
    critic
        .parameters
        .par_chunks_mut(ADAM_CHUNK)
        .zip(moments)
        .zip(gradient.par_chunks(ADAM_CHUNK))
        .for_each(|((parameters, (first, second)), gradient)| {
            adam_step(
                parameters,
                first,
                second,
                gradient,
                [beta1, beta2],
                rate,
                root,
            );
        });
}

dispatched! {
    fn adam_step(parameters: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32], betas: [f64; 2], rate: f32, root: f32) {
        let [keep1, keep2] = betas.map(|beta| beta as f32);
        let [add1, add2] = betas.map(|beta| (1.0 - beta) as f32);
        let epsilon = ADAM_EPSILON as f32;
        for (((p, m), v), &g) in parameters.iter_mut().zip(first).zip(second).zip(gradient) {
            *m = keep1 * *m + add1 * g;
            *v = keep2 * *v + add2 * g * g;
            *p -= rate * *m / (v.sqrt() * root + epsilon);
        }
    }
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
