//! Tests of `vector.rs`.

use super::*;

#[test]
fn the_exponential_is_within_two_units_of_the_last_place() {
    for i in 0..200_000 {
        let x = -87.0 + 174.0 * (i as f32) / 200_000.0;
        let exact = f64::from(x).exp();
        let error = (f64::from(exp(x)) - exact).abs() / exact;
        assert!(error < 2.4e-7, "{x}: {error}");
    }
    assert_eq!(exp(0.0), 1.0);
    assert!(exp(-1e4) < 1e-37 && exp(1e4).is_finite());
}

#[test]
fn sums_and_largest_values_cover_every_element() {
    for count in [0, 1, 15, 16, 17, 511, 512, 513, 2000] {
        let x: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin()).collect();
        let squares: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        assert!((dot(&x, &x) - squares).abs() < 1e-9);
        assert_eq!(max(&x), x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let mut out = vec![0.0; count];
        let total = exp_into(&mut out, &x, 0.5, 2.0);
        let expected: f64 = x.iter().map(|&x| ((f64::from(x) - 0.5) * 2.0).exp()).sum();
        assert!((total - expected).abs() < 1e-5 * expected.max(1.0));
    }
}

#[test]
fn a_nan_stays_one_in_a_sum_of_exponentials() {
    let mut out = vec![0.0; 3];
    assert!(exp_into(&mut out, &[0.0, f32::NAN, 1.0], 0.0, 1.0).is_nan());
}
