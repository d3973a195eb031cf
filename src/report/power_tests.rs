//! Tests of `power.rs`. The reference numbers are scipy 1.17's: `stats.nct.sf`, and
//! `integrate.quad` over the density of `stats.chi`, which agree with each other to twelve digits.

use super::*;

fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found} is not {expected}"
    );
}

#[test]
fn the_upper_factor_agrees_with_the_printed_tables_of_chi_squared() {
    for (n, factor) in [(2, 3.947), (3, 2.117), (5, 1.558), (8, 1.353), (10, 1.293)] {
        assert_near(upper_factor(n), factor, 5e-4, "the factor");
    }
}

#[test]
fn the_noncentral_t_distribution_is_that_of_scipy() {
    for (critical, freedom, shift, share) in [
        (2.0, 1, 0.0, 0.147_583_617_650_433_26),
        (12.706_204_736_432_095, 1, 2.5, 0.155_631_252_794_131_3),
        (4.302_652_729_911_275, 2, 3.0, 0.387_389_350_180_177_6),
        (2.776_445_105_197_798_7, 4, 4.0, 0.843_296_395_144_464_4),
        (5.0, 9, 3.0, 0.110_332_551_385_516_36),
        (
            2.034_515_297_449_338,
            33,
            2.915_475_947_422_650_4,
            0.807_776_685_514_978_8,
        ),
        (31.82, 2, 6.0, 0.035_814_615_380_367_9),
        (2.0, 999, 1.5, 0.308_889_626_223_489_7),
    ] {
        let found = noncentral_share_above(critical, freedom, shift);
        assert_near(found, share, 1e-10, "the share");
    }
}

#[test]
fn the_power_of_the_paired_test_is_that_of_scipy() {
    for (n, ratio, alpha, power) in [
        (3, 2.0, 0.05, 0.470_747_706_192_943_15),
        (5, 1.0, 0.05, 0.401_320_285_199_505_3),
        (5, 2.0, 0.05 / 9.0, 0.398_914_049_334_136_93),
        (10, 0.5, 0.05, 0.292_828_567_266_633_64),
        (33, 0.5, 0.05, 0.795_364_824_433_340_4),
        (199, 0.2, 0.05, 0.801_690_092_462_941_3),
    ] {
        assert_near(chance_to_find(n, ratio, alpha), power, 1e-9, "the power");
    }
}

#[test]
fn the_chance_to_show_equivalence_is_that_of_an_adaptive_quadrature() {
    for (freedom, margin, shift, alpha, power) in [
        (2, 4.0, 0.0, 0.05, 0.684_743_385_745_446_9),
        (4, 3.0, 0.0, 0.05, 0.609_843_290_878_745_3),
        (4, 3.0, 1.0, 0.05, 0.467_062_429_130_337_5),
        (9, 4.0, 0.0, 0.05 / 9.0, 0.568_276_646_250_850_4),
        (33, 3.0, 0.5, 0.05, 0.751_746_327_564_519),
        (199, 2.5, 0.0, 0.05, 0.602_800_470_185_769_8),
        // The example of R's PowerTOST: 0.815845 for a coefficient of variation of 0.3, a ratio of
        // 0.95 and 40 subjects.
        (
            38,
            3.399_397_090_469_471,
            -0.781_408_535_782_005_6,
            0.05,
            0.815_845,
        ),
    ] {
        let found = both_reject_share(freedom, margin, shift, alpha);
        assert_near(found, power, 3e-7, "the chance");
    }
}

#[test]
fn seeds_are_as_many_as_a_search_from_below_finds() {
    // The first of each are printed in every table of the t test's power (34, 15 and 199 are
    // G*Power's for 0.5, 0.8 and 0.2).
    for (ratio, find, show) in [
        (0.2, [199, 331], [216, 369]),
        (0.35, [67, 111], [72, 123]),
        (0.5, [34, 57], [36, 62]),
        (0.8, [15, 25], [15, 27]),
        (1.0, [10, 17], [11, 18]),
        (2.0, [5, 8], [4, 7]),
    ] {
        for (place, alpha) in [0.05, 0.05 / 9.0].into_iter().enumerate() {
            assert_eq!(
                seeds_to_detect(ratio, alpha, 0.8),
                Some(find[place]),
                "{ratio}"
            );
            assert_eq!(
                seeds_to_show(ratio, alpha, 0.8),
                Some(show[place]),
                "{ratio}"
            );
        }
    }
}

#[test]
fn there_are_bounds_on_both_sides() {
    assert_eq!(seeds_to_detect(50.0, 0.05, 0.8), Some(FEWEST_SEEDS));
    assert_eq!(seeds_to_show(50.0, 0.05, 0.8), Some(FEWEST_SEEDS));
    assert_eq!(seeds_to_detect(0.01, 0.05, 0.8), None);
    assert_eq!(seeds_to_show(0.01, 0.05, 0.8), None);
    assert_eq!(seeds_to_detect(0.0, 0.05, 0.8), None);
}

#[test]
fn every_further_seed_makes_it_likelier() {
    let alpha = 0.01;
    for ratio in [0.1, 0.4, 1.5] {
        let mut before = (0.0, 0.0);
        for n in 2..60 {
            let now = (
                chance_to_find(n, ratio, alpha),
                chance_to_show(n, ratio, alpha),
            );
            // Near 1 they are rounded.
            let is_more = |now: f64, before: f64| now > before - 1e-12;
            assert!(is_more(now.0, before.0), "{ratio}, {n}");
            // As for scipy, equivalence is a little less likely with one more of very few seeds
            // where it is hardly ever shown at all.
            let is_hopeless = now.1 < alpha;
            assert!(is_more(now.1, before.1) || is_hopeless, "{ratio}, {n}");
            before = now;
        }
    }
}
