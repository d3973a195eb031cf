//! Tests of `samples.rs`.

use super::*;
use crate::report::test_fixture::{Fixture, StudyShape};

/// Whose texts stand below each prompt, where the teacher of an arm is this.
fn told(teacher: fn(&str) -> &'static str) -> Vec<Vec<String>> {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse", "cosine"],
        strategies: vec!["uniform"],
        steps: 10,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        for cell in &mut study.cells {
            cell.teacher = teacher(&cell.at[ARM]).to_owned();
        }
    });
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let samples = samples(&data, &Analysis::new(&data).unwrap()).unwrap();
    let labels = |one: PromptSamples| -> Vec<String> {
        one.texts.into_iter().map(|text| text.label).collect()
    };
    samples.into_iter().map(labels).collect()
}

#[test]
fn each_teacher_stands_once_before_the_first_of_its_students() {
    assert_eq!(told(|_| "a"), [["teacher", "none", "mse", "cosine"]]);
    assert_eq!(
        told(|arm| if arm == "mse" { "b" } else { "a" }),
        [[
            "teacher of none and cosine",
            "none",
            "teacher of mse",
            "mse",
            "cosine"
        ]]
    );
}
