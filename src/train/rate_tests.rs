//! Tests of `rate.rs`.

use super::*;
use crate::plan::schedule::Span;

fn rate(decay: Decay) -> LearningRate {
    LearningRate {
        peak: 2.0,
        warmup: Span::Percent(25.0),
        decay,
        floor: Span::Percent(10.0),
    }
}

#[test]
fn the_rate_rises_to_the_peak_and_falls_to_the_floor_at_the_last_step() {
    let rates: Vec<f64> = (0..8)
        .map(|step| learning_rate(&rate(Decay::Cosine), step, 8))
        .collect();
    assert_eq!(rates[..2], [1.0, 2.0]);
    assert!((rates[7] - 0.2).abs() < 1e-12, "{rates:?}");
    assert!(
        (rates[4] - 2.0 * (0.1 + 0.9 * 0.5)).abs() < 1e-12,
        "half of the way down: {rates:?}"
    );
    assert!(rates[1..].windows(2).all(|pair| pair[1] < pair[0]));
}

#[test]
fn linear_decay_is_a_straight_line_and_constant_stays() {
    let linear: Vec<f64> = (2..8)
        .map(|step| learning_rate(&rate(Decay::Linear), step, 8))
        .collect();
    assert!(
        linear
            .windows(3)
            .all(|w| ((w[0] - w[1]) - (w[1] - w[2])).abs() < 1e-12)
    );
    assert!((linear[5] - 0.2).abs() < 1e-12);
    assert_eq!(learning_rate(&rate(Decay::Constant), 7, 8), 2.0);
}

#[test]
fn a_run_of_warm_up_alone_has_rates() {
    let all = LearningRate {
        warmup: Span::Percent(100.0),
        ..rate(Decay::Cosine)
    };
    assert_eq!(learning_rate(&all, 3, 4), 2.0);
}
