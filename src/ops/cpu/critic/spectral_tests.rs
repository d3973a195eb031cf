//! Tests of `spectral.rs`.

use super::*;
use crate::ops::{Constraint, Critic, CriticSettings, CriticState};

#[test]
fn power_iterations_find_the_largest_singular_value() {
    let settings = CriticSettings {
        input: 2,
        width: 2,
        depth: 1,
        slope: 0.2,
        constraint: Constraint::Spectral,
        lr: 1e-3,
        betas: [0.0, 0.9],
    };
    let critic = Critic::new(&settings, Stream::new(1, "test", 0));
    // [[3, 0], [4, 5]] has singular values √45 and √5; w = (3, 4) has 5.
    let parameters = [3.0, 0.0, 4.0, 5.0, 0.0, 0.0, 3.0, 4.0];
    let mut spectral = critic.spectral.clone().unwrap();
    (0..30).for_each(|_| spectral.iterate(&critic.layout, 2, &parameters));
    let sigmas = spectral.sigmas(&critic.layout, 2, &parameters);
    assert!((sigmas[0] - 45f64.sqrt()).abs() < 1e-5, "{sigmas:?}");
    assert!((sigmas[1] - 5.0).abs() < 1e-5, "{sigmas:?}");
    let effective = spectral.normalized(&critic.layout, 2, &parameters);
    assert!((effective[6] - 0.6).abs() < 1e-6 && (effective[7] - 0.8).abs() < 1e-6);
    assert_eq!(effective[4..6], [0.0, 0.0]);
}
