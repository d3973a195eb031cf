//! Tests of `contrasts.rs`.

use super::super::analysis::Analysis;
use super::super::data::StudyData;
use super::super::test_fixture::{Fixture, StudyShape};

#[test]
fn comparisons_of_the_same_runs_share_alpha_as_one() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "wasserstein", "cosine"],
        strategies: vec!["uniform"],
        ..StudyShape::default()
    });
    let family = |fixture: &Fixture| {
        let data = StudyData::read(&fixture.layout, fixture.study.clone());
        let analysis = Analysis::new(&data).unwrap();
        (analysis.family, analysis.contrasts.len())
    };
    assert_eq!(family(&fixture), (2, 2));
    fixture.change(|study| {
        let cells = study.cells.iter_mut();
        cells.for_each(|cell| cell.run = cell.run.replace("cosine", "wasserstein"))
    });
    assert_eq!(family(&fixture), (1, 2));
    fixture.change(|study| {
        let cells = study.cells.iter_mut();
        let cosines = cells.filter(|cell| cell.at["arm"] == "cosine");
        cosines.for_each(|cell| cell.run = cell.run.replace("wasserstein", "mse"))
    });
    assert_eq!(family(&fixture), (1, 2));
}
