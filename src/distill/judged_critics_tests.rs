//! Tests of `judged_critics.rs`, against clouds whose distance is known: one that is the other
//! shifted by c is at a Wasserstein-1 distance of ‖c‖, since no plan moves the mean by less.

use super::*;
use crate::ops::{Constraint, Cpu, Critic, CriticSettings, CriticState, Losses, tape};
use crate::random::Stream;

const WIDTH: usize = 6;
const ROWS: usize = 256;

fn settings(constraint: Constraint) -> CriticSettings {
    CriticSettings {
        input: WIDTH,
        width: 16,
        depth: 2,
        slope: 0.2,
        constraint,
        lr: 5e-3,
        betas: [0.0, 0.9],
    }
}

/// A normal cloud, and the same shifted by `shift` along every coordinate in turn, with alternating
/// signs.
fn shifted(index: u64, shift: f32) -> (Mat<Cpu>, Mat<Cpu>) {
    let mut stream = Stream::new(3, "clouds", index);
    let values: Vec<f32> = (0..ROWS * WIDTH).map(|_| stream.normal() as f32).collect();
    let moved = values.iter().enumerate().map(|(place, value)| {
        let sign = if (place % WIDTH).is_multiple_of(2) {
            1.0
        } else {
            -1.0
        };
        value + sign * shift
    });
    let device = Cpu::default();
    let matrix = |values: Vec<f32>| tape::matrix(&device, ROWS, WIDTH, values);
    let moved = matrix(moved.collect());
    (matrix(values), moved)
}

/// A critic that is x ↦ direction·x: its first unit carries the product far above the bend of
/// the leaky ReLU, and the others carry nothing.
fn linear(direction: &[f32]) -> Critic {
    let mut critic = Critic::new(
        &settings(Constraint::GradientPenalty(10.0)),
        Stream::new(1, "critic", 0),
    );
    let mut state = critic.state();
    for (name, shape, values) in &mut state {
        if name.starts_with("adam") {
            continue;
        }
        values.fill(0.0);
        match name.as_str() {
            "layers.0.weight" => {
                let units = shape[1];
                for (row, value) in direction.iter().enumerate() {
                    values[row * units] = *value;
                }
            }
            "layers.0.bias" => values[0] = 64.0,
            _ => values[0] = 1.0,
        }
    }
    critic.restore(&state).unwrap();
    critic
}

#[test]
fn a_linear_critic_says_the_shift_along_its_direction() {
    let unit = 1.0 / (WIDTH as f32).sqrt();
    let along: Vec<f32> = (0..WIDTH)
        .map(|place| if place % 2 == 0 { unit } else { -unit })
        .collect();
    let clouds: Vec<_> = (0..3).map(|index| shifted(index, 0.5)).collect();
    let distance = 0.5 * (WIDTH as f64).sqrt();
    // Along the shift it is the distance itself, across it nothing, at an angle its cosine.
    let says = |direction: &[f32]| estimate::<Cpu>(&linear(direction), &clouds);
    assert!((says(&along) - distance).abs() < 1e-4, "{}", says(&along));
    assert!(says(&[unit; WIDTH]).abs() < 1e-4);
    let first = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert!((says(&first) - 0.5).abs() < 1e-4, "{}", says(&first));
}

#[test]
fn a_trained_critic_comes_near_the_distance_of_held_out_clouds_and_not_beyond_its_constraint() {
    let shift = 0.8;
    let distance = f64::from(shift) * (WIDTH as f64).sqrt();
    let training: Vec<_> = (0..4).map(|index| shifted(index, shift)).collect();
    let held_out: Vec<_> = (10..14).map(|index| shifted(index, shift)).collect();
    for constraint in [Constraint::GradientPenalty(50.0), Constraint::Spectral] {
        let mut critic = Critic::new(&settings(constraint), Stream::new(2, "critic", 0));
        let before = estimate::<Cpu>(&critic, &held_out) / distance;
        assert!(before.abs() < 0.5, "{constraint:?}: {before}");
        let mut slopes = Vec::new();
        for update in 0..400 {
            let (student, teacher) = &training[update % training.len()];
            let epsilon = |_| {
                let mut stream = Stream::new(4, "between", update as u64);
                (0..ROWS).map(|_| stream.uniform() as f32).collect()
            };
            let reports = Cpu::critic_updates(&mut [CriticTask {
                critic: &mut critic,
                student,
                teacher,
                updates: 1,
                epsilon: &epsilon,
            }]);
            slopes.push(reports[0].gradient_norm);
        }
        let slope = slopes[380..].iter().sum::<f64>() / 20.0;
        let after = estimate::<Cpu>(&critic, &held_out) / distance;
        // A path from a point to where it is shifted climbs by its slopes at the most; what is
        // measured is their mean, and along the shift they may be some hundredths above it.
        assert!(
            after <= slope + 0.08,
            "{constraint:?}: {after}, slope {slope}"
        );
        match constraint {
            // The slope is held to 1 by a penalty alone.
            Constraint::GradientPenalty(_) => {
                assert!((0.9..1.15).contains(&after), "{constraint:?}: {after}");
            }
            // No slope is above 1, but for what a power iteration still lacks.
            Constraint::Spectral | Constraint::Clip(_) => {
                assert!((0.9..1.01).contains(&after), "{constraint:?}: {after}");
            }
        }
    }
}
