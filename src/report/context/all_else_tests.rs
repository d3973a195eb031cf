//! Tests of `all_else.rs`.

use super::*;
use crate::record::study::Axis;
use crate::report::test_fixture::{Fixture, StudyShape};

#[test]
fn all_else_is_what_no_axis_arm_or_choice_varies() {
    let mut fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| study.arms.clear());
    let all = ["data and their order", "initial student", "schedule"];
    assert_eq!(all_else(&fixture.study), all);
    for (key, left) in [
        ("train.budget", &all[..]),
        ("train.precision", &all[..]),
        ("train.lr.peak", &all[..2]),
        ("train.gradients_every", &all[..]),
        ("train", &all[1..2]),
        ("train.batch", &all[1..2]),
        ("student.init", &["data and their order", "schedule"]),
        ("dataset", &all[1..]),
        ("teacher.layers", &["data and their order", "schedule"]),
        ("teachers", &all[..]),
    ] {
        fixture.change(|study| {
            study.axes = vec![Axis {
                key: key.to_owned(),
                values: vec!["1".to_owned(), "2".to_owned()],
            }];
        });
        assert_eq!(all_else(&fixture.study), left, "{key}");
    }
}
