//! Tests of `statistics.rs`.

use super::*;

fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

#[test]
fn the_t_distribution_agrees_with_the_printed_tables() {
    near(t_quantile(0.975, 4), 2.7764, 5e-5);
    near(t_quantile(0.975, 2), 4.3027, 5e-5);
    near(t_quantile(0.95, 2), 2.9200, 5e-5);
    near(t_quantile(0.025, 9), -2.2622, 5e-5);
    // With 2 degrees of freedom the share below t is 1/2 + t/(2√(2 + t²)), with 1 it is 1/2 +
    // atan(t)/π.
    for t in [-7.0, -0.3, 0.0, 1.0, 4.3, 50.0f64] {
        near(
            t_share_below(t, 2),
            0.5 + t / (2.0 * (2.0 + t * t).sqrt()),
            1e-10,
        );
        near(
            t_share_below(t, 1),
            0.5 + t.atan() / std::f64::consts::PI,
            1e-10,
        );
    }
}

#[test]
fn a_paired_difference_worked_by_hand() {
    // d = −0.01, −0.02, −0.03: mean −0.02, v = 1e-4, se = 0.01/√3; t = −2√3 with 2 degrees.
    let paired = Paired::new(&[1.0, 1.1, 0.9], &[1.01, 1.12, 0.93]);
    near(paired.mean, -0.02, 1e-12);
    near(paired.deviation.unwrap(), 0.01, 1e-12);
    near(paired.error.unwrap(), 0.01 / 3.0f64.sqrt(), 1e-12);
    let t = -2.0 * 3.0f64.sqrt();
    near(
        paired.p.unwrap(),
        2.0 * (0.5 + t / (2.0 * (2.0 + t * t).sqrt())),
        1e-10,
    );
    near(paired.effect.unwrap(), -2.0 * (1.0 - 3.0 / 7.0), 1e-9);
    assert_eq!(paired.wins, 3);
    let (low, high) = paired.interval(0.05, paired.error).unwrap();
    near(low, -0.02 - 4.302_652_7 * 0.01 / 3.0f64.sqrt(), 1e-8);
    near(high, -0.02 + 4.302_652_7 * 0.01 / 3.0f64.sqrt(), 1e-8);
    let [better, same, worse] = paired.posterior(0.005).unwrap();
    let share = |t: f64| 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
    near(better, share(1.5 * 3.0f64.sqrt()), 1e-9);
    near(worse, 1.0 - share(2.5 * 3.0f64.sqrt()), 1e-9);
    near(better + same + worse, 1.0, 1e-12);
}

#[test]
fn the_correlation_of_a_line_is_one_and_of_a_constant_unknown() {
    near(
        correlation(&[1.0, 2.0, 4.0], &[3.0, 5.0, 9.0]).unwrap(),
        1.0,
        1e-12,
    );
    near(
        correlation(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]).unwrap(),
        0.5,
        1e-12,
    );
    assert_eq!(correlation(&[1.0, 1.0, 1.0], &[1.0, 3.0, 2.0]), None);
    assert_eq!(correlation(&[1.0, 2.0], &[1.0, 3.0]), None);
}

#[test]
fn a_correction_never_goes_beyond_one() {
    near(corrected(0.01, 5), 0.05, 1e-15);
    near(corrected(0.4, 5), 1.0, 0.0);
}

#[test]
fn sign_flips_are_counted_exactly() {
    // All of one sign: only the sample itself and its mirror are as extreme.
    let paired = Paired::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.0; 6]);
    assert_eq!(paired.sign_flips(), Some(2.0 / 64.0));
    assert_eq!(Paired::new(&[1.0; 5], &[0.0; 5]).sign_flips(), None);
    // Differences 1, 1, 1, 1, 1, −1 have sum 4: of the 64 flips 2 have sum ±6 and 12 have sum
    // ±4.
    let paired = Paired::new(&[1.0, 1.0, 1.0, 1.0, 1.0, -1.0], &[0.0; 6]);
    assert_eq!(paired.sign_flips(), Some(14.0 / 64.0));
}

#[test]
fn the_error_of_the_text_weighs_documents_by_their_tokens() {
    // Two documents of equal weight at ±1 around their mean: √(2/1·(w² + w²))/2w = 1.
    near(
        text_error(&[(1.0, 10), (3.0, 10), (9.0, 0)]).unwrap(),
        1.0,
        1e-12,
    );
    // Weights 1 and 3, differences 0 and 4: D = 3, √(2·(9 + 9))/4 = 1.5.
    near(text_error(&[(0.0, 1), (4.0, 3)]).unwrap(), 1.5, 1e-12);
    assert_eq!(text_error(&[(1.0, 10)]), None);
}
