//! Tests of `typed_axes.rs`.

use super::*;
use crate::report::test_fixture::{Fixture, StudyShape};

/// The column of an axis with these values, one a cell.
fn column(key: &str, values: &[&str]) -> Column {
    let mut study = Fixture::new(&StudyShape {
        arms: vec!["mse"],
        strategies: vec!["uniform"],
        seeds: values.len(),
        steps: 1,
        extras: false,
        ..StudyShape::default()
    })
    .study;
    study.axes = vec![Axis {
        key: key.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }];
    for (cell, value) in study.cells.iter_mut().zip(values) {
        cell.at = [(key.to_owned(), (*value).to_owned())].into();
    }
    typed_axes(&study)[0].column(0..values.len())
}

#[test]
fn a_column_has_the_type_that_all_its_values_have() {
    assert_eq!(column("seed", &["0", "12"]), Column::I64(vec![0, 12]));
    assert_eq!(
        column("seed", &["0", "18446744073709551615"]),
        Column::U64(vec![0, u64::MAX])
    );
    assert_eq!(
        column("loss.kl.weight", &["1", "-0.5", "1e-3"]),
        Column::F64(vec![1.0, -0.5, 1e-3])
    );
    assert_eq!(
        column("loss.kl.enabled", &["true", "false"]),
        Column::Flags(vec![true, false])
    );
    let text = |values: &[&str]| Column::Text(values.iter().map(|v| (*v).to_owned()).collect());
    for values in [["inf", "nan"], ["1", "off"], ["true", "1"], ["", "1"]] {
        assert_eq!(column("match.strategy", &values), text(&values));
    }
    assert_eq!(column("arm", &["1", "2"]), text(&["1", "2"]));
}
