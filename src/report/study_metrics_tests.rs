//! Tests of `study_metrics.rs`.

use super::*;
use crate::report::recorded_runs::last_values;
use crate::report::test_fixture::{Fixture, StudyShape};
use crate::table::{Limits, from_parquet};

fn read(bytes: Vec<u8>) -> Table {
    from_parquet(bytes, &Limits::default()).unwrap()
}

#[test]
fn every_recorded_row_of_every_run_is_in_one_table() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        steps: 40,
        extras: false,
        ..StudyShape::default()
    });
    fixture.diverge("wasserstein-uniform-4-1");
    fixture.remove("mse-uniform-4-2");
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let ends = last_values(&data);
    let whole = study_metrics(&data, &ends).unwrap();
    let table = read(whole.clone());
    let names: Vec<&str> = table.names().collect();
    assert_eq!(
        &names[..6],
        [
            "run.id",
            "arm",
            "match.strategy",
            "student.layers",
            "seed",
            "step"
        ]
    );
    assert!(names[6..].is_sorted());
    let kept: Vec<&str> = fixture
        .study
        .cells
        .iter()
        .map(|cell| cell.run.as_str())
        .filter(|run| *run != "mse-uniform-4-2")
        .collect();
    let ids = table.text("run.id").unwrap();
    assert_eq!(ids.len(), kept.len() * 40);
    for (place, run) in kept.iter().enumerate() {
        let own = crate::table::read(&fixture.layout.run(run).metrics()).unwrap();
        let rows = place * 40..(place + 1) * 40;
        assert!(ids[rows.clone()].iter().all(|id| id == run));
        assert_eq!(
            &table.u64("step").unwrap()[rows.clone()],
            own.u64("step").unwrap()
        );
        for name in &names[6..] {
            let here = table.sparse(name).unwrap()[rows.clone()].to_vec();
            match own.sparse(name) {
                Ok(there) => assert_eq!(here, there.as_ref(), "{run} {name}"),
                Err(_) => assert!(here.iter().all(Option::is_none), "{run} {name}"),
            }
        }
    }
    assert_eq!(table.i64("student.layers").unwrap()[0], 4);
    assert_eq!(table.i64("seed").unwrap()[40], 1);
    // The groups are a matter of the file alone.
    let short = grouped(&data, &ends, 50).unwrap();
    assert_ne!(short, whole);
    assert_eq!(read(short).to_csv().unwrap(), table.to_csv().unwrap());
    assert_eq!(study_metrics(&data, &last_values(&data)).unwrap(), whole);
}

#[test]
fn an_axis_that_is_called_as_a_value_keeps_its_name() {
    let mut fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        steps: 5,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        for axis in &mut study.axes {
            if axis.key == "student.layers" {
                axis.key = "balance.hidden".to_owned();
            }
        }
        for cell in &mut study.cells {
            let layers = cell.at.remove("student.layers").unwrap();
            cell.at.insert("balance.hidden".to_owned(), layers);
        }
    });
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let table = read(study_metrics(&data, &last_values(&data)).unwrap());
    assert_eq!(table.i64("balance.hidden").unwrap()[0], 4);
    assert!(table.sparse("recorded.balance.hidden").unwrap()[0].is_some());
}

#[test]
fn a_study_without_runs_has_the_columns_of_its_axes() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        steps: 5,
        extras: false,
        ..StudyShape::default()
    });
    for cell in &fixture.study.cells {
        fixture.remove(&cell.run);
    }
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let table = read(study_metrics(&data, &last_values(&data)).unwrap());
    assert_eq!(table.rows(), 0);
    assert_eq!(table.names().count(), 6);
}
