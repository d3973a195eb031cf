//! Tests of `distances.rs`.

use super::*;
use crate::report::analysis::Analysis;
use crate::report::data::StudyData;
use crate::report::test_fixture::{Fixture, StudyShape};

/// Two arms on three maps; what is matched in reverse is far from the teacher.
fn fixture() -> Fixture {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform", "last", "reverse"],
        steps: 20,
        extras: false,
        ..StudyShape::default()
    });
    for cell in &fixture.study.cells {
        if cell.at[STRATEGY] == "reverse" {
            fixture.reevaluate(&cell.run, |evaluation| {
                for layer in &mut evaluation.teacher.as_mut().unwrap().layers {
                    layer.sliced_w2 = Some(9.0);
                }
            });
        }
    }
    fixture
}

/// The row with a thick line of every arm, and the greatest distance that the axes hold.
fn drawn(fixture: &Fixture) -> (Vec<String>, f64, Figure) {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    let view = View::new(&data, &analysis);
    let facets = view.facets(&[STRATEGY]);
    let series = facets.iter().flat_map(|facet| by_series(&view, facet));
    let thick = series.map(|(_, rows)| view.rows[rows[0]].label.clone());
    let thick = thick.collect();
    let held = SLICED_W2.of_facets(&view, &facets);
    let most = held.iter().map(|point| point.1).fold(0.0, f64::max);
    (thick, most, draw(&view).unwrap())
}

#[test]
fn the_thick_line_of_an_arm_is_one_map_and_no_mean_with_its_controls() {
    let mut fixture = fixture();
    let (thick, most, figure) = drawn(&fixture);
    assert_eq!(thick, ["mse, uniform", "wasserstein, uniform"]);
    assert!(most < 3.0, "{most}");
    // A thick line for each of two arms in each of two panels, and a mark for each of four layers.
    assert_eq!(figure.svg.matches("stroke-width=\"2\"").count(), 4);
    assert!(
        figure
            .svg
            .contains("<title>mse, uniform, layer 4: sliced W2 1.8")
            && !figure.svg.contains("<title>mse, reverse, layer"),
        "{}",
        figure.svg
    );
    assert!(
        figure.caption.contains(
            "; a thick line is an arm with the map uniform (its first, where it has not that), a \
             thin one another of its maps; a thin dotted line is a null control, which may leave \
             the panel. CKA of 1"
        ),
        "{}",
        figure.caption
    );
    // The map is that of the baseline, where it has one.
    fixture.change(|study| {
        let map = (STRATEGY.to_owned(), "last".to_owned());
        study.report.baseline.extend([map]);
    });
    let (thick, _, figure) = drawn(&fixture);
    assert_eq!(thick, ["mse, last", "wasserstein, last"]);
    assert!(figure.caption.contains("an arm with the map last ("));
}

#[test]
fn that_settings_of_controls_alone_are_in_the_table_is_told_where_they_were_measured() {
    let mut fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        layers: vec![2, 4],
        steps: 20,
        extras: false,
        ..StudyShape::default()
    });
    // Students of four layers become those that shuffle tokens.
    fixture.change(|study| {
        for axis in &mut study.axes {
            if axis.key == "student.layers" {
                axis.key = axes::TOKENS.to_owned();
                axis.values = vec!["paired".to_owned(), "shuffled".to_owned()];
            }
        }
        for cell in &mut study.cells {
            let layers = cell.at.remove("student.layers");
            let is_paired = layers.as_deref() == Some("2");
            let tokens = if is_paired { "paired" } else { "shuffled" };
            cell.at.insert(axes::TOKENS.to_owned(), tokens.to_owned());
        }
    });
    let words = " Settings of null controls alone are in the table.";
    let (thick, _, figure) = drawn(&fixture);
    assert_eq!(thick.len(), 4);
    assert!(figure.caption.ends_with(words), "{}", figure.caption);
    for cell in &fixture.study.cells {
        if cell.at[axes::TOKENS] == "shuffled" {
            fixture.reevaluate(&cell.run, |evaluation| {
                evaluation.teacher.as_mut().unwrap().layers.clear();
            });
        }
    }
    let (_, _, figure) = drawn(&fixture);
    assert!(!figure.caption.contains(words), "{}", figure.caption);
}

#[test]
fn one_map_needs_no_words() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        steps: 20,
        extras: false,
        ..StudyShape::default()
    });
    let (_, _, figure) = drawn(&fixture);
    assert!(!figure.caption.contains("thick") && !figure.caption.contains("dotted"));
}
