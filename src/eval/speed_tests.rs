//! Tests of `speed.rs`.

use super::super::watch::Unwatched;
use super::*;
use crate::model::{Config, Weights};
use crate::ops::Cpu;
use crate::random::Seed;

#[test]
fn speeds_are_measured_within_the_positions() {
    let config = Config::new(1, 8, 2, 11, 16);
    let weights = Weights::random(&config, Seed::Run(1));
    let model = Gpt2::from_weights(&Cpu::default(), &config, &weights).unwrap();
    let speed = measure(&model, &[1, 2, 3], 16, &Unwatched).unwrap();
    assert_eq!(
        (speed.context, speed.threads),
        (8, rayon::current_num_threads())
    );
    assert!(speed.prefill_tokens_per_second > 0.0 && speed.decode_tokens_per_second > 0.0);
    assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
}
