//! Tests of `estimate.rs`.

use super::*;

#[test]
fn gpt2_has_124_million_parameters_and_the_flops_of_its_matrices() {
    let shape = Gpt2Shape {
        layers: 12.0,
        width: 768.0,
        inner: 3072.0,
        vocabulary: 50_257.0,
        positions: 1024.0,
        tied: true,
    };
    assert_eq!(shape.parameters(), 124_439_808.0);
    let matrices = 2.0 * (12.0 * 12.0 * 768.0 * 768.0 + 50_257.0 * 768.0);
    let attention = 12.0 * 2.0 * 768.0 * 257.0;
    assert_eq!(shape.forward(256.0), matrices + attention);
    let other = Gpt2Shape {
        inner: 1000.0,
        tied: false,
        ..shape
    };
    assert_eq!(
        shape.parameters() - other.parameters(),
        12.0 * 2072.0 * (2.0 * 768.0 + 1.0) - 50_257.0 * 768.0
    );
    assert_eq!(
        shape.forward(256.0) - other.forward(256.0),
        12.0 * 4.0 * 768.0 * 2072.0
    );
}
