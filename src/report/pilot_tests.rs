//! Tests of `pilot.rs`, on a folder of closed-form numbers.

use super::*;
use crate::report::test_fixture::{Fixture, StudyShape};

#[test]
fn the_spread_of_every_comparison_is_that_of_its_differences() {
    let fixture = Fixture::new(&StudyShape::default());
    let Pilot {
        comparisons,
        flops_per_second,
    } = pilot(&fixture.layout, fixture.study.clone()).unwrap();
    // Two against the baseline, two along the maps, both over the other axis, one interaction.
    assert_eq!(comparisons.len(), 7);
    for comparison in &comparisons[..2] {
        assert!(comparison.label.starts_with("wasserstein, "));
        assert!(comparison.against.starts_with("mse, "));
    }
    for comparison in &comparisons {
        assert_eq!(comparison.n, 3);
        assert!(
            comparison
                .deviation
                .is_some_and(|deviation| deviation > 0.0)
        );
        assert!(!comparison.is_primary);
    }
    assert!(flops_per_second.is_some_and(|speed| speed > 0.0));
}

#[test]
fn comparisons_are_there_before_anything_was_run() {
    let fixture = Fixture::new(&StudyShape::default());
    let elsewhere = tempfile::tempdir().unwrap();
    let layout = Layout::new(elsewhere.path(), "nothing");
    let found = pilot(&layout, fixture.study.clone()).unwrap();
    assert_eq!(found.comparisons.len(), 7);
    let nothing =
        |comparison: &PilotComparison| comparison.n == 0 && comparison.deviation.is_none();
    assert!(found.comparisons.iter().all(nothing));
    assert_eq!(found.flops_per_second, None);
}

#[test]
fn runs_that_went_together_took_as_long_as_the_slowest() {
    let fixture = Fixture::new(&StudyShape::default());
    let study = fixture.study.clone();
    let data = StudyData::read(&fixture.layout, study);
    let (mut flops, mut seconds) = (0.0, 0.0);
    for seed in ["0", "1", "2"] {
        let cells =
            (0..data.study.cells.len()).filter(|&cell| data.study.cells[cell].at["seed"] == seed);
        let runs: Vec<&RunData> = cells.map(|cell| data.run(cell)).collect();
        let costs = runs
            .iter()
            .map(|run| run.evaluation.as_ref().unwrap().training.as_ref().unwrap());
        let (mut own, mut shared) = (0.0, 0.0f64);
        for cost in costs {
            own += cost.student_flops + cost.critic_flops;
            shared = shared.max(cost.teacher_flops);
        }
        flops += own + shared;
        let times = runs.iter().map(|run| run.training_seconds.unwrap());
        seconds += times.fold(0.0, f64::max);
    }
    let expected = flops / seconds;
    let found = flops_per_second(&data).unwrap();
    assert!((found / expected - 1.0).abs() < 1e-12, "{found}");
}
