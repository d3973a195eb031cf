//! Tests of `activation.rs`.

use super::*;
use statrs::function::erf::erfc;

pub const ALL: [Activation; 6] = [
    Activation::GeluTanh,
    Activation::Gelu,
    Activation::QuickGelu,
    Activation::Relu,
    Activation::Silu,
    Activation::Tanh,
];

/// The definitions in f64.
fn exact(activation: Activation, y: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        Activation::GeluTanh => {
            0.5 * y
                * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (y + 0.044715 * y.powi(3))).tanh())
        }
        Activation::Gelu => 0.5 * y * erfc(-y / 2f64.sqrt()),
        Activation::QuickGelu => y * sigmoid(1.702 * y),
        Activation::Relu => y.max(0.0),
        Activation::Silu => y * sigmoid(y),
        Activation::Tanh => y.tanh(),
    }
}

#[test]
fn values_and_slopes_are_those_of_the_definitions_in_f64() {
    for activation in ALL {
        for i in 0..40_001 {
            let y = -10.0 + i as f32 / 2000.0 + 1e-4;
            let (mut value, mut slope) = ([y], [0.0]);
            activate_with_slope(activation, &mut value, &mut slope);
            let (at, step) = (f64::from(y), 1e-5);
            let expected = exact(activation, at);
            let rise = (exact(activation, at + step) - exact(activation, at - step)) / (2.0 * step);
            // Two units of the last place of the largest of value and 1; e^x is good to that.
            assert!(
                (f64::from(value[0]) - expected).abs() < 4e-7 * expected.abs().max(1.0),
                "{activation:?} {y}: {value:?}"
            );
            assert!(
                (f64::from(slope[0]) - rise).abs() < 2e-6,
                "{activation:?} {y}: {slope:?} against {rise}"
            );
            let mut alone = [y];
            activate(activation, &mut alone);
            assert_eq!(alone, value);
        }
    }
}

#[test]
fn the_tail_of_the_normal_is_right_relative_to_itself() {
    for i in 0..1300 {
        let y = -(i as f32) / 100.0 - 0.003;
        let exact = 0.5 * erfc(f64::from(-y) / 2f64.sqrt()) * f64::from(y);
        // The rounding of y²/2, 2⁻²⁴ of it, comes out of e^x multiplied by y²/2.
        let tolerance = 1e-6 + 1.2e-7 * f64::from(y * y);
        assert!(
            (f64::from(gelu(y).0) / exact - 1.0).abs() < tolerance,
            "{y}"
        );
    }
}

#[test]
fn large_values_stay_finite() {
    for activation in ALL {
        let mut y = [-1e9, -1e4, -0.0, 0.0, 1e4, 1e9f32];
        let mut slope = [0.0; 6];
        activate_with_slope(activation, &mut y, &mut slope);
        assert!(
            y.iter().chain(&slope).all(|x| x.is_finite()),
            "{activation:?} {y:?} {slope:?}"
        );
    }
}
