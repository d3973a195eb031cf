//! Tests of `verdict.rs`.

use super::*;

#[test]
fn the_upper_factor_agrees_with_the_printed_tables_of_chi_squared() {
    for (n, factor) in [(3, 2.12), (5, 1.56), (8, 1.35), (10, 1.29)] {
        let found = upper_factor(n);
        assert!((found - factor).abs() <= 5e-3, "{found} is not {factor}");
    }
}

/// Three differences with the given mean and standard deviation.
fn three(centre: f64, deviation: f64) -> Paired {
    Paired::new(&[centre - deviation, centre, centre + deviation], &[0.0; 3])
}

#[test]
fn the_words_come_in_their_order() {
    let words = |centre, deviation| Verdict::new(&three(centre, deviation), 0.05, 0.005);
    // The interval of three differences is ± 2.484 deviations, that at 90 % ± 1.686.
    assert_eq!(words(-0.02, 0.001), Verdict::Better);
    assert_eq!(words(0.02, 0.001), Verdict::Worse);
    assert_eq!(words(0.0, 0.002), Verdict::Equivalent);
    // Equivalence goes before a small difference that is sure.
    assert_eq!(words(-0.002, 0.0005), Verdict::Equivalent);
    assert_eq!(words(-0.006, 0.002), Verdict::BetterSizeUnsure);
    assert_eq!(words(0.006, 0.002), Verdict::WorseSizeUnsure);
    assert!(words(-0.006, 0.02).undecided().flatten() >= Some(1));
    assert_eq!(
        Verdict::new(&Paired::new(&[-1.0, -1.1], &[0.0, 0.0]), 0.05, 0.005),
        Verdict::TooFewSeeds
    );
    assert_eq!(
        Verdict::new(&Paired::new(&[-1.0], &[0.0]), 0.05, 0.005),
        Verdict::TooFewSeeds
    );
    let of_equal_runs = Verdict::new(&Paired::new(&[1.0; 4], &[1.0; 4]), 0.05, 0.005);
    assert!(of_equal_runs.reason().is_some(), "{of_equal_runs}");
    assert_eq!(Verdict::Better.to_string(), "better by more than δ");
}

#[test]
fn more_seeds_are_as_many_as_make_the_interval_narrow_enough() {
    let paired = three(-0.01, 0.01);
    let more = more_seeds(&paired, 0.05, 0.005).unwrap();
    let half = |n: usize| t_quantile(0.975, n - 1) * 0.01 * upper_factor(3) / (n as f64).sqrt();
    assert!(half(3 + more) <= 0.01 && half(2 + more) > 0.01, "{more}");
    assert_eq!(more_seeds(&three(0.0, 10.0), 0.05, 0.005), None);
}
