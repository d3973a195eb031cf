//! Tests of `blocks.rs`.

use super::*;
use crate::report::analysis::Analysis;
use crate::report::data::StudyData;
use crate::report::test_fixture::{Fixture, StudyShape};

/// Two arms of three seeds, whose map is made to stand for the teacher.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse"],
        strategies: vec!["uniform", "last"],
        steps: 40,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "none".to_owned())].into();
        for axis in &mut study.axes {
            if axis.key == axes::STRATEGY {
                axis.key = TEACHER_SEED.to_owned();
                axis.values = vec!["0".to_owned(), "1".to_owned()];
            }
        }
        for cell in &mut study.cells {
            let map = cell.at.remove(axes::STRATEGY);
            let teacher = usize::from(map.as_deref() == Some("last"));
            cell.at.insert(TEACHER_SEED.to_owned(), teacher.to_string());
        }
    });
    fixture
}

#[test]
fn a_comparison_pairs_every_seed_with_every_teacher() {
    let fixture = fixture();
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    assert_eq!(teachers(&data.written), Some(2));
    assert_eq!(teachers(&data.study), None);
    let analysis = Analysis::new(&data).unwrap();
    assert_eq!(analysis.rows.len(), 2, "a row for every arm");
    let contrast = &analysis.contrasts[0];
    let paired = contrast.paired.as_ref().unwrap();
    assert_eq!(paired.n(), 6);
    // The differences are those of one seed and one teacher.
    let loss = |arm: &str, seed: &str, teacher: &str| {
        let is_it = |at: &axes::Setting| {
            at["arm"] == arm && at[SEED] == seed && at[TEACHER_SEED] == teacher
        };
        let mut cells = fixture.study.cells.iter().enumerate();
        let (place, _) = cells.find(|(_, cell)| is_it(&cell.at)).unwrap();
        data.run(place).nll().unwrap()
    };
    let mut expected: Vec<f64> = ["0", "1", "2"]
        .iter()
        .flat_map(|seed| {
            ["0", "1"].map(|teacher| loss("mse", seed, teacher) - loss("none", seed, teacher))
        })
        .collect();
    let mut found = paired.differences.clone();
    expected.sort_by(f64::total_cmp);
    found.sort_by(f64::total_cmp);
    assert_eq!(found, expected);
}

#[test]
fn a_study_of_one_teacher_is_as_it_was() {
    let mut fixture = fixture();
    fixture.change(|study| {
        for axis in &mut study.axes {
            if axis.key == TEACHER_SEED {
                axis.values.truncate(1);
            }
        }
    });
    assert_eq!(with_blocks(&fixture.study), fixture.study);
}
