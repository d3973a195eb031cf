//! Tests of `critic.rs`.

use super::*;

const SMALL: CriticShape = CriticShape {
    input: 3,
    width: 4,
    depth: 2,
    has_gradient_penalty: true,
};

#[test]
fn operations_are_counted_by_the_formula() {
    // C = 3, W = 4, D = 2: F = 2·(12 + 16 + 4) = 64, of which 24 in the first layer. Plain update:
    // 2·5·(3·64 − 24); penalty: 4·5·64; term: 3·5·64.
    assert_eq!(SMALL.update_flops(5), 1680.0 + 1280.0);
    assert_eq!(SMALL.term_flops(5), 960.0);
    let plain = CriticShape {
        has_gradient_penalty: false,
        ..SMALL
    };
    assert_eq!(plain.update_flops(5), 1680.0);
}

#[test]
fn bytes_are_those_of_its_parameters_with_gradient_and_moments() {
    // (3 + 1)·4 and 4·4 + 4 and 4 parameters.
    assert_eq!(SMALL.parameters(), 40.0);
    assert_eq!(SMALL.state_bytes(), 4.0 * 4.0 * 40.0);
}
