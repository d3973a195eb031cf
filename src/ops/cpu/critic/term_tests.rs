//! Tests of `term.rs`.

use super::super::critic_update;
use super::*;
use crate::ops::composed::losses as composed;
use crate::ops::test_support::{assert_close, gradients, matrix, normals, with_threads};
use crate::ops::{
    Constraint, CriticReport, CriticSettings, CriticState, CriticTask, Losses, Precision,
};
use crate::random::Stream;

/// An update with every interpolate in the middle.
fn update(critic: &mut Critic, x: &Mat<Cpu>, target: &Mat<Cpu>) -> CriticReport {
    let mut task = CriticTask {
        critic,
        student: x,
        teacher: target,
        updates: 1,
        epsilon: &|_| vec![0.5; x.shape().0],
    };
    Cpu::critic_updates(std::slice::from_mut(&mut task)).swap_remove(0)
}

fn trained(input: usize, width: usize, depth: usize, constraint: Constraint) -> Critic {
    let settings = CriticSettings {
        input,
        width,
        depth,
        slope: 0.2,
        constraint,
        lr: 1e-2,
        betas: [0.0, 0.9],
    };
    let mut critic = Critic::new(&settings, Stream::new(1, "critic", 0));
    for step in 0..3 {
        critic_update(
            &mut critic,
            &normals(8 * input, 1.0, step),
            &normals(8 * input, 2.0, 10 + step),
            8,
            &[0.3; 8],
        );
    }
    critic
}

#[test]
fn value_and_gradient_equal_those_of_dfdx_s_own_operations() {
    for constraint in [
        Constraint::GradientPenalty(10.0),
        Constraint::Spectral,
        Constraint::Clip(0.1),
    ] {
        for (rows, input, width, depth) in [(7, 5, 9, 2), (1, 1, 1, 1), (CHUNK + 5, 3, 4, 3)] {
            let critic = trained(input, width, depth, constraint);
            let (x, target) = (matrix(rows, input, 1.0, 0), matrix(rows, input, 1.0, 1));
            let (loss, value) = Cpu::critic_term(x.leaky_trace(), &target, &critic);
            let (expected_loss, expected) =
                composed::critic_term(x.leaky_trace(), &target, &critic);
            assert!(
                (value - expected).abs() < 1e-5,
                "{value} against {expected}"
            );
            assert_eq!(loss.value(), value as f32);
            assert_close(
                &gradients(loss, &[&x])[0],
                &gradients(expected_loss, &[&x])[0],
                1e-5,
            );
            assert_eq!(Cpu::critic_term(x.clone(), &target, &critic).1, value);
        }
    }
}

#[test]
fn the_value_is_the_estimate_of_the_next_update() {
    let mut critic = trained(6, 8, 2, Constraint::GradientPenalty(10.0));
    let (x, target) = (matrix(9, 6, 1.0, 0), matrix(9, 6, 2.0, 1));
    let (_, value) = Cpu::critic_term(x.clone(), &target, &critic);
    let report = update(&mut critic, &x, &target);
    assert!((report.estimate - value).abs() < 1e-12);
}

#[test]
fn numbers_rounded_to_bfloat16_give_nearly_the_same_term_and_update() {
    for constraint in [
        Constraint::GradientPenalty(10.0),
        Constraint::Spectral,
        Constraint::Clip(0.1),
    ] {
        let mut exact = trained(24, 40, 2, constraint);
        let mut rounded = exact.clone();
        rounded.set_precision(Precision::Bf16);
        let (x, target) = (
            matrix(CHUNK + 50, 24, 1.0, 0),
            matrix(CHUNK + 50, 24, 2.0, 1),
        );
        let term = |critic: &Critic| {
            let (loss, value) = Cpu::critic_term(x.leaky_trace(), &target, critic);
            (value, gradients(loss, &[&x]).swap_remove(0))
        };
        let [one, two, three] = with_threads(|| term(&rounded));
        assert!(one == two && one == three, "{constraint:?}");
        let ((value, gradient), (expected, expected_gradient)) = (one, term(&exact));
        assert!(
            value != expected && (value - expected).abs() < 5e-3 * expected.abs(),
            "{constraint:?}: {value} against {expected}"
        );
        // A unit near its kink may fall on the other side of it.
        let off = distance(&gradient, &expected_gradient);
        assert!(off < 0.1, "{constraint:?}: {off}");
        let before = exact.parameters.clone();
        let report = update(&mut rounded, &x, &target);
        let expected = update(&mut exact, &x, &target);
        assert!(
            (report.gradient_norm - expected.gradient_norm).abs() < 1e-2 * expected.gradient_norm,
            "{constraint:?}"
        );
        let step = |critic: &Critic| {
            critic
                .parameters
                .iter()
                .zip(&before)
                .map(|(after, before)| after - before)
                .collect::<Vec<f32>>()
        };
        // Adam makes steps of one length from gradients of any size, small ones as uncertain as
        // they are.
        let off = distance(&step(&rounded), &step(&exact));
        assert!(off < 0.2, "{constraint:?}: {off}");
    }
}

/// ‖a − b‖ / ‖b‖.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
    };
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let critic = trained(24, 40, 2, Constraint::Spectral);
    let (x, target) = (
        matrix(CHUNK + 50, 24, 1.0, 0),
        matrix(CHUNK + 50, 24, 2.0, 1),
    );
    let [one, two, three] = with_threads(|| {
        let (loss, value) = Cpu::critic_term(x.leaky_trace(), &target, &critic);
        (value, gradients(loss, &[&x]))
    });
    assert!(one == two && one == three);
}
