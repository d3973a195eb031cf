//! Tests of `questions.rs`, on the closed-form losses of the fixture: an arm moves the loss by
//! 0.02, a layer map by 0.01, a layer of the student by −0.05, with a little interaction.

use std::collections::BTreeMap;

use super::*;
use crate::plan::AxisChoice;
use crate::report::analysis::Analysis;
use crate::report::contrasts::Contrast;
use crate::report::test_fixture::{Fixture, StudyShape};

fn analysis(fixture: &Fixture) -> Analysis {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    Analysis::new(&data).unwrap()
}

fn two_by_two(strategies: &[&'static str]) -> Fixture {
    Fixture::new(&StudyShape {
        strategies: strategies.to_vec(),
        layers: vec![2, 4],
        seeds: 5,
        steps: 10,
        extras: false,
        ..StudyShape::default()
    })
}

/// The comparisons of a question as `what | with what`, with their mean differences.
fn of<'a>(analysis: &'a Analysis, question: &Question) -> Vec<(String, &'a Contrast)> {
    let contrasts = analysis.contrasts.iter();
    contrasts
        .filter(|contrast| contrast.asked.question == *question)
        .map(|contrast| {
            let against = contrast.asked.against.as_deref().unwrap_or("nothing");
            (format!("{} | {against}", contrast.asked.label), contrast)
        })
        .collect()
}

fn names(found: &[(String, &Contrast)]) -> Vec<String> {
    found.iter().map(|(name, _)| name.clone()).collect()
}

fn mean(contrast: &Contrast) -> f64 {
    contrast.paired.as_ref().unwrap().mean
}

#[test]
fn an_axis_is_compared_at_equal_levels_of_all_others_and_over_them() {
    let fixture = two_by_two(&["uniform"]);
    let analysis = analysis(&fixture);
    let layers = Question::Axis("student.layers".to_owned());
    let along = of(&analysis, &layers);
    assert_eq!(
        names(&along),
        [
            "mse, 4 layers | mse, 2 layers",
            "wasserstein, 4 layers | wasserstein, 2 layers"
        ]
    );
    let main = of(&analysis, &Question::Main("student.layers".to_owned()));
    assert_eq!(names(&main), ["4 layers | 2 layers"]);
    // The loss has no interaction of arms and layers: both are −0.05 a layer, to the last digits.
    for (_, contrast) in along.iter().chain(&main) {
        assert!((mean(contrast) + 0.1).abs() < 1e-12, "{}", mean(contrast));
    }
    let interaction = Question::Interaction("arm".to_owned(), "student.layers".to_owned());
    let interaction = of(&analysis, &interaction);
    assert_eq!(
        names(&interaction),
        ["wasserstein − mse: 4 layers | 2 layers"]
    );
    assert!(mean(interaction[0].1).abs() < 1e-12);
    // Arms over layers: the mean of the two comparisons with the baseline, seed by seed.
    let arms = of(&analysis, &Question::Main("arm".to_owned()));
    let single = of(&analysis, &Question::Baseline);
    let expected = (mean(single[0].1) + mean(single[1].1)) / 2.0;
    assert!((mean(arms[0].1) - expected).abs() < 1e-12);
    // All of them share α but a primary one.
    assert_eq!(analysis.family, 2 + 2 + 1 + 1 + 1);
}

#[test]
fn an_interaction_is_the_difference_of_the_differences_by_hand() {
    let fixture = two_by_two(&["uniform", "last"]);
    let analysis = analysis(&fixture);
    let question = Question::Interaction("arm".to_owned(), "match.strategy".to_owned());
    let found = of(&analysis, &question);
    assert_eq!(names(&found), ["wasserstein − mse: last | uniform"]);
    let loss = |arm: &str, map: &str, layers: &str, seed: usize| {
        let row = analysis.rows.iter().find(|row| {
            row.at["arm"] == arm
                && row.at["match.strategy"] == map
                && row.at["student.layers"] == layers
        });
        row.unwrap().losses[seed]
    };
    let paired = found[0].1.paired.as_ref().unwrap();
    for seed in 0..5 {
        let by_layers = ["2", "4"].map(|layers| {
            loss("wasserstein", "last", layers, seed)
                - loss("mse", "last", layers, seed)
                - loss("wasserstein", "uniform", layers, seed)
                + loss("mse", "uniform", layers, seed)
        });
        let expected = f64::midpoint(by_layers[0], by_layers[1]);
        assert!((paired.differences[seed] - expected).abs() < 1e-12);
    }
}

