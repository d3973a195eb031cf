//! Tests of `nulls.rs`.

use super::*;
use crate::report::analysis::Analysis;
use crate::report::render;
use crate::report::test_fixture::{Fixture, StudyShape};

/// `mse` on a map and on two controls, `wasserstein` on the map and on `reverse` with so many of
/// five seeds.
fn fixture(seeds: usize) -> Fixture {
    let mut fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform", "reverse", "shuffled"],
        seeds: 5,
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.cells.retain(|cell| {
            let map = cell.at["match.strategy"].as_str();
            let seed: usize = cell.at["seed"].parse().unwrap();
            cell.at["arm"] == "mse" || map == "uniform" || map == "reverse" && seed < seeds
        });
    });
    fixture
}

#[test]
fn a_control_that_was_not_run_is_told_from_one_with_too_few_seeds() {
    for (seeds, lacking, not_run) in [
        (5, "shuffled", "shuffled"),
        (2, "reverse, shuffled", "shuffled"),
        (0, "reverse, shuffled", "reverse, shuffled"),
    ] {
        let fixture = fixture(seeds);
        let data = StudyData::read(&fixture.layout, fixture.study.clone());
        let analysis = Analysis::new(&data).unwrap();
        let mut rows = analysis.rows.iter();
        let row = rows.position(|row| row.label == "wasserstein, uniform");
        let found = analysis.nulls[row.unwrap()].as_ref().unwrap();
        let names = |names: &[String]| names.join(", ");
        assert_eq!(names(&found.lacking), lacking, "{seeds}");
        assert_eq!(names(&found.not_run), not_run, "{seeds}");
    }
    let words = |seeds: usize| {
        let fixture = fixture(seeds);
        let rendered = render(&fixture.layout, fixture.study.clone(), None).unwrap();
        String::from_utf8(rendered.page().to_vec()).unwrap()
    };
    let few = words(2);
    assert!(
        few.contains("(no reverse with three seeds in common, shuffled was not run)"),
        "{few}"
    );
    let others = "against the same without hidden losses, and against the baseline where it is \
                  another setting, lies below 0";
    assert!(few.contains(others), "{few}");
    let none = words(0);
    assert!(
        none.contains("(reverse was not run, shuffled was not run)"),
        "{none}"
    );
}

#[test]
fn what_beats_its_controls_alone_is_told_with_what_it_does_not_beat() {
    let fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "none", "cosine"],
        strategies: vec!["uniform", "reverse", "shuffled"],
        seeds: 5,
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let of_row = |label: &str| {
        let row = analysis.rows.iter().position(|row| row.label == label);
        analysis.nulls[row.unwrap()].as_ref().unwrap()
    };
    // cosine is 0.02 behind mse, 0.02 ahead of none, and 0.03 and more ahead of its controls.
    let cosine = of_row("cosine, uniform");
    assert_eq!(
        (cosine.beats, cosine.beats_controls),
        (Some(false), Some(true))
    );
    assert_eq!(cosine.not_beaten, ["the baseline"]);
    assert_eq!(of_row("mse, uniform").not_beaten, [""; 0]);
}
