//! Tests of `verdict.rs`.

use super::*;
use crate::report::statistics::corrected;
use crate::report::test_fixture::Normals;

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
    assert_eq!(words(-0.006, 0.02), Verdict::Undecided);
    assert_eq!(
        Verdict::new(&Paired::new(&[-1.0, -1.1], &[0.0, 0.0]), 0.05, 0.005),
        Verdict::TooFewSeeds
    );
    assert_eq!(
        Verdict::new(&Paired::new(&[-1.0], &[0.0]), 0.05, 0.005),
        Verdict::TooFewSeeds
    );
    // A level beyond a half leaves no interval, and turns none inside out.
    let far = Verdict::new(&three(0.006, 0.5), 0.9, 0.005);
    assert_ne!(far, Verdict::Equivalent);
    let of_equal_runs = Verdict::new(&Paired::new(&[1.0; 4], &[1.0; 4]), 0.05, 0.005);
    assert!(of_equal_runs.reason().is_some(), "{of_equal_runs}");
    assert_eq!(Verdict::Better.to_string(), "better by more than δ");
}

/// 20,000 studies of five arms and five seeds, whose arms share the seeds' own effects and the
/// baseline, as the comparisons of a report do: how often all intervals hold the true difference,
/// how often every p value says what its interval says, and how often an arm that is truly δ away
/// is called equivalent.
#[test]
fn all_intervals_hold_the_truth_together_and_say_what_the_p_values_say() {
    const STUDIES: usize = 20_000;
    let mut normals = Normals(7);
    for truth in [0.0, 0.005] {
        let (mut held, mut wrongly_equivalent) = (0, 0);
        for _ in 0..STUDIES {
            let shared: Vec<f64> = (0..5).map(|_| 0.05 * normals.next()).collect();
            let mut arm = |truth: f64| -> Vec<f64> {
                let losses = shared
                    .iter()
                    .map(|own| truth + own + 0.003 * normals.next());
                losses.collect()
            };
            let baseline = arm(0.0);
            let (mut all_hold, mut one_is_equivalent) = (true, false);
            for _ in 0..4 {
                let paired = Paired::new(&arm(truth), &baseline);
                let (low, high) = paired.interval(0.05 / 4.0, paired.error).unwrap();
                let p = corrected(paired.p.unwrap(), 4);
                assert_eq!(p <= 0.05, low > 0.0 || high < 0.0, "{p}: {low} to {high}");
                all_hold &= low <= truth && truth <= high;
                one_is_equivalent |=
                    Verdict::new(&paired, 0.05 / 4.0, 0.005) == Verdict::Equivalent;
            }
            held += usize::from(all_hold);
            wrongly_equivalent += usize::from(one_is_equivalent);
        }
        let coverage = held as f64 / STUDIES as f64;
        // At least 95 %, with four standard errors of the simulation; the comparisons are
        // correlated by their baseline, so a little more.
        assert!((0.944..0.975).contains(&coverage), "{truth}: {coverage}");
        if truth == 0.005 {
            let share = wrongly_equivalent as f64 / STUDIES as f64;
            assert!(share <= 0.056, "{share}");
        }
    }
}