#[test]
fn the_baseline_arm_is_held_against_its_null_controls_too_and_no_pair_is_compared_twice() {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform", "last", "reverse", "shuffled"],
        seeds: 5,
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    let analysis = analysis(&fixture);
    let nulls = names(&of(&analysis, &Question::Null));
    assert_eq!(nulls.len(), 2 * 2 * 2);
    assert!(nulls.contains(&"mse, uniform | mse, reverse".to_owned()));
    let along = of(&analysis, &Question::Axis("match.strategy".to_owned()));
    assert_eq!(
        names(&along),
        [
            "mse, last | mse, uniform",
            "wasserstein, last | wasserstein, uniform"
        ]
    );
    let mut pairs: Vec<(usize, usize)> = analysis
        .contrasts
        .iter()
        .filter_map(Contrast::rows)
        .map(|(a, b)| (a.min(b), a.max(b)))
        .collect();
    let all = pairs.len();
    pairs.sort_unstable();
    pairs.dedup();
    assert_eq!(pairs.len(), all);
    // mse/uniform is 0.03 and 0.04 better than its own controls, and has no other to be better
    // than.
    let row = analysis
        .rows
        .iter()
        .position(|row| row.label == "mse, uniform");
    assert_eq!(
        analysis.nulls[row.unwrap()].as_ref().unwrap().beats,
        Some(true)
    );
}

#[test]
fn an_arm_with_shuffled_tokens_is_the_null_control_of_the_arm_that_differs_in_nothing_else() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec![
            "none",
            "mse",
            "unpaired",
            "wasserstein",
            "wasserstein-unpaired",
        ],
        strategies: vec!["uniform"],
        seeds: 5,
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        let baseline = &mut study.report.baseline;
        baseline.insert("arm".to_owned(), "none".to_owned());
    });
    let analysis = analysis(&fixture);
    assert_eq!(
        names(&of(&analysis, &Question::Null)),
        ["mse | unpaired", "wasserstein | wasserstein-unpaired"]
    );
    let nulls = |label: &str| {
        let row = analysis.rows.iter().position(|row| row.label == label);
        analysis.nulls[row.unwrap()].clone()
    };
    let of_pairs = nulls("mse").unwrap();
    let controls: Vec<&str> = of_pairs
        .controls
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(controls, ["shuffled tokens"]);
    assert_eq!(of_pairs.lacking, [""; 0]);
    // Clouds are the same in any order: that is no test of a loss of clouds, nor of a control.
    for label in ["wasserstein", "unpaired", "wasserstein-unpaired", "none"] {
        assert_eq!(nulls(label), None, "{label}");
    }
    let rendered = crate::report::render(&fixture.layout, fixture.study.clone(), None).unwrap();
    let mut files = rendered.files.iter();
    assert!(files.any(|(path, _)| path.ends_with("figures/maps.svg")));
    let mut files = rendered.files.iter();
    let (_, page) = files.find(|(path, _)| path.ends_with("report.md")).unwrap();
    let page = String::from_utf8_lossy(page);
    assert!(page.contains("difference to shuffled tokens"));
    // Critics that were judged after the last step have a table of their own.
    assert_eq!(page.matches(" | 0.250 | 1.25 |").count(), 1, "{page}");
}

