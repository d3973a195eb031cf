//! Tests of `power_text.rs`.

use super::*;
use crate::cli::plan_power::SeedCost;

#[test]
fn three_digits_say_enough() {
    let texts = [0.0, 0.005, 0.012_345, 80.0, 99.5, 1234.0, 0.000_555_5].map(short);
    assert_eq!(
        texts,
        ["0", "0.005", "0.0123", "80", "99.5", "1234", "0.000556"]
    );
}

fn comparison(n: Option<usize>, sd_upper: Option<f64>) -> PlannedComparison {
    PlannedComparison {
        label: "mse, uniform".to_owned(),
        against: "none".to_owned(),
        is_primary: false,
        alpha: 0.025,
        n,
        sd: 0.0123,
        sd_upper,
        detect: Needed {
            by_sd: Some(60),
            by_sd_upper: Some(144),
        },
        equivalence: Needed {
            by_sd: Some(66),
            by_sd_upper: None,
        },
    }
}

fn planned(comparisons: Vec<PlannedComparison>, seeds_there: usize) -> PowerPlan {
    PowerPlan {
        name: "mine".to_owned(),
        power: 0.8,
        effect: 0.005,
        margin: 0.005,
        alpha: 0.05,
        family: 2,
        spread: "that of the seeds in results/mine".to_owned(),
        detect: comparisons[0].detect,
        equivalence: comparisons[0].equivalence,
        primary_detect: Needed::NONE,
        primary_equivalence: Needed::NONE,
        comparisons,
        without_spread: vec!["a against b".to_owned()],
        seeds_there,
        cost: SeedCost {
            flops: 1e12,
            seconds: 60.0,
            teacher_seconds: 120.0,
            is_measured: seeds_there > 0,
        },
        most_seeds: 1000,
    }
}

#[test]
fn a_pilot_gives_both_spreads_and_the_hours_that_are_left() {
    let comparisons = vec![
        comparison(Some(4), Some(0.0206)),
        comparison(None, Some(0.0206)),
    ];
    assert_eq!(
        power_text(&planned(comparisons, 4)),
        "\
mine: seeds that detect a difference of 0.005 nats per token in 80 % of all studies that have it
α = 0.05 shared by 2 comparisons, 0.025 each; the spread is that of the seeds in results/mine

comparison                 n      sd  detect  equivalence  upper sd  detect  equivalence
mse, uniform against none  4  0.0123      60           66    0.0206     144       > 1000
mse, uniform against none  –  0.0123      60           66    0.0206     144       > 1000
a against b: every seed gives the same difference, so there is no plan for it

n, sd: seeds of the pilot, and the standard deviation of their differences
no n: not in the pilot; the sd is the largest there
detect: seeds with which the paired t test finds the difference, where it is there
equivalence: seeds with which two one-sided t tests show, where there is no difference, that it is \
within δ = 0.005
upper sd: so few seeds know it badly; in 80 % of all pilots the true sd is below this one

hours, of training alone, by the pilot's times: ~60 s a seed; 4 seeds are there already
  all comparisons, detect: 60 seeds, ~58 min; by the upper sd 144 seeds, ~2 h
  all comparisons, equivalence: 66 seeds, ~64 min; by the upper sd more than 1000 seeds

Results of this study are there to be seen: seeds that are added now stand in its report as added \
after a look.
"
    );
}

#[test]
fn a_spread_that_was_given_is_taken_as_it_is() {
    let mut given = comparison(None, None);
    given.detect.by_sd_upper = given.detect.by_sd;
    given.equivalence.by_sd_upper = given.equivalence.by_sd;
    let text = power_text(&planned(vec![given], 0));
    assert!(
        text.contains(
            "comparison                     sd  detect  equivalence\n\
             mse, uniform against none  0.0123      60           66\n"
        ),
        "{text}"
    );
    assert!(!text.contains("upper") && !text.contains("pilot"), "{text}");
    assert!(
        text.contains(
            "by a product of matrices that was just timed: ~60 s a seed\n  all comparisons, \
             detect: 60 seeds, ~62 min\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("stand in the report as that.\n"), "{text}");
}

#[test]
fn what_is_declared_as_primary_has_hours_of_its_own() {
    let mut primary = comparison(Some(4), Some(0.0206));
    primary.is_primary = true;
    let mut plan = planned(vec![primary, comparison(Some(4), Some(0.0206))], 0);
    plan.primary_detect = Needed {
        by_sd: Some(8),
        by_sd_upper: Some(20),
    };
    plan.primary_equivalence = plan.primary_detect;
    let text = power_text(&plan);
    let lines = "  the primary, detect: 8 seeds, ~10 min; by the upper sd 20 seeds, ~22 min\n  \
                 the primary, equivalence: 8 seeds, ~10 min; by the upper sd 20 seeds, ~22 min\n  \
                 all comparisons, detect: 60 seeds";
    assert!(text.contains(lines), "{text}");
    assert!(
        text.contains("; what is declared as primary has an α of its own;"),
        "{text}"
    );
}
