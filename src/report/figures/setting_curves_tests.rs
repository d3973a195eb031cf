//! Tests of `setting_curves.rs`.

use super::*;
use crate::report::analysis::Analysis;
use crate::report::data::StudyData;
use crate::report::test_fixture::{Fixture, StudyShape};

#[test]
fn a_line_is_drawn_against_what_stands_in_the_same_panel() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse", "cosine"],
        strategies: vec!["uniform", "last", "reverse"],
        steps: 20,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        let map = ("match.strategy".to_owned(), "uniform".to_owned());
        study.report.baseline.extend([map]);
    });
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let view = View::new(&data, &analysis);
    assert_eq!(view.baseline_of_series().as_deref(), Some("mse"));
    let drawn = |title: &str| -> Vec<(String, String)> {
        let mut facets = view.facets(&[]).into_iter();
        let facet = facets.find(|facet| facet.title == title).expect(title);
        let label = |row: usize| view.rows[row].label.clone();
        let rows = facet.rows.iter().map(|&(row, _)| row);
        rows.filter_map(|row| Some((label(row), label(compared_within(&view, &facet, row)?))))
            .collect()
    };
    let of_map = |map: &str, arms: &[&str]| -> Vec<(String, String)> {
        let named = arms.iter().map(|arm| format!("{arm}, {map}"));
        named.map(|row| (row, format!("mse, {map}"))).collect()
    };
    assert_eq!(drawn("uniform"), of_map("uniform", &["none", "cosine"]));
    // All of them are compared with the baseline's own map, which is in another panel.
    assert_eq!(drawn("last"), of_map("last", &["none", "cosine"]));
    // Two controls are held against each other nowhere.
    assert_eq!(drawn("reverse"), of_map("reverse", &["none"]));
    let facets = view.facets(&[]);
    let last = facets.into_iter().find(|facet| facet.title == "last");
    let curves = SettingCurves::new(&view, last.unwrap());
    let names: Vec<&str> = curves
        .differences
        .iter()
        .map(|curve| curve.name.as_str())
        .collect();
    assert_eq!((curves.losses.len(), names), (3, vec!["none", "cosine"]));
    assert!(!curves.leaves_out_controls);
    let facets = view.facets(&[]);
    let reverse = facets.into_iter().find(|facet| facet.title == "reverse");
    let curves = SettingCurves::new(&view, reverse.unwrap());
    assert_eq!(curves.differences.len(), 1);
    assert!(curves.leaves_out_controls);
}
