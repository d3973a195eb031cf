//! One training step of a critic on the host: Adam on mean f(s) − mean f(t) + λ·GP.
//!
//! GP = mean (‖∇f(x̂)‖ − 1)² at x̂ = ε·t + (1 − ε)·s needs a second derivative, but for a leaky
//! ReLU ∇f(x̂) = u_1·W₁ᵀ (see `critic_net.rs`) is a product of weights and constant masks, so its
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

use super::critic::{Constraint, Critic, clamp};
use super::critic_net::{CHUNK, Net, reserve};
use super::matmul::{Product, product};
use super::vector::{dispatched, dot};

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

/// Buffers that live from one update to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Workspace {
    /// Activations of each layer for a chunk: student rows, teacher rows, interpolates.
    activations: Vec<Vec<f32>>,
    /// Factors of each layer, in the same rows.
    factors: Vec<Vec<f32>>,
    /// Two buffers for what goes back through the factors of the interpolates.
    back: [Vec<f32>; 2],
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
pub(super) fn update(
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
mod tests {
    use super::super::critic::CriticSettings;
    use super::super::loss_checks::{assert_close, normals, with_threads};
    use super::*;
    use crate::random::Stream;

    fn settings(
        input: usize,
        width: usize,
        depth: usize,
        constraint: Constraint,
    ) -> CriticSettings {
        CriticSettings {
            input,
            width,
            depth,
            slope: 0.2,
            constraint,
            lr: 1e-3,
            betas: [0.0, 0.9],
        }
    }

    fn uniforms(count: usize, index: u64) -> Vec<f32> {
        let mut stream = Stream::new(5, "epsilon", index);
        (0..count).map(|_| stream.uniform() as f32).collect()
    }

    /// f and ∇f at x in f64, the gradient by the chain rule row by row.
    fn judge(critic: &Critic, weights: &[f64], x: &[f64]) -> (f64, Vec<f64>) {
        let (width, slope) = (critic.settings.width, critic.settings.slope);
        let mut activations = vec![x.to_vec()];
        for layer in &critic.layout.layers {
            let (below, weight, bias) = (
                activations.last().unwrap(),
                &weights[layer.weight.clone()],
                &weights[layer.bias.clone()],
            );
            let z = |j: usize| {
                below
                    .iter()
                    .enumerate()
                    .map(|(i, a)| a * weight[i * width + j])
                    .sum::<f64>()
                    + bias[j]
            };
            activations.push(
                (0..width)
                    .map(z)
                    .map(|z| if z > 0.0 { z } else { slope * z })
                    .collect(),
            );
        }
        let out = &weights[critic.layout.out.clone()];
        let value = activations
            .last()
            .unwrap()
            .iter()
            .zip(out)
            .map(|(a, w)| a * w)
            .sum();
        let mut gradient = out.to_vec();
        for (layer, above) in critic.layout.layers.iter().zip(&activations[1..]).rev() {
            let masked: Vec<f64> = gradient
                .iter()
                .zip(above)
                .map(|(g, &a)| if a > 0.0 { *g } else { slope * g })
                .collect();
            gradient = weights[layer.weight.clone()]
                .chunks_exact(width)
                .map(|row| row.iter().zip(&masked).map(|(w, g)| w * g).sum())
                .collect();
        }
        (value, gradient)
    }

    /// W/σ for the spectral constraint with u and v fixed, in f64.
    fn effective(critic: &Critic, parameters: &[f64]) -> Vec<f64> {
        let mut weights = parameters.to_vec();
        let Some(spectral) = &critic.spectral else {
            return weights;
        };
        let ranges = critic
            .layout
            .layers
            .iter()
            .map(|layer| layer.weight.clone())
            .chain([critic.layout.out.clone()]);
        for (range, (u, v)) in ranges.zip(&spectral.vectors) {
            let columns = v.len();
            let at = |i: usize| {
                f64::from(u[i / columns]) * parameters[range.start + i] * f64::from(v[i % columns])
            };
            let sigma: f64 = (0..range.len()).map(at).sum();
            weights[range].iter_mut().for_each(|w| *w /= sigma);
        }
        weights
    }

    /// The critic's objective, and its report, by their definitions in f64.
    fn objective(
        critic: &Critic,
        parameters: &[f64],
        student: &[f32],
        teacher: &[f32],
        epsilon: &[f32],
    ) -> (f64, CriticReport) {
        let weights = effective(critic, parameters);
        let input = critic.settings.input;
        let wide = |row: &[f32]| row.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let (mut estimate, mut penalty, mut norms) = (0.0, 0.0, 0.0);
        for ((s, t), &epsilon) in student
            .chunks_exact(input)
            .zip(teacher.chunks_exact(input))
            .zip(epsilon)
        {
            let (s, t) = (wide(s), wide(t));
            estimate += judge(critic, &weights, &t).0 - judge(critic, &weights, &s).0;
            let mixed: Vec<f64> = s
                .iter()
                .zip(&t)
                .map(|(s, t)| f64::from(epsilon) * t + (1.0 - f64::from(epsilon)) * s)
                .collect();
            let norm = (judge(critic, &weights, &mixed)
                .1
                .iter()
                .map(|g| g * g)
                .sum::<f64>()
                + 1e-12)
                .sqrt();
            norms += norm;
            penalty += (norm - 1.0).powi(2);
        }
        let rows = epsilon.len() as f64;
        let lambda = if let Constraint::GradientPenalty(lambda) = critic.settings.constraint {
            lambda
        } else {
            0.0
        };
        let report = CriticReport {
            estimate: estimate / rows,
            penalty: if lambda > 0.0 { penalty / rows } else { 0.0 },
            gradient_norm: norms / rows,
        };
        (lambda * penalty / rows - report.estimate, report)
    }

    /// Numbers of the kernel against those of the definitions.
    fn compare(settings: &CriticSettings, rows: usize) {
        let mut critic = Critic::new(settings, Stream::new(1, "critic", 0));
        // Weights a few times larger than the initial ones, so that norms are far from 0 and every
        // part of the gradient counts.
        critic.parameters.iter_mut().for_each(|p| *p *= 3.0);
        let (student, teacher, epsilon) = (
            normals(rows * settings.input, 1.0, 1),
            normals(rows * settings.input, 1.5, 2),
            uniforms(rows, 0),
        );
        let (found, report) = gradient(
            &critic,
            &mut Workspace::default(),
            &student,
            &teacher,
            rows,
            &epsilon,
        );
        let mut found = found;
        if let Some(spectral) = &critic.spectral {
            spectral.backward(
                &critic.layout,
                settings.width,
                &critic.parameters,
                &critic.effective(),
                &mut found,
            );
        }
        let point: Vec<f64> = critic.parameters.iter().map(|&p| f64::from(p)).collect();
        let expected = objective(&critic, &point, &student, &teacher, &epsilon).1;
        for (found, expected) in [
            (report.estimate, expected.estimate),
            (report.penalty, expected.penalty),
            (report.gradient_norm, expected.gradient_norm),
        ] {
            assert!(
                (found - expected).abs() < 1e-5 * expected.abs().max(1.0),
                "{found} against {expected} for {settings:?}"
            );
        }
        let numeric: Vec<f32> = (0..point.len())
            .map(|i| {
                let at = |shift: f64| {
                    let mut point = point.clone();
                    point[i] += shift;
                    objective(&critic, &point, &student, &teacher, &epsilon).0
                };
                ((at(1e-6) - at(-1e-6)) / 2e-6) as f32
            })
            .collect();
        assert_close(&found, &numeric, 2e-5);
    }

    #[test]
    fn the_gradient_is_that_of_the_objective_for_every_constraint_and_depth() {
        for constraint in [
            Constraint::GradientPenalty(10.0),
            Constraint::Spectral,
            Constraint::Clip(0.5),
        ] {
            for (input, width, depth, rows) in
                [(4, 5, 1, 6), (3, 6, 2, 5), (5, 4, 3, 7), (1, 1, 1, 1)]
            {
                compare(&settings(input, width, depth, constraint), rows);
            }
        }
    }

    #[test]
    fn chunks_of_tokens_change_nothing() {
        let settings = settings(3, 4, 2, Constraint::GradientPenalty(10.0));
        compare(&settings, CHUNK + 3);
    }

    #[test]
    fn biases_get_no_gradient_from_the_penalty() {
        let critic = Critic::new(
            &settings(4, 5, 2, Constraint::GradientPenalty(10.0)),
            Stream::new(1, "critic", 0),
        );
        let same = normals(24, 1.0, 1);
        let (gradient, _) = gradient(
            &critic,
            &mut Workspace::default(),
            &same,
            &same,
            6,
            &uniforms(6, 0),
        );
        for layer in &critic.layout.layers {
            assert!(gradient[layer.bias.clone()].iter().all(|&g| g.abs() < 1e-7));
            assert!(
                gradient[layer.weight.clone()]
                    .iter()
                    .any(|&g| g.abs() > 1e-2)
            );
        }
    }

    #[test]
    fn adam_takes_pytorch_s_steps() {
        // f(w) with gradients 1, −2 and 0.5 in turn; three steps by hand with β = (0.5, 0.9), lr =
        // 0.1.
        let mut critic = Critic::new(
            &CriticSettings {
                lr: 0.1,
                betas: [0.5, 0.9],
                ..settings(1, 1, 1, Constraint::GradientPenalty(1.0))
            },
            Stream::new(1, "critic", 0),
        );
        critic.parameters.fill(1.0);
        let (mut p, mut m, mut v) = (1.0f64, 0.0f64, 0.0f64);
        for (step, g) in [1.0f64, -2.0, 0.5].into_iter().enumerate() {
            adam(&mut critic, &[g as f32; 3]);
            m = 0.5 * m + 0.5 * g;
            v = 0.9 * v + 0.1 * g * g;
            let t = step as i32 + 1;
            p -= 0.1 * (m / (1.0 - 0.5f64.powi(t))) / ((v / (1.0 - 0.9f64.powi(t))).sqrt() + 1e-8);
            assert!(
                (f64::from(critic.parameters[0]) - p).abs() < 1e-6,
                "{} against {p}",
                critic.parameters[0]
            );
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        for constraint in [
            Constraint::GradientPenalty(10.0),
            Constraint::Spectral,
            Constraint::Clip(0.01),
        ] {
            let rows = CHUNK + 77;
            let (student, teacher, epsilon) = (
                normals(rows * 40, 1.0, 1),
                normals(rows * 40, 1.5, 2),
                uniforms(rows, 0),
            );
            let [one, two, three] = with_threads(|| {
                let mut critic = Critic::new(
                    &settings(40, 72, 2, constraint),
                    Stream::new(1, "critic", 0),
                );
                let reports: Vec<CriticReport> = (0..3)
                    .map(|_| update(&mut critic, &student, &teacher, rows, &epsilon))
                    .collect();
                (reports, critic.state())
            });
            assert!(one == two && one == three, "{constraint:?}");
        }
    }

    /// Trains on fresh samples of two unit normal clouds in four dimensions, `shift` apart along
    /// the first axis, and returns the estimate on a large fresh sample.
    fn shifted(
        constraint: Constraint,
        shift: f32,
        updates: u64,
        lr: f64,
    ) -> (Critic, CriticReport) {
        let settings = CriticSettings {
            lr,
            ..settings(4, 32, 2, constraint)
        };
        let mut critic = Critic::new(&settings, Stream::new(1, "critic", 0));
        let clouds = |rows: usize, index: u64| {
            let mut teacher = normals(rows * 4, 1.0, 1000 + 2 * index);
            teacher.iter_mut().step_by(4).for_each(|x| *x += shift);
            (normals(rows * 4, 1.0, 1001 + 2 * index), teacher)
        };
        for step in 0..updates {
            // The rate goes down to a tenth, so that the optimum is reached and not circled.
            critic.settings.lr = lr * (1.0 - 0.9 * step as f64 / updates as f64);
            let (student, teacher) = clouds(256, step);
            update(&mut critic, &student, &teacher, 256, &uniforms(256, step));
        }
        let (student, teacher) = clouds(20_000, updates);
        let report = gradient(
            &critic,
            &mut Workspace::default(),
            &student,
            &teacher,
            20_000,
            &uniforms(20_000, updates),
        )
        .1;
        (critic, report)
    }

    #[test]
    fn with_the_penalty_the_estimate_of_a_shift_tends_to_its_known_limit() {
        let (shift, lambda) = (2.0, 10.0);
        let (_, report) = shifted(
            Constraint::GradientPenalty(lambda),
            shift as f32,
            1500,
            1e-3,
        );
        let limit = shift * (1.0 + shift / (2.0 * lambda));
        assert!(
            (report.estimate / limit - 1.0).abs() < 0.05,
            "{report:?} against {limit}"
        );
        assert!(
            (report.gradient_norm / (1.0 + shift / (2.0 * lambda)) - 1.0).abs() < 0.05,
            "{report:?}"
        );
    }

    #[test]
    fn a_spectrally_normalised_critic_stays_below_the_shift() {
        let (_, report) = shifted(Constraint::Spectral, 2.0, 600, 2e-3);
        assert!(
            (0.5 * 2.0..1.03 * 2.0).contains(&report.estimate),
            "{report:?}"
        );
        assert!(report.gradient_norm < 1.03, "{report:?}");
    }

    #[test]
    fn a_clipped_critic_keeps_its_bounds_and_grows_with_the_shift() {
        let run = |shift| {
            let (critic, report) = shifted(Constraint::Clip(0.05), shift, 200, 1e-3);
            assert!(critic.parameters.iter().all(|p| p.abs() <= 0.05));
            report.estimate
        };
        let (near, far) = (run(1.0), run(3.0));
        assert!(near > 0.0 && far > 1.5 * near, "{near} and {far}");
    }
}
