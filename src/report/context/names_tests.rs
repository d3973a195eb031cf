//! Tests of `names.rs`.

use super::*;
use crate::report::analysis::Analysis;
use crate::report::data::StudyData;
use crate::report::test_fixture::{Fixture, StudyShape};

/// The rows of a study of these arms with two layer maps.
fn rows(arms: &[&'static str]) -> Vec<TableRow> {
    let fixture = Fixture::new(&StudyShape {
        arms: arms.to_vec(),
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    Analysis::new(&data).unwrap().rows
}

#[test]
fn a_label_in_a_sentence_has_no_comma_of_its_own_and_is_no_word_of_it() {
    let rows = rows(&["none", "mse"]);
    let labels: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    assert_eq!(
        labels,
        ["none, uniform", "none, last", "mse, uniform", "mse, last"]
    );
    assert_eq!(in_sentence(&rows, "mse, uniform"), "mse (uniform)");
    assert_eq!(in_sentence(&rows, "none, last"), "“none” (last)");
    // What is no row's is the value of an axis.
    assert_eq!(in_sentence(&rows, "none"), "“none”");
    assert_eq!(in_sentence(&rows, "4 layers"), "4 layers");
}

#[test]
fn the_arm_comes_first_in_a_sentence_wherever_its_axis_stands() {
    let at = [("arm", "mse"), ("match.strategy", "last")];
    let at = at.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let at: axes::Setting = at.into();
    let varying = ["match.strategy", ARM];
    assert_eq!(axes::label(&at, &varying), "last, mse");
    assert_eq!(axes::name(&at, &varying), "mse (last)");
    assert_eq!(axes::in_words(&at), "mse (match.strategy = last)");
}

#[test]
fn several_rows_are_named_by_their_arms_or_one_by_one_with_an_and() {
    let rows = rows(&["none", "mse", "cosine"]);
    assert_eq!(name_of(&rows, &[2]), "mse (uniform)");
    assert_eq!(name_of(&rows, &[0, 1, 2, 3]), "“none” and mse");
    assert_eq!(
        name_of(&rows, &[0, 2, 4]),
        "“none” (uniform), mse (uniform) and cosine (uniform)"
    );
    assert_eq!(name_of(&rows, &[0, 1, 2, 3, 4, 5]), "all students");
    let many = ["a", "b", "c", "d", "e", "f"];
    assert_eq!(in_a_row(&many), "a, b, c, d and 2 more");
    assert_eq!(in_a_row(&many[..1]), "a");
}

#[test]
fn a_table_has_several_rows_by_their_labels_as_they_are() {
    let rows = rows(&["none", "mse", "cosine"]);
    assert_eq!(label_of(&rows, &[0]), "none, uniform");
    assert_eq!(label_of(&rows, &[0, 1, 2, 3]), "none; mse");
    assert_eq!(
        label_of(&rows, &[0, 2, 4]),
        "none, uniform; mse, uniform; cosine, uniform"
    );
    assert_eq!(
        label_of(&rows, &[0, 1, 2, 3, 4]),
        "none, uniform; none, last; mse, uniform; mse, last; and 1 more"
    );
    assert_eq!(label_of(&rows, &[0, 1, 2, 3, 4, 5]), "all students");
    let facts = [(0, "a"), (1, "a"), (2, "b")];
    assert_eq!(
        merged(&rows, facts),
        [("none".to_owned(), "a"), ("mse, uniform".to_owned(), "b")]
    );
}
