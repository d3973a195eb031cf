//! Tests of `state.rs`.

use super::super::critic_update;
use super::*;
use crate::ops::test_support::normals;

fn settings(constraint: Constraint) -> CriticSettings {
    CriticSettings {
        input: 5,
        width: 7,
        depth: 2,
        slope: 0.2,
        constraint,
        lr: 1e-3,
        betas: [0.5, 0.9],
    }
}

fn train(critic: &mut Critic, from: u64, updates: u64) {
    for step in from..from + updates {
        let epsilon: Vec<f32> = normals(6, 1.0, 100 + step)
            .iter()
            .map(|x| x.abs().fract())
            .collect();
        critic_update(
            critic,
            &normals(30, 1.0, step),
            &normals(30, 2.0, 50 + step),
            6,
            &epsilon,
        );
    }
}

#[test]
fn a_restored_critic_goes_on_bit_for_bit() {
    for constraint in [
        Constraint::GradientPenalty(10.0),
        Constraint::Spectral,
        Constraint::Clip(0.01),
    ] {
        let mut whole = Critic::new(&settings(constraint), Stream::new(1, "critic", 0));
        train(&mut whole, 0, 3);
        let saved = whole.state();
        train(&mut whole, 3, 3);
        let mut resumed = Critic::new(&settings(constraint), Stream::new(2, "critic", 0));
        resumed.restore(&saved).unwrap();
        assert_eq!(resumed.state(), saved);
        train(&mut resumed, 3, 3);
        assert_eq!(resumed.state(), whole.state(), "{constraint:?}");
    }
}

#[test]
fn step_counts_beyond_the_exact_range_of_f32_are_kept() {
    let mut critic = Critic::new(&settings(Constraint::Spectral), Stream::new(1, "critic", 0));
    critic.step = 7 * STEP_BASE + 16_777_213;
    let mut other = Critic::new(&settings(Constraint::Spectral), Stream::new(2, "critic", 0));
    other.restore(&critic.state()).unwrap();
    assert_eq!(other.step, critic.step);
}

#[test]
fn a_state_of_other_settings_is_refused_by_name() {
    let narrow = CriticSettings {
        depth: 1,
        ..settings(Constraint::Clip(0.01))
    };
    let mut critic = Critic::new(&narrow, Stream::new(1, "critic", 0));
    let before = critic.state();
    let mut state = before.clone();
    state[0].1 = vec![7, 5];
    state[2].0 = "out".to_owned();
    assert_eq!(
        critic.restore(&state).unwrap_err().to_string(),
        "the saved critic does not fit its settings: layers.0.weight has shape [7, 5], this \
             critic asks for [5, 7]; out.weight is missing; out is no part of this critic"
    );
    assert_eq!(critic.state(), before);
}

#[test]
fn initial_parameters_are_uniform_by_fan_in() {
    let wide = CriticSettings {
        input: 100,
        width: 400,
        ..settings(Constraint::GradientPenalty(10.0))
    };
    let critic = Critic::new(&wide, Stream::new(1, "critic", 0));
    for (name, shape, values) in critic.parameters() {
        let bound = if name.starts_with("layers.0") {
            0.1
        } else {
            0.05f32
        };
        assert!(values.iter().all(|x| x.abs() <= bound), "{name} {shape:?}");
        let variance = values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32;
        assert!(
            (variance * 3.0 / (bound * bound) - 1.0).abs() < 0.25,
            "{name}: {variance}"
        );
    }
}
