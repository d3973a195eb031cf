//! Tests of `source.rs`.

use super::*;

#[test]
fn frequencies_with_one_added() {
    // Counts 3, 2, 1 of 6.
    let expected = (2.0 * 2.0f64.ln() + 6.0f64.ln()) / 3.0;
    assert!((unigram_nats_per_token(&[0, 0, 1], &[0, 0, 2], 3) - expected).abs() < 1e-12);
}
