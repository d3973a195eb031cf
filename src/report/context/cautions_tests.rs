//! Tests of `cautions.rs`: what limits an answer is told where it does, and not where it does not.

use std::collections::BTreeMap;

use super::*;
use crate::plan::StudySettings;
use crate::report::test_fixture::{Fixture, StudyShape};

/// `mse`, the baseline, and two others at one setting; the teacher's loss is 2.95, and a step of
/// `wasserstein` costs 1.125 times as much.
fn fixture() -> Fixture {
    Fixture::new(&StudyShape {
        arms: vec!["mse", "wasserstein", "cosine"],
        strategies: vec!["uniform"],
        steps: 40,
        ..StudyShape::default()
    })
}

fn of(fixture: &Fixture) -> Vec<String> {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    cautions(&data, &Analysis::new(&data).unwrap())
}

/// The caution with these words in it, if there is one.
fn about(fixture: &Fixture, words: &str) -> Option<String> {
    of(fixture).into_iter().find(|told| told.contains(words))
}

/// Makes the runs of an arm take the operations of a critic too.
fn cost_as_much_as_wasserstein(fixture: &Fixture, arm: &str) {
    for cell in fixture
        .study
        .cells
        .iter()
        .filter(|cell| cell.at["arm"] == arm)
    {
        fixture.reevaluate(&cell.run, |evaluation| {
            let training = evaluation.training.as_mut().unwrap();
            training.critic_flops = 2.5e12;
        });
    }
}

/// Gives `cosine` as many operations as `wasserstein` takes.
fn budget_cosine(fixture: &mut Fixture) {
    let budget = "\"flops of wasserstein\"".to_owned();
    let cosine = BTreeMap::from([("train.budget".to_owned(), budget)]);
    fixture.change(|study| {
        study.settings = Some(StudySettings {
            shared: BTreeMap::new(),
            arms: BTreeMap::from([("cosine".to_owned(), cosine)]),
        });
    });
}

#[test]
fn what_the_answer_says_at_equal_operations_is_not_said_twice() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["cosine", "wasserstein"],
        strategies: vec!["uniform"],
        steps: 40,
        ..StudyShape::default()
    });
    cost_as_much_as_wasserstein(&fixture, "cosine");
    budget_cosine(&mut fixture);
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "cosine".to_owned())].into();
    });
    assert_eq!(about(&fixture, "At equal operations"), None);
    assert_eq!(
        about(&fixture, "Operations are equal").as_deref(),
        Some("Operations are equal: wasserstein took about as many as cosine.")
    );
    // Of runs that are still to come nobody knows what they take.
    for cell in &fixture.study.cells {
        if cell.at["arm"] == "wasserstein" {
            fixture.remove(&cell.run);
        }
    }
    assert_eq!(about(&fixture, "perations are"), None);
}

#[test]
fn an_arm_that_is_still_to_compute_as_much_is_neither_equal_nor_missed() {
    let mut fixture = fixture();
    budget_cosine(&mut fixture);
    for cell in &fixture.study.cells {
        if cell.at["arm"] == "cosine" {
            fixture.remove(&cell.run);
        }
    }
    assert_eq!(about(&fixture, "perations"), None);
}

#[test]
fn a_verdict_that_any_one_seed_less_leaves_open_hangs_on_their_number() {
    // Below 0 with four seeds, and with no three of them.
    let fixture = Fixture::of_differences(&[-0.007, -0.013, -0.027, -0.033]);
    assert_eq!(
        about(&fixture, "A verdict hangs").as_deref(),
        Some(
            "A verdict hangs on the number of seeds: wasserstein would be undecided without any \
             one of the seeds 0, 1, 2, 3."
        )
    );
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    assert_eq!(analysis.contrasts[0].hangs_on, ["the number of seeds"]);
}

#[test]
fn a_verdict_that_two_of_five_seeds_leave_open_hangs_on_those() {
    let fixture = Fixture::of_differences(&[-0.017, -0.033, -0.032, -0.049, -0.007]);
    assert_eq!(
        about(&fixture, "A verdict hangs").as_deref(),
        Some(
            "A verdict hangs on one seed: wasserstein would be undecided without any one of the \
             seeds 1, 2."
        )
    );
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    assert_eq!(analysis.contrasts[0].hangs_on, ["seed 1", "seed 2"]);
}

