//! Tests of `contrasts.rs`.

use super::*;
use crate::report::data::StudyData;
use crate::report::test_fixture::{Fixture, StudyShape};

#[test]
fn what_hidden_losses_add_is_told_of_the_setting_that_has_them() {
    let fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "none", "wasserstein"],
        strategies: vec!["uniform", "reverse"],
        seeds: 5,
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let added = what_hidden_losses_add(&analysis);
    let names: Vec<&str> = added.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(names, ["mse, uniform", "wasserstein, uniform"]);
    // The baseline's question has the first the other way round.
    let asked = analysis.contrasts.iter();
    let mut asked = asked.map(|one| ContrastFacts::new(&analysis.rows, one));
    let asked = asked.find(|one| one.label == "none, uniform");
    let (asked, turned) = (asked.expect("the comparison"), &added[0]);
    assert_eq!(turned.against.as_deref(), Some("none, uniform"));
    assert_eq!(turned.difference.unwrap(), -asked.difference.unwrap());
    assert_eq!(turned.low.unwrap(), -asked.high.unwrap());
    assert_eq!(turned.high.unwrap(), -asked.low.unwrap());
    assert_eq!((turned.n, turned.wins + asked.wins), (5, 5));
    assert_eq!(
        (turned.p, turned.p_better, turned.p_worse),
        (asked.p, asked.p_worse, asked.p_better)
    );
    assert!((turned.ratio.unwrap() * asked.ratio.unwrap() - 1.0).abs() < 1e-12);
    let turned_words = |words: &str| words.replace("worse", "?").replace("better", "worse");
    assert_eq!(
        turned_words(&asked.verdict).replace('?', "better"),
        turned.verdict
    );
}

#[test]
fn what_the_differences_to_the_baseline_say_row_by_row_is_no_table_of_its_own() {
    let added = |baseline: &str| {
        let mut fixture = Fixture::new(&StudyShape {
            arms: vec!["none", "mse", "wasserstein"],
            strategies: vec!["uniform"],
            steps: 10,
            extras: false,
            ..StudyShape::default()
        });
        fixture.change(|study| {
            study.report.baseline = [("arm".to_owned(), baseline.to_owned())].into();
        });
        let data = StudyData::read(&fixture.layout, fixture.study.clone());
        let added = what_hidden_losses_add(&Analysis::new(&data).unwrap());
        added.into_iter().map(|one| one.label).collect::<Vec<_>>()
    };
    assert_eq!(added("none"), Vec::<String>::new());
    // There it is one of two, and the other way round.
    assert_eq!(added("mse"), ["mse", "wasserstein"]);
}
