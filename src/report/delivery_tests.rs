//! Tests of `delivery.rs`.

use super::*;
use crate::plan::run::Term;
use crate::report::analysis::Analysis;
use crate::report::closeness::closeness;
use crate::report::contrasts::Contrast;
use crate::report::test_fixture::{Fixture, StudyShape};

/// `none`, the baseline, `mse` and `wasserstein`, whose every pair of states is so far apart: by
/// squares and by clouds.
fn fixture(distances: [(&str, f64, f64); 3]) -> Fixture {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse", "wasserstein"],
        strategies: vec!["uniform"],
        steps: 40,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "none".to_owned())].into();
    });
    for cell in fixture.study.cells.clone() {
        let (_, mse, w1) = distances
            .into_iter()
            .find(|one| one.0 == cell.at["arm"])
            .unwrap();
        let spec = std::fs::read_to_string(fixture.layout.run(&cell.run).spec()).unwrap();
        let spec: RunSpec = toml::from_str(&spec).unwrap();
        let mut places = match &spec.matching {
            Matching::Pairs { pairs, .. } => pairs.clone(),
            _ => Vec::new(),
        };
        places.extend((1..=4).map(|i| (HiddenState::Layer(i), HiddenState::Layer(2 * i))));
        let form = || {
            Some(CloudDistances {
                w1: Some(w1),
                sliced_w2: None,
                energy: None,
                mse: Some(mse),
            })
        };
        let pairs = places
            .into_iter()
            .map(|(student_state, teacher_state)| MeasuredPair {
                student_state,
                teacher_state,
                cka: None,
                raw: form(),
                layernorm: form(),
            });
        fixture.reevaluate(&cell.run, |evaluation| {
            evaluation.treatment = Some(Treatment {
                tokens: 1024,
                pairs: pairs.collect(),
            });
        });
    }
    fixture
}

fn contrast(fixture: &Fixture, label: &str) -> Contrast {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let found = analysis
        .contrasts
        .into_iter()
        .find(|one| one.asked.label == label);
    found.expect(label)
}

#[test]
fn a_loss_is_delivered_where_its_own_quantity_came_closer() {
    // The critic's arm is nearer in squares, and no nearer in what it is about.
    let fixture = fixture([
        ("none", 2.0, 5.0),
        ("mse", 1.0, 6.0),
        ("wasserstein", 1.5, 5.0),
    ]);
    let mse = contrast(&fixture, "mse");
    let [delivery] = mse.deliveries.as_slice() else {
        panic!("{:?}", mse.deliveries);
    };
    assert_eq!(delivery.quantity, Quantity::Mse);
    assert!((delivery.value - 1.0).abs() < 1e-12 && (delivery.compared - 2.0).abs() < 1e-12);
    assert!(!mse.is_treatment_missed());
    let critic = contrast(&fixture, "wasserstein");
    let [delivery] = critic.deliveries.as_slice() else {
        panic!("{:?}", critic.deliveries);
    };
    assert_eq!((delivery.quantity, delivery.floor), (Quantity::W1, None));
    assert!(critic.is_treatment_missed());
}

#[test]
fn the_loss_of_a_baseline_is_looked_at_beside_arms_that_have_none() {
    let mut fixture = fixture([
        ("none", 2.0, 5.0),
        ("mse", 1.0, 6.0),
        ("wasserstein", 1.5, 5.0),
    ]);
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "mse".to_owned())].into();
    });
    let none = contrast(&fixture, "none");
    let [delivery] = none.deliveries.as_slice() else {
        panic!("{:?}", none.deliveries);
    };
    assert_eq!(
        (delivery.label.as_str(), delivery.against.as_str()),
        ("mse", "none")
    );
    assert!(!delivery.is_missed());
}

#[test]
fn records_of_builds_that_did_not_measure_it_say_nothing() {
    let mut fixture = fixture([
        ("none", 2.0, 5.0),
        ("mse", 1.0, 6.0),
        ("wasserstein", 1.5, 5.0),
    ]);
    for cell in fixture.study.cells.clone() {
        fixture.reevaluate(&cell.run, |evaluation| evaluation.treatment = None);
    }
    fixture.change(|_| {});
    let critic = contrast(&fixture, "wasserstein");
    assert!(critic.deliveries.is_empty() && !critic.is_treatment_missed());
}

#[test]
fn a_loss_is_judged_by_the_same_without_it_and_may_do_less_than_another() {
    let against_mse = |w1: f64| {
        let mut fixture = fixture([
            ("none", 2.0, 6.0),
            ("mse", 1.0, 4.0),
            ("wasserstein", 1.5, w1),
        ]);
        fixture.change(|study| {
            study.report.baseline = [("arm".to_owned(), "mse".to_owned())].into();
        });
        contrast(&fixture, "wasserstein").deliveries.remove(0)
    };
    let less = against_mse(5.0);
    assert_eq!(less.beside(), ("none", 6.0));
    assert!(!less.is_missed() && less.is_behind());
    // Nothing says where the way ends.
    assert_eq!((less.share(), less.compared_share()), (None, None));
    let more = against_mse(3.0);
    assert!(!more.is_missed() && !more.is_behind());
    let missed = against_mse(6.5);
    assert!(missed.is_missed() && !missed.is_behind());
}