#[test]
fn steps_that_cost_more_are_told_until_an_arm_computes_as_much() {
    let mut fixture = fixture();
    let told = about(&fixture, "Operations are not equal").expect("a caution");
    assert_eq!(
        told,
        "Operations are not equal: wasserstein 1.12 times those of mse. What the \
         cheaper makes of as many was not run (an arm with train.budget = \"flops of \
         wasserstein\" would tell)."
    );
    // Seen from the dear one, too, it is the dear one's budget that would tell.
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "wasserstein".to_owned())].into();
    });
    let told = about(&fixture, "Operations are not equal").expect("a caution");
    assert!(
        told.contains("mse 0.889 times those of wasserstein"),
        "{told}"
    );
    assert!(told.contains("\"flops of wasserstein\""), "{told}");
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "mse".to_owned())].into();
    });
    budget_cosine(&mut fixture);
    // What was counted is not as it was to be, and decides.
    assert!(about(&fixture, "Operations are not equal").is_some());
    assert_eq!(about(&fixture, "At equal operations"), None);
    cost_as_much_as_wasserstein(&fixture, "cosine");
    assert_eq!(about(&fixture, "Operations are not equal"), None);
    let told = about(&fixture, "At equal operations").expect("the comparison");
    // wasserstein is place 0 of the fixture's arms, cosine place 2: 0.04 apart, and 0.0013 by
    // their phases.
    assert!(
        told.starts_with("At equal operations, wasserstein is better than cosine, by more than δ"),
        "{told}"
    );
    // It is one more comparison of the family, and of nothing else.
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    assert_eq!((analysis.family, analysis.primary), (3, 0));
}

#[test]
fn a_teacher_that_is_hardly_ahead_or_behind_is_told() {
    let mut fixture = fixture();
    assert_eq!(about(&fixture, "teacher's test loss"), None);
    // The baseline is 0.17 ahead: less than ten margins of 0.02.
    fixture.change(|study| study.report.margin = 0.02);
    let told = about(&fixture, "teacher's test loss").expect("a caution");
    assert!(
        told.contains("below the baseline's, less than 10 δ"),
        "{told}"
    );
    for cell in fixture.study.cells.clone() {
        fixture.reevaluate(&cell.run, |evaluation| {
            evaluation.test.nll_nats_per_token = 2.9;
        });
    }
    let told = about(&fixture, "teacher's test loss").expect("a caution");
    assert!(told.contains("is not below the baseline's"), "{told}");
}

#[test]
fn what_is_equivalent_close_to_the_teacher_may_be_so_for_want_of_room() {
    let room = "may be so for want of room";
    // The teacher's is 2.95; what has no hidden loss is far behind it, and leaves room.
    let of = |others: f64| {
        let fixture = Fixture::new(&StudyShape {
            arms: vec!["mse", "wasserstein", "none"],
            strategies: vec!["uniform"],
            steps: 40,
            ..StudyShape::default()
        });
        for cell in &fixture.study.cells {
            let seed: f64 = cell.at["seed"].parse().unwrap();
            let loss = match cell.at["arm"].as_str() {
                "none" => 3.2,
                "mse" => others,
                _ => others + 0.0001 * seed * seed,
            };
            fixture.reevaluate(&cell.run, |evaluation| {
                evaluation.test.nll_nats_per_token = loss + 0.001 * seed;
            });
        }
        about(&fixture, room)
    };
    assert_eq!(
        of(2.96).expect("a caution"),
        "What is equivalent may be so for want of room: less than 10 δ above the teacher's test \
         loss, 2.9500, are wasserstein and mse."
    );
    assert_eq!(of(3.1), None);
}

#[test]
fn students_that_still_learn_are_told_with_how_much() {
    let mut fixture = fixture();
    // The curves of the fixture fall by 0.006 at their end.
    fixture.change(|study| study.report.margin = 0.01);
    assert_eq!(about(&fixture, "still learning"), None);
    fixture.change(|study| study.report.margin = 0.005);
    let told = about(&fixture, "still learning").expect("a caution");
    assert!(told.contains("fell by up to 0.0"), "{told}");
    assert_eq!(about(&fixture, "is not known"), None);
}

