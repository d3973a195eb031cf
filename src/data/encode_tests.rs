//! Tests of `encode.rs`.

use super::*;

#[test]
fn unigram_nats_are_those_of_the_definition() {
    // N + V = 9; test: token 0 twice (p = 5/9), token 2 once (p = 1/9).
    let nats = unigram(&[4, 2, 0], &[2, 0, 1]);
    assert!(
        (nats - (2.0 * (9.0f64 / 5.0).ln() + 9.0f64.ln()) / 3.0).abs() < 1e-15,
        "{nats}"
    );
}
