//! Tests of `update.rs`.

use super::super::net::CHUNK;
use super::super::workspace::Workspace;
use super::*;
use crate::ops::test_support::{assert_close, normals, with_threads};
use crate::ops::{CriticSettings, CriticState};
use crate::random::Stream;

fn settings(input: usize, width: usize, depth: usize, constraint: Constraint) -> CriticSettings {
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
        Pairs {
            student: &student,
            teacher: &teacher,
            epsilon: &epsilon,
        },
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
        for (input, width, depth, rows) in [(4, 5, 1, 6), (3, 6, 2, 5), (5, 4, 3, 7), (1, 1, 1, 1)]
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
        Pairs {
            student: &same,
            teacher: &same,
            epsilon: &uniforms(6, 0),
        },
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
                .map(|_| critic_update(&mut critic, &student, &teacher, rows, &epsilon))
                .collect();
            (reports, critic.state())
        });
        assert!(one == two && one == three, "{constraint:?}");
    }
}

/// Trains on fresh samples of two unit normal clouds in four dimensions, `shift` apart along
/// the first axis, and returns the estimate on a large fresh sample.
fn shifted(constraint: Constraint, shift: f32, updates: u64, lr: f64) -> (Critic, CriticReport) {
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
        critic_update(&mut critic, &student, &teacher, 256, &uniforms(256, step));
    }
    let (student, teacher) = clouds(20_000, updates);
    let report = gradient(
        &critic,
        &mut Workspace::default(),
        Pairs {
            student: &student,
            teacher: &teacher,
            epsilon: &uniforms(20_000, updates),
        },
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
