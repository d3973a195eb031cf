//! Tests of `frame.rs`.

use super::*;
use crate::report::recorded_runs::last_values;
use crate::report::test_fixture::{Fixture, StudyShape};

#[test]
fn every_number_of_every_run_has_a_column_of_its_type() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform"],
        steps: 40,
        ..StudyShape::default()
    });
    fixture.remove("mse-uniform-4-2");
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let table = table(&data, &last_values(&data)).unwrap();
    let evaluation = data.run(0).evaluation.as_ref().unwrap();
    assert_eq!(table.i64("seed").unwrap(), [0, 1, 2, 0, 1, 2]);
    assert_eq!(table.i64("student.layers").unwrap(), [4; 6]);
    assert_eq!(
        table.column("model.parameters").unwrap(),
        &Column::Counts(
            [0, 1, 2, 3, 4, 5]
                .map(|cell| (cell != 2).then_some(evaluation.model.parameters))
                .to_vec()
        )
    );
    let first = |name: &str| table.sparse(name).unwrap()[0];
    assert_eq!(
        first("test.nll_nats_per_token"),
        Some(evaluation.test.nll_nats_per_token)
    );
    let layers = &evaluation.teacher.as_ref().unwrap().layers;
    assert!(!layers.is_empty());
    for layer in layers {
        let name = |what: &str| format!("teacher.layers.{}.{what}", layer.student);
        assert_eq!(first(&name("cka")), layer.cka);
        assert_eq!(first(&name("sliced_w2")), layer.sliced_w2);
    }
    // What training has recorded: a factor is one number, of the rest the last counts.
    let metrics = crate::table::read(&fixture.layout.run("mse-uniform-4-0").metrics()).unwrap();
    let last = |name: &str| metrics.sparse(name).unwrap().iter().rev().find_map(|v| *v);
    assert_eq!(first("balance.hidden"), last("balance.hidden"));
    assert_eq!(first("last.term.kl"), last("term.kl"));
    assert_eq!(first("last.validation.nll"), last("validation.nll"));
    let steps = table.column("last.step").unwrap();
    assert!(matches!(steps, Column::Counts(steps) if steps[0] == Some(39) && steps[2].is_none()));
    // No time is among them, and nothing that is no number of one run.
    assert!(table.names().all(|name| {
        !name.contains("seconds") && !name.contains("documents") && !name.contains("format")
    }));
}
