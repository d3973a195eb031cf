//! Tests of `not_measured.rs`.

use super::*;
use crate::plan::run::HiddenState;
use crate::record::evaluation::{CloudDistances, MeasuredPair, Treatment};
use crate::report::closeness::closeness;
use crate::report::test_fixture::{Fixture, StudyShape};

/// `none`, the baseline, is measured on the first of these pairs of layers; `mse`, which matches
/// layer 1 with layer 2, and `wasserstein`, whose map is drawn anew, on the others.
fn told(of_none: &[(usize, usize)], of_others: &[(usize, usize)]) -> Vec<String> {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse", "wasserstein"],
        strategies: vec!["uniform"],
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "none".to_owned())].into();
    });
    let form = || {
        Some(CloudDistances {
            w1: Some(5.0),
            sliced_w2: None,
            energy: None,
            mse: Some(2.0),
        })
    };
    let pair = |&(own, other): &(usize, usize)| MeasuredPair {
        student_state: HiddenState::Layer(own),
        teacher_state: HiddenState::Layer(other),
        cka: None,
        raw: form(),
        layernorm: form(),
    };
    for cell in &fixture.study.cells {
        let pairs = match cell.at["arm"].as_str() {
            "none" => of_none,
            _ => of_others,
        };
        if cell.at["arm"] == "wasserstein" {
            let drawn = (
                "strategy = \"pairs\"\npairs = [[1, 2]]\n",
                "strategy = \"random\"\n",
            );
            fixture.change_spec(&cell.run, drawn);
        }
        fixture.reevaluate(&cell.run, |evaluation| {
            evaluation.treatment = (!of_none.is_empty()).then(|| Treatment {
                tokens: 1024,
                pairs: pairs.iter().map(pair).collect(),
            });
        });
    }
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let analysis = Analysis::new(&data).unwrap();
    not_measured(&data, &analysis, &closeness(&data, &analysis.rows))
}

#[test]
fn settings_whose_hidden_losses_nobody_could_judge_are_told_with_the_reason() {
    let drawn = "Whether the hidden losses of wasserstein did their work was not measured: their \
                 maps match no fixed pairs of layers.";
    let two = [(1, 2), (1, 8)];
    assert_eq!(told(&two, &two), [drawn]);
    assert_eq!(
        told(&[(1, 8)], &two),
        [
            "Whether the hidden losses of mse did their work was not measured: the setting \
             without hidden losses, by which they would be judged, is measured on the pairs of \
             uniform, last and reverse alone.",
            drawn
        ]
    );
}

#[test]
fn that_the_table_below_has_a_setting_on_the_uniform_map_is_told() {
    let uniform = [(1, 2), (2, 4), (3, 6), (4, 8)];
    assert_eq!(
        told(&uniform, &uniform),
        [
            "Whether the hidden losses of wasserstein did their work was not measured: their maps \
             match no fixed pairs of layers, and the table below has those of the uniform map in \
             their place."
        ]
    );
}

#[test]
fn records_of_builds_that_measured_nothing_say_nothing() {
    assert_eq!(told(&[], &[(1, 2), (1, 8)]), Vec::<String>::new());
}