#[test]
fn shares_are_of_the_way_to_the_teachers_own() {
    let delivery = Delivery {
        label: "wasserstein".to_owned(),
        against: "mse".to_owned(),
        term: "hidden".to_owned(),
        quantity: Quantity::W1,
        form: StateForm::Layernorm,
        value: 5.5,
        compared: 4.75,
        untreated: Some(("none".to_owned(), 6.0)),
        floor: Some(4.5),
    };
    assert!((delivery.share().unwrap() - 0.5 / 1.5).abs() < 1e-12);
    assert!((delivery.compared_share().unwrap() - 1.25 / 1.5).abs() < 1e-12);
    // Token by token there is nothing but 0 at the end.
    let squares = Delivery {
        quantity: Quantity::Mse,
        floor: None,
        against: "none".to_owned(),
        compared: 6.0,
        ..delivery
    };
    assert!((squares.share().unwrap() - 0.5 / 6.0).abs() < 1e-12);
    assert_eq!(squares.compared_share(), None);
}

#[test]
fn every_setting_is_held_against_every_measure() {
    let fixture = fixture([
        ("none", 2.0, 5.0),
        ("mse", 1.0, 6.0),
        ("wasserstein", 2.5, 4.0),
    ]);
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let found = closeness(&data, &analysis.rows);
    let removed = |label: &str| {
        let of_row = found.iter().find(|one| one.label == label).unwrap();
        assert_eq!(of_row.beside, "none");
        [of_row.mse, of_row.w1, of_row.sliced_w2, of_row.energy]
    };
    // The teacher of this study was not measured, so nobody knows where clouds could end.
    assert_eq!(removed("mse"), [Some(0.5), None, None, None]);
    assert_eq!(removed("wasserstein"), [Some(-0.25), None, None, None]);
    // In the form that the losses compare, and then in the other.
    let forms: Vec<&str> = found.iter().map(|one| one.states).collect();
    assert_eq!(forms, ["raw", "raw", "layer-normed", "layer-normed"]);
}

#[test]
fn losses_that_are_blind_to_length_are_judged_by_standardised_states() {
    let form = |text: &str| {
        let term: Term = toml::from_str(text).unwrap();
        match term.comparison() {
            Comparison::Hidden(loss) => form_of(loss),
            Comparison::Logits(_) => panic!("{text}"),
        }
    };
    let mse = "kind = \"hidden.mse\"\nstates = \"raw\"\n";
    assert_eq!(form(mse), StateForm::Raw);
    assert_eq!(
        form(&format!("{mse}normalize = true\n")),
        StateForm::Layernorm
    );
    let cosine = "kind = \"hidden.cosine\"\nstates = \"raw\"\n";
    assert_eq!(form(cosine), StateForm::Layernorm);
    // Squares of unit vectors that did their work on states which grew longer.
    let fixture = fixture([
        ("none", 2.0, 5.0),
        ("mse", 1.0, 6.0),
        ("wasserstein", 1.5, 5.0),
    ]);
    for cell in &fixture.study.cells {
        if cell.at["arm"] == "mse" {
            fixture.change_spec(&cell.run, ("normalize = false", "normalize = true"));
            fixture.reevaluate(&cell.run, |evaluation| {
                let treatment = evaluation.treatment.as_mut().unwrap();
                for pair in &mut treatment.pairs {
                    pair.raw.as_mut().unwrap().mse = Some(3.0);
                }
            });
        }
    }
    let mse = contrast(&fixture, "mse");
    assert_eq!(mse.deliveries[0].form, StateForm::Layernorm);
    assert!(!mse.is_treatment_missed());
}

#[test]
fn a_missing_run_does_not_change_what_a_loss_is_judged_by() {
    let mut fixture = fixture([
        ("none", 2.0, 6.0),
        ("mse", 1.0, 4.0),
        ("wasserstein", 1.5, 5.0),
    ]);
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "mse".to_owned())].into();
    });
    let whole = contrast(&fixture, "wasserstein").deliveries.remove(0);
    let first = fixture.study.cells.iter();
    let first = first.clone().find(|cell| cell.at["arm"] == "none").unwrap();
    std::fs::remove_dir_all(&fixture.layout.run(&first.run).root).unwrap();
    let left = contrast(&fixture, "wasserstein").deliveries.remove(0);
    assert_eq!(left.beside(), whole.beside());
    assert!(!left.is_missed() && left.is_behind());
}
