//! Tests of `comparison.rs`.

use super::*;
use crate::record::study::StudySettings;
use crate::report::test_fixture::{Fixture, StudyShape};

fn fixture() -> Fixture {
    Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        steps: 5,
        extras: false,
        ..StudyShape::default()
    })
}

/// What arms set, as (arm, key, value); no arm stands for all.
fn with_settings(fixture: &mut Fixture, version: &str, values: &[(&str, &str, &str)]) {
    let mut settings = StudySettings::default();
    for arm in ["mse", "wasserstein"] {
        let own = values.iter().filter(|(of, ..)| *of == arm);
        let own = own.map(|(_, key, value)| ((*key).to_owned(), (*value).to_owned()));
        settings.arms.insert(arm.to_owned(), own.collect());
    }
    let shared = values.iter().filter(|(of, ..)| of.is_empty());
    settings.shared = shared
        .map(|(_, key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    fixture.change(|study| {
        study.settings = Some(settings);
        study.version = version.to_owned();
    });
    crate::record::write_study(&fixture.layout, &fixture.study).unwrap();
}

fn difference(key: &str, a: Option<&str>, b: Option<&str>) -> KeyDifference {
    KeyDifference {
        key: key.to_owned(),
        a: a.map(str::to_owned),
        b: b.map(str::to_owned),
    }
}

#[test]
fn studies_that_differ_in_their_version_alone_are_the_same() {
    let (mut a, mut b) = (fixture(), fixture());
    with_settings(&mut a, "1", &[("", "train.steps", "5")]);
    with_settings(&mut b, "2", &[("", "train.steps", "5")]);
    let found = compare_studies(&a.layout, &b.layout).unwrap();
    assert!(found.same && found.settings_known, "{found:?}");
    assert_eq!(found.versions, ["1", "2"]);
    assert_eq!((found.runs.both, found.losses.compared), (6, 6));
}

#[test]
fn what_the_specs_set_is_named_once_or_by_arm() {
    let (mut a, mut b) = (fixture(), fixture());
    with_settings(
        &mut a,
        "1",
        &[("", "train.steps", "5"), ("mse", "train.lr", "0.1")],
    );
    with_settings(
        &mut b,
        "1",
        &[
            ("", "train.steps", "6"),
            ("mse", "train.lr", "0.2"),
            ("wasserstein", "x", "1"),
        ],
    );
    b.change(|study| study.report.alpha = 0.25);
    crate::record::write_study(&b.layout, &b.study).unwrap();
    let found = compare_studies(&a.layout, &b.layout).unwrap();
    let alpha = a.study.report.alpha.to_string();
    assert!(!found.same);
    assert_eq!(
        found.settings,
        [
            difference("train.steps", Some("5"), Some("6")),
            difference("train.lr in the arm mse", Some("0.1"), Some("0.2")),
            difference("x in the arm wasserstein", None, Some("1")),
            difference("report.alpha", Some(&alpha), Some("0.25")),
        ]
    );
}

#[test]
fn what_the_runs_say_otherwise_is_named_cell_by_cell_and_the_largest_first() {
    let (a, mut b) = (fixture(), fixture());
    b.change(|study| study.report.margin = 10.0);
    crate::record::write_study(&b.layout, &b.study).unwrap();
    for (run, change) in [("mse-uniform-4-1", 0.25), ("mse-uniform-4-0", -0.5)] {
        b.reevaluate(run, |evaluation| {
            evaluation.test.nll_nats_per_token += change
        });
    }
    b.remove("wasserstein-uniform-4-2");
    let found = compare_studies(&a.layout, &b.layout).unwrap();
    let cell = |arm: &str, seed: u8| {
        format!("arm={arm} match.strategy=uniform student.layers=4 seed={seed}")
    };
    assert_eq!(
        found.cells,
        [difference(
            &cell("wasserstein", 2),
            Some("finished"),
            Some("missing")
        )]
    );
    assert_eq!(found.losses.compared, 5);
    let differing: Vec<(&str, f64)> = found
        .losses
        .differing
        .iter()
        .map(|one| (one.cell.as_str(), (one.difference * 1e9).round() / 1e9))
        .collect();
    assert_eq!(
        differing,
        [
            (cell("mse", 0).as_str(), -0.5),
            (cell("mse", 1).as_str(), 0.25)
        ]
    );
    assert_eq!(found.verdicts.len(), 1, "{:?}", found.verdicts);
    assert_eq!(found.verdicts[0].key, "wasserstein");
}

#[test]
fn cells_and_runs_that_one_study_has_alone_are_named() {
    let (a, mut b) = (fixture(), fixture());
    b.change(|study| {
        let last = study.cells.pop().unwrap();
        assert_eq!(last.at["seed"], "2");
    });
    crate::record::write_study(&b.layout, &b.study).unwrap();
    let found = compare_studies(&a.layout, &b.layout).unwrap();
    assert_eq!(found.runs.only_a, ["wasserstein-uniform-4-2"]);
    assert_eq!(found.runs.both, 5);
    assert_eq!(found.cells.len(), 1);
    assert_eq!(
        (found.cells[0].a.as_deref(), found.cells[0].b.as_deref()),
        (Some("finished"), None)
    );
    let back = compare_studies(&b.layout, &a.layout).unwrap();
    assert_eq!(back.runs.only_b, ["wasserstein-uniform-4-2"]);
    assert_eq!(back.cells[0].a, None);
}