#[test]
fn the_baseline_s_own_null_controls_are_those_that_are_compared_with_it() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse", "unpaired", "wasserstein"],
        strategies: vec!["uniform", "reverse"],
        seeds: 5,
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        let fixed = [("arm", "mse"), ("match.strategy", "uniform")];
        let fixed = fixed.map(|(key, value)| (key.to_owned(), value.to_owned()));
        study.report.baseline = fixed.into();
    });
    let analysis = analysis(&fixture);
    // Nothing asks a second time for what the baseline is compared with already.
    assert!(
        !names(&of(&analysis, &Question::Null))
            .contains(&"mse, uniform | unpaired, uniform".to_owned())
    );
    let row = analysis.rows.iter().position(|row| row.is_baseline);
    let nulls = analysis.nulls[row.unwrap()].as_ref().unwrap();
    let names: Vec<&str> = nulls.controls.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["reverse", "shuffled tokens"]);
    for (control, label) in nulls
        .controls
        .iter()
        .zip(["mse, reverse", "unpaired, uniform"])
    {
        let mut contrasts = analysis.contrasts.iter();
        let turned = contrasts
            .find(|one| one.asked.question == Question::Baseline && one.asked.label == label);
        let turned = turned.unwrap_or_else(|| panic!("{label}"));
        let (low, high) = turned.interval.unwrap();
        assert_eq!(control.interval, Some((-high, -low)));
        assert_eq!(control.difference, -turned.paired.as_ref().unwrap().mean);
        assert_eq!(nulls.beats_controls.is_some(), nulls.lacking.is_empty());
    }
}

#[test]
fn an_axis_that_an_arm_does_not_use_is_no_question_there() {
    let fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "none"],
        strategies: vec!["uniform", "last"],
        layers: vec![4],
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    let analysis = analysis(&fixture);
    let along = of(&analysis, &Question::Axis("match.strategy".to_owned()));
    assert_eq!(names(&along), ["mse, last | mse, uniform"]);
    let interaction = Question::Interaction("arm".to_owned(), "match.strategy".to_owned());
    assert!(of(&analysis, &interaction).is_empty());
}

#[test]
fn a_grid_without_arms_compares_its_axis() {
    let mut fixture = two_by_two(&["uniform"]);
    fixture.change(|study| {
        study.report.baseline.clear();
        study.arms.clear();
        study.cells.retain(|cell| cell.at["arm"] == "mse");
        study.axes.retain(|axis| axis.key != "arm");
    });
    let analysis = analysis(&fixture);
    let along = of(&analysis, &Question::Axis("student.layers".to_owned()));
    assert_eq!(names(&along), ["4 layers | 2 layers"]);
    assert_eq!(question_axis(&fixture.study), Some("student.layers"));
    assert_eq!(analysis.contrasts.len(), 1);
}

#[test]
fn a_baseline_that_fixes_several_axes_is_one_setting_for_all() {
    let mut fixture = two_by_two(&["uniform"]);
    fixture.change(|study| {
        let layers = ("student.layers".to_owned(), "4".to_owned());
        study.report.baseline.extend([layers]);
    });
    let analysis = analysis(&fixture);
    assert_eq!(
        names(&of(&analysis, &Question::Baseline)),
        [
            "mse, 2 layers | mse, 4 layers",
            "wasserstein, 2 layers | mse, 4 layers",
            "wasserstein, 4 layers | mse, 4 layers"
        ]
    );
    // The first of them answers half of what the axis asks; its reference is the baseline's.
    assert_eq!(
        names(&of(&analysis, &Question::Axis("student.layers".to_owned()))),
        ["wasserstein, 2 layers | wasserstein, 4 layers"]
    );
}

