//! Tests of `closeness.rs`.

use super::*;
use crate::record::evaluation::{CloudDistances, MeasuredPair, Treatment};
use crate::report::analysis::Analysis;
use crate::report::test_fixture::{Fixture, StudyShape};

/// A map with fixed pairs, and what makes one of it that is drawn anew.
const DRAWN: (&str, &str) = (
    "strategy = \"pairs\"\npairs = [[1, 2]]\n",
    "strategy = \"random\"\n",
);

/// What is measured of a run whose squares are `fixed` on the pair of the spec and `others` on the
/// uniform pairs of two layers and of four.
fn measured_as([fixed, others]: [f64; 2]) -> Treatment {
    let pair = |(own, other): (usize, usize)| {
        let form = || {
            Some(CloudDistances {
                w1: None,
                sliced_w2: None,
                energy: None,
                mse: Some(if (own, other) == (1, 2) {
                    fixed
                } else {
                    others
                }),
            })
        };
        MeasuredPair {
            student_state: HiddenState::Layer(own),
            teacher_state: HiddenState::Layer(other),
            cka: None,
            raw: form(),
            layernorm: form(),
        }
    };
    let pairs = [(1, 2), (1, 4), (2, 8), (2, 4), (3, 6), (4, 8)].map(pair);
    Treatment {
        tokens: 1024,
        pairs: pairs.into(),
    }
}

/// `none` and `mse`, the latter with fixed pairs and with a map that is drawn anew, of students
/// that start in two ways, which differ in their depth too. `squares` gives of a map (none of
/// `none`) and a start the squares on the fixed pair, and on all others.
fn fixture(squares: impl Fn(Option<&str>, &str) -> [f64; 2]) -> Fixture {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse"],
        strategies: vec!["uniform", "random"],
        layers: vec![2, 4],
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.report.baseline = [(ARM.to_owned(), "none".to_owned())].into();
        for axis in &mut study.axes {
            if axis.key == "student.layers" {
                axis.key = "student.init".to_owned();
                axis.values = vec!["teacher".to_owned(), "random".to_owned()];
            }
        }
        for cell in &mut study.cells {
            let layers = cell.at.remove("student.layers");
            let is_shallow = layers.as_deref() == Some("2");
            let init = if is_shallow { "teacher" } else { "random" };
            cell.at.insert("student.init".to_owned(), init.to_owned());
        }
    });
    for cell in &fixture.study.cells {
        let map = Some(cell.at[STRATEGY].as_str()).filter(|_| cell.at[ARM] == "mse");
        if map == Some("random") {
            fixture.change_spec(&cell.run, DRAWN);
        }
        let treatment = measured_as(squares(map, &cell.at["student.init"]));
        fixture.reevaluate(&cell.run, |evaluation| {
            evaluation.treatment = Some(treatment);
        });
    }
    fixture
}

fn rows(fixture: &Fixture) -> (StudyData, Vec<TableRow>) {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let rows = Analysis::new(&data).unwrap().rows;
    (data, rows)
}

#[test]
fn every_setting_stands_beside_its_own_without_hidden_losses_whatever_its_map_is() {
    let fixture = fixture(|map, init| match (map, init) {
        (None, "teacher") => [8.0, 2.0],
        (None, _) => [16.0, 16.0],
        (Some("uniform"), "teacher") => [4.0, 9.0],
        (Some("uniform"), _) => [8.0, 8.0],
        // On the fixed pairs nothing came closer, on the uniform ones three quarters.
        (_, "teacher") => [8.0, 0.5],
        // Closer than its own, and further than that of the other start.
        _ => [12.0, 12.0],
    });
    let (data, rows) = rows(&fixture);
    let found = closeness(&data, &rows);
    let told: Vec<(&str, &str, Option<f64>)> = found
        .iter()
        .filter(|one| one.states == "raw")
        .map(|one| (one.label.as_str(), one.beside.as_str(), one.mse))
        .collect();
    // Neither of the settings without hidden losses is set beside the other.
    let (of_teacher, of_random) = ("none, init teacher", "none, init random");
    assert_eq!(
        told,
        [
            ("mse, uniform, init teacher", of_teacher, Some(0.5)),
            ("mse, uniform, init random", of_random, Some(0.5)),
            ("mse, random, init teacher", of_teacher, Some(0.75)),
            ("mse, random, init random", of_random, Some(0.25)),
        ]
    );
}

#[test]
fn rows_are_alike_where_they_differ_in_their_arm_and_in_what_it_matches() {
    let (_, rows) = rows(&fixture(|_, _| [1.0, 1.0]));
    let row = |label: &str| rows.iter().find(|row| row.label == label).expect(label);
    let none = row("none, init teacher");
    for (label, alike) in [
        ("mse, uniform, init teacher", true),
        ("mse, random, init teacher", true),
        ("mse, uniform, init random", false),
        ("none, init random", false),
    ] {
        assert_eq!(
            differ_in_their_arms_alone(none, row(label)),
            alike,
            "{label}"
        );
    }
}