#[test]
fn the_settings_that_still_learn_or_nobody_looked_at_are_named_as_a_sentence_names_them() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["lm", "none", "mse", "wasserstein"],
        steps: 40,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "none".to_owned())].into();
    });
    let mut data = StudyData::read(&fixture.layout, fixture.study.clone());
    let still: StepValues = (0..10).map(|step| (f64::from(step), 3.0)).collect();
    change_curves_of(&mut data, "mse", &still);
    let analysis = Analysis::new(&data).unwrap();
    let told = still_learning(&data, &analysis).expect("a caution");
    let (_, after) = told.split_once(" loss of ").expect("names");
    let (names, _) = after.split_once(" fell by up to ").expect("a number");
    assert!(
        names.ends_with(" and 1 more") && !names.contains(';') && names.contains(" (last)"),
        "{told}"
    );
    assert_eq!(hardly_looked_at(&data, &analysis), None);
    change_curves_of(&mut data, "none", &Vec::new());
    change_curves_of(&mut data, "mse", &Vec::new());
    let told = hardly_looked_at(&data, &analysis).expect("a caution");
    assert!(
        told.starts_with(
            "Whether students of “none”, mse (uniform) and mse (last) were still learning is \
             not known"
        ),
        "{told}"
    );
}

/// Gives the runs of an arm a validation loss of these points.
fn change_curves_of(data: &mut StudyData, arm: &str, points: &StepValues) {
    let cells = data.study.cells.iter().enumerate();
    let of_arm = cells.filter(|(_, cell)| cell.at["arm"] == arm);
    let places: Vec<usize> = of_arm.map(|(cell, _)| data.run_of_cell[cell]).collect();
    for place in places {
        let curves = &mut data.runs[place].curves;
        curves.insert(VALIDATION.to_owned(), points.clone());
    }
}

#[test]
fn students_that_nobody_looked_at_often_enough_are_not_passed_over_in_silence() {
    // The fixture looks after every tenth of its steps, and after every step of fewer than twenty.
    let of_steps = |steps: u64| {
        let fixture = Fixture::new(&StudyShape {
            steps,
            ..StudyShape::default()
        });
        about(&fixture, "is not known")
    };
    assert_eq!(of_steps(3), None);
    let told = of_steps(2).expect("a caution");
    assert!(
        told.starts_with("Whether students were still learning"),
        "{told}"
    );
}

#[test]
fn a_fall_is_read_where_the_last_tenth_begins() {
    let line = |steps: &[f64]| -> StepValues { steps.iter().map(|&s| (s, 10.0 - s)).collect() };
    assert_eq!(last_fall(&line(&[0.0, 9.0, 10.0])), Some(1.0));
    // Between two points: on the straight line.
    let fall = last_fall(&line(&[0.0, 5.0, 10.0])).unwrap();
    assert!((fall - 1.0).abs() < 1e-12, "{fall}");
    assert_eq!(last_fall(&line(&[0.0, 10.0])), None);
    assert_eq!(last_fall(&Vec::new()), None);
}

#[test]
fn a_difference_is_read_half_way_and_at_the_end() {
    let line = |from: f64, slope: f64| -> StepValues {
        [0.0, 49.0, 99.0, 149.0]
            .map(|s| (s, from + slope * s))
            .to_vec()
    };
    let (steep, flat) = (line(3.0, -0.01), line(1.0, 0.0));
    let found = half_way_and_at_the_end(&[(&steep, &flat), (&flat, &flat)]).unwrap();
    let expected = [(49.0, 0.5 * (2.0 - 0.49)), (149.0, 0.5 * (2.0 - 1.49))];
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.0, expected.0);
        assert!((found.1 - expected.1).abs() < 1e-12, "{found:?}");
    }
    let short = flat[..2].to_vec();
    assert_eq!(half_way_and_at_the_end(&[(&steep, &short)]), None);
    assert_eq!(half_way_and_at_the_end(&[]), None);
}

#[test]
fn a_control_that_does_harm_does_not_hide_that_the_teacher_is_hardly_ahead() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "wasserstein"],
        strategies: vec!["uniform", "reverse"],
        steps: 40,
        ..StudyShape::default()
    });
    for cell in fixture.study.cells.clone() {
        if cell.at["match.strategy"] == "reverse" {
            fixture.reevaluate(&cell.run, |evaluation| {
                evaluation.test.nll_nats_per_token = 9.0;
            });
        }
    }
    fixture.change(|study| study.report.margin = 0.02);
    let told = about(&fixture, "teacher's test loss").expect("a caution");
    assert!(
        told.contains("below the baseline's, less than 10 δ"),
        "{told}"
    );
}

#[test]
fn a_test_split_of_one_document_is_told() {
    let fixture = fixture();
    assert_eq!(about(&fixture, "one document"), None);
    for cell in &fixture.study.cells {
        fixture.reevaluate(&cell.run, |evaluation| {
            evaluation.test.documents.truncate(1);
        });
    }
    let told = about(&fixture, "one document").expect("a caution");
    assert!(told.starts_with("The test split is one document"), "{told}");
}