#[test]
fn two_controls_are_compared_where_the_spec_declares_it_alone() {
    let mut fixture = two_by_two(&["uniform", "reverse"]);
    let reversed = |fixture: &Fixture| {
        let analysis = analysis(fixture);
        let all = of(&analysis, &Question::Baseline).into_iter();
        let reversed = all.filter(|(name, _)| name.contains("reverse"));
        reversed
            .map(|(name, one)| (name, one.asked.is_primary))
            .collect::<Vec<_>>()
    };
    assert_eq!(reversed(&fixture), []);
    fixture.change(|study| {
        let one = |value: &str| AxisChoice::One(value.to_owned());
        let at = [
            ("arm", "wasserstein"),
            ("match.strategy", "reverse"),
            ("student.layers", "2"),
        ];
        study.report.primary = Some(at.map(|(key, v)| (key.to_owned(), one(v))).into());
    });
    let declared = "wasserstein, reverse, 2 layers | mse, reverse, 2 layers".to_owned();
    assert_eq!(reversed(&fixture), [(declared, true)]);
    // By its arm alone nobody names a control, held against whatever.
    fixture.change(|study| {
        let arm = ("arm".to_owned(), AxisChoice::One("wasserstein".to_owned()));
        study.report.primary = Some([arm].into());
    });
    assert_eq!(reversed(&fixture), []);
    fixture.change(|study| {
        let map = ("match.strategy".to_owned(), "uniform".to_owned());
        study.report.baseline.extend([map]);
    });
    let against_uniform = reversed(&fixture);
    assert_eq!(against_uniform.len(), 4);
    assert!(against_uniform.iter().all(|(_, is_primary)| !is_primary));
}

#[test]
fn a_primary_value_of_an_axis_alone_is_its_mean_over_the_others() {
    let declared = |at: &[(&str, &str)]| {
        let mut fixture = two_by_two(&["uniform"]);
        let choice = |values: &str| AxisChoice::of(values.split(", ").map(str::to_owned).collect());
        let at = at.iter().map(|(key, v)| ((*key).to_owned(), choice(v)));
        let at: BTreeMap<String, AxisChoice> = at.collect();
        fixture.change(|study| study.report.primary = Some(at));
        let analysis = analysis(&fixture);
        let primary = analysis.contrasts.iter().filter(|one| one.asked.is_primary);
        let primary: Vec<String> = primary.map(|one| one.asked.label.clone()).collect();
        assert_eq!(analysis.primary, primary.len());
        primary
    };
    assert_eq!(declared(&[("student.layers", "4")]), ["4 layers"]);
    assert_eq!(
        declared(&[("arm", "wasserstein"), ("student.layers", "4")]),
        ["wasserstein, 4 layers"]
    );
    assert_eq!(
        declared(&[("arm", "wasserstein")]),
        ["wasserstein, 2 layers", "wasserstein, 4 layers"]
    );
    assert_eq!(
        declared(&[("arm", "mse, wasserstein"), ("student.layers", "4")]),
        ["mse, 4 layers", "wasserstein, 4 layers"]
    );
    assert_eq!(
        declared(&[("arm", "mse"), ("student.layers", "4")]),
        ["mse, 4 layers"]
    );
}

#[test]
fn what_a_hidden_loss_adds_is_asked_whatever_the_baseline_is() {
    let fixture = Fixture::new(&StudyShape {
        arms: vec!["mse", "none", "wasserstein"],
        strategies: vec!["uniform", "reverse"],
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    let analysis = analysis(&fixture);
    let added = of(&analysis, &Question::Untreated);
    // mse against none is the baseline's question; a control is not asked.
    assert_eq!(names(&added), ["wasserstein, uniform | none, uniform"]);
}

#[test]
fn a_mean_names_its_levels_where_one_axis_alone_differs_between_them() {
    let over = |gone: &str| {
        let mut fixture = two_by_two(&["uniform", "last"]);
        let is_gone = |at: &Setting| at["arm"] == "wasserstein" && *at["student.layers"] == *gone;
        fixture.change(|study| study.cells.retain(|cell| !is_gone(&cell.at)));
        let mut contrasts = analysis(&fixture).contrasts.into_iter();
        contrasts.find_map(|one| one.asked.over)
    };
    assert_eq!(over("none").as_deref(), Some("4 settings"));
    assert_eq!(over("2").as_deref(), Some("uniform, last"));
}
