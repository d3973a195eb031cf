//! Tests of `looks.rs`.

use std::collections::BTreeMap;

use super::*;
use crate::plan::AxisChoice;
use crate::report::statistics::Paired;
use crate::report::test_fixture::{Fixture, Normals, StudyShape};

/// A study of two seeds that nobody looked at.
fn fresh() -> Study {
    let shape = StudyShape {
        seeds: 2,
        ..StudyShape::default()
    };
    Fixture::new(&shape).study.clone()
}

/// The study after a look at what it is, with its seeds made these.
fn with_seeds(mut study: Study, seeds: &[&str]) -> Study {
    study.looks.push(Look::at(&study, 4));
    let axis = study.axes.iter_mut().find(|axis| axis.key == "seed");
    axis.unwrap().values = seeds.iter().map(|&seed| seed.to_owned()).collect();
    study
}

#[test]
fn a_study_that_was_run_in_one_go_has_nothing_to_say() {
    assert_eq!(sentences(&fresh()), Vec::<String>::new());
    assert!(when_declared(&fresh()) == "beforehand");
}

#[test]
fn added_seeds_are_told_with_what_that_does_to_the_error() {
    let study = with_seeds(fresh(), &["0", "1", "2"]);
    let study = with_seeds(study, &["0", "1", "2", "3"]);
    assert_eq!(
        sentences(&study),
        [
            "Seeds were added after results were seen: first 2 seeds (0, 1), then 3 seeds (0, 1, \
             2), then 4 seeds (0, 1, 2, 3). Intervals and p values assume a number that was fixed \
             beforehand, so their true error is larger than α: who adds seeds until a difference \
             shows, from 3 up to 10, finds one in 17 % of the studies that have none, instead of \
             in 5 %."
        ]
    );
    let many: Vec<String> = (0..20).map(|seed| seed.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(
        sentences(&with_seeds(fresh(), &many))[0].contains("20 seeds (0, 1, 2, 3, 4, 5, …, 19)")
    );
}

#[test]
fn seeds_that_were_exchanged_or_taken_out_are_a_choice() {
    for seeds in [["0"].as_slice(), &["5", "6"], &["0", "2", "3"]] {
        let told = sentences(&with_seeds(fresh(), seeds));
        assert!(
            told.len() == 1 && told[0].starts_with("Seeds were changed after results were seen: "),
            "{told:?}"
        );
    }
}

#[test]
fn whatever_judges_the_results_is_told_where_it_was_changed() {
    let mut study = fresh();
    study.looks.push(Look::at(&study, 4));
    study.report.margin = 0.01;
    study.report.alpha = 0.1;
    study
        .report
        .baseline
        .insert("arm".to_owned(), "wasserstein".to_owned());
    study.report.primary = Some([("arm".to_owned(), AxisChoice::One("mse".to_owned()))].into());
    assert_eq!(
        sentences(&study),
        [
            "α was changed from 0.05 to 0.1 after results were seen.",
            "The baseline was changed from mse to wasserstein after results were seen.",
            "δ was changed from 0.005 to 0.01 after results were seen.",
            "The primary comparison was changed from nothing to mse after results were seen.",
        ]
    );
    assert!(when_declared(&study) == "after results were seen");
    // Going back is no way out.
    study.looks.push(Look::at(&study, 4));
    study.report.margin = 0.005;
    assert!(sentences(&study).contains(
        &"δ was changed after results were seen: 0.005, then 0.01, then 0.005.".to_owned()
    ));
}

#[test]
fn another_grid_is_told() {
    let mut study = fresh();
    study.looks.push(Look::at(&study, 4));
    study.axes[0].values.push("none".to_owned());
    assert_eq!(
        sentences(&study),
        [
            "The grid's arm was changed from [mse, wasserstein] to [mse, wasserstein, none] after \
             results were seen."
        ]
    );
    let mut study = fresh();
    study.looks.push(Look::at(&study, 4));
    assert_eq!(
        sentences(&study),
        ["Other cells of the grid were left out after results were seen."]
    );
}

#[test]
fn adding_seeds_until_a_difference_shows_finds_one_in_17_of_100_studies_without_any() {
    const STUDIES: usize = 4000;
    let mut normals = Normals(1);
    let found = (0..STUDIES).filter(|_| {
        let differences: Vec<f64> = (0..10).map(|_| normals.next()).collect();
        (3..=10).any(|n| {
            let paired = Paired::new(&differences[..n], &vec![0.0; n]);
            paired.p.is_some_and(|p| p <= 0.05)
        })
    });
    let share = found.count() as f64 / STUDIES as f64;
    // Three standard errors of the simulation.
    assert!((share - 0.17).abs() < 0.018, "{share}");
}

#[test]
fn several_primary_comparisons_are_told_by_their_values() {
    let mut study = fresh();
    study.looks.push(Look::at(&study, 4));
    let several = AxisChoice::Several(vec!["mse".to_owned(), "sliced".to_owned()]);
    study.report.primary = Some([("arm".to_owned(), several)].into());
    assert_eq!(
        sentences(&study),
        [
            "The primary comparison was changed from nothing to mse and sliced after results were \
          seen."
        ]
    );
    assert!(when_declared(&study) == "after results were seen");
}

/// The study after a look at which this key had another value.
fn set_anew(mut study: Study, key: &str) -> Study {
    let mut look = Look::at(&study, 4);
    look.settings = [(key.to_owned(), "1".to_owned())].into();
    study.looks.push(look);
    study
}

#[test]
fn what_was_set_anew_is_told_of_the_primary_comparison_where_it_is_of_its_arms() {
    let mut study = fresh();
    let critic = AxisChoice::One("wasserstein".to_owned());
    study.report.primary = Some([("arm".to_owned(), critic)].into());
    for (key, is_of_it) in [
        ("arms.sliced.loss.hidden.weight", false),
        ("arms.wasserstein.loss.hidden.weight", true),
        ("arms.mse.loss.hidden.weight", true),
        ("train.lr.peak", true),
    ] {
        let study = set_anew(study.clone(), key);
        let words = when_declared(&study);
        assert_eq!(words != "beforehand", is_of_it, "{key}: {words}");
        assert!(sentences(&study)[0].contains(key));
    }
    let measured = sentences(&set_anew(study, "evaluate.stride"));
    assert!(
        measured[0].ends_with("The runs are the same, measured in another way."),
        "{measured:?}"
    );
}

#[test]
fn exchanged_inputs_are_told_and_are_of_every_arm() {
    let mut study = fresh();
    let critic = AxisChoice::One("wasserstein".to_owned());
    study.report.primary = Some([("arm".to_owned(), critic)].into());
    let mut look = Look::at(&study, 4);
    look.inputs = [("dataset".to_owned(), "0123456789ab".to_owned())].into();
    study.looks.push(look);
    study
        .inputs
        .insert("dataset".to_owned(), "fedcba9876543210".to_owned());
    let words = when_declared(&study);
    assert_eq!(
        words,
        "beforehand, of runs that were set anew after results were seen"
    );
    let told = "What the spec names as before was exchanged after results were seen: dataset \
                (0123456789ab, then fedcba987654). ";
    assert!(
        sentences(&study)[0].starts_with(told),
        "{:?}",
        sentences(&study)
    );
}

#[test]
fn items_that_were_exchanged_are_measured_anew_and_a_margin_judges() {
    let mut study = fresh();
    let mut look = Look::at(&study, 4);
    look.inputs = [("evaluate.tasks.own".to_owned(), "0123456789ab".to_owned())].into();
    study.looks.push(look);
    study
        .inputs
        .insert("evaluate.tasks.own".to_owned(), "ff".to_owned());
    let anew = "beforehand, of runs that were measured anew after results were seen";
    assert_eq!(when_declared(&study), anew);
    let told = sentences(&study);
    assert!(
        told[0].ends_with("The runs are the same, measured on something else."),
        "{told:?}"
    );
    let mut study = fresh();
    study.looks.push(Look::at(&study, 4));
    study.report.margin = 0.01;
    let judged = "beforehand, judged by a δ or an α that was set after results were seen";
    assert_eq!(when_declared(&study), judged);
    study.report.baseline = [("arm".to_owned(), "wasserstein".to_owned())].into();
    assert_eq!(when_declared(&study), "after results were seen");
    let mut study = fresh();
    study.found = Some(3);
    assert_eq!(when_declared(&study), "at a time that is not known");
    assert!(sentences(&study)[0].contains("3 of its runs had been evaluated, or had diverged"));
}

#[test]
fn a_comparison_is_another_where_what_it_is_over_is() {
    let over_maps = |then: &[&str], fixed: bool| {
        let mut study = fresh();
        let mut primary =
            BTreeMap::from([("arm".to_owned(), AxisChoice::One("wasserstein".to_owned()))]);
        if fixed {
            let uniform = AxisChoice::One("uniform".to_owned());
            primary.insert("match.strategy".to_owned(), uniform);
        }
        study.report.primary = Some(primary);
        let mut look = Look::at(&study, 4);
        let maps = then.iter().map(|&map| map.to_owned()).collect();
        look.grid.insert("match.strategy".to_owned(), maps);
        study.looks.push(look);
        when_declared(&study) != "beforehand"
    };
    let now = fresh();
    let maps = &now
        .axes
        .iter()
        .find(|axis| axis.key == "match.strategy")
        .unwrap()
        .values;
    let mut same: Vec<&str> = maps.iter().map(String::as_str).collect();
    assert!(!over_maps(&same, false));
    // A control that nobody named is no part of it.
    same.push("reverse");
    assert!(!over_maps(&same, false));
    assert!(over_maps(&["uniform", "first"], false));
    assert!(!over_maps(&["uniform", "first"], true));
    // An arm beside those of the comparison is none of it, but of a mean over arms it is.
    for (key, is_other) in [("arm", false), ("match.strategy", true)] {
        let mut study = fresh();
        let last = if key == "arm" { "wasserstein" } else { "last" };
        study.report.primary = Some([(key.to_owned(), AxisChoice::One(last.to_owned()))].into());
        let mut look = Look::at(&study, 4);
        look.grid.insert(
            "arm".to_owned(),
            vec!["mse".to_owned(), "sliced".to_owned()],
        );
        study.looks.push(look);
        assert_eq!(when_declared(&study) != "beforehand", is_other, "{key}");
    }
}
