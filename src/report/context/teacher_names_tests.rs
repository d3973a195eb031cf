//! Tests of `teacher_names.rs`.

use super::*;
use crate::report::test_fixture::{Fixture, StudyShape};

/// Three arms by two values of an axis, which stands in the place of the layer maps; the teacher of
/// a cell is what `teacher` makes of its arm and its value.
fn study(key: &str, teacher: impl Fn(&str, &str) -> String) -> StudyData {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse", "cosine"],
        strategies: vec!["uniform", "last"],
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        for axis in &mut study.axes {
            if axis.key == "match.strategy" {
                axis.key = key.to_owned();
                axis.values = vec!["3".to_owned(), "7".to_owned()];
            }
        }
        for cell in &mut study.cells {
            let map = cell.at.remove("match.strategy");
            let value = if map.as_deref() == Some("last") {
                "7"
            } else {
                "3"
            };
            cell.at.insert(key.to_owned(), value.to_owned());
            cell.teacher = teacher(&cell.at[ARM], value);
        }
    });
    StudyData::read(&fixture.layout, fixture.study.clone())
}

/// The names of its teachers in tables.
fn names_of(key: &str, teacher: impl Fn(&str, &str) -> String) -> Vec<String> {
    let data = study(key, teacher);
    for (name, teacher) in named_teachers(&data) {
        let cells = data.study.cells.iter();
        let own = cells
            .enumerate()
            .find(|(_, cell)| cell.teacher == teacher.id);
        assert_eq!(teacher_of(&data, own.unwrap().0), Some(name));
    }
    named_teachers(&data).map(|(name, _)| name).collect()
}

/// The teacher of an arm, of which one has another than the others.
fn size(arm: &str) -> &'static str {
    if arm == "mse" { "small" } else { "large" }
}

#[test]
fn a_teacher_is_named_by_its_seed_where_that_is_an_axis() {
    // In the order in which cells name them, whatever the seeds are.
    let names = names_of(TEACHER_SEED, |_, seed| format!("t{seed}"));
    assert_eq!(names, ["teacher 3", "teacher 7"]);
    let names = names_of(TEACHER_SEED, |_, _| "t".to_owned());
    assert_eq!(names, ["teacher"]);
}

#[test]
fn a_teacher_is_named_by_the_arms_or_the_values_that_have_it() {
    assert_eq!(
        names_of("student.width", |arm, _| size(arm).to_owned()),
        ["teacher of none and cosine", "teacher of mse"]
    );
    assert_eq!(
        names_of("teacher.layers", |_, layers| format!("t{layers}")),
        ["teacher (3 layers)", "teacher (7 layers)"]
    );
}

#[test]
fn teachers_that_no_axis_tells_apart_are_named_by_seed_and_arms_or_by_numbers() {
    assert_eq!(
        names_of(TEACHER_SEED, |arm, seed| size(arm).to_owned() + seed),
        [
            "teacher 3 of none and cosine",
            "teacher 7 of none and cosine",
            "teacher 3 of mse",
            "teacher 7 of mse"
        ]
    );
    let names = names_of("teacher.layers", |arm, layers| format!("{arm}{layers}"));
    assert_eq!((names.len(), names[5].as_str()), (6, "teacher 6"));
}

#[test]
fn a_sentence_has_the_names_of_arms_in_quotes_where_it_might_take_them_for_words() {
    let data = study("student.width", |arm, _| size(arm).to_owned());
    assert_eq!(
        names_in_sentences(&data),
        ["teacher of “none” and cosine", "teacher of mse"]
    );
    let data = study(TEACHER_SEED, |arm, seed| size(arm).to_owned() + seed);
    assert_eq!(
        names_in_sentences(&data)[0],
        "teacher 3 of “none” and cosine"
    );
}
