//! Tests of `elsewhere.rs`: what the report makes of an axis that the answer should not depend on.

use super::*;
use crate::record::study::{Axis, Cell};
use crate::report::analysis::Analysis;
use crate::report::render;
use crate::report::sensitivity::points_elsewhere;
use crate::report::test_fixture::{Fixture, StudyShape};
use crate::report::verdict::Verdict;

/// Differences of `wasserstein` and `mse`, by seed.
const HOME: [f64; 5] = [-0.020, -0.021, -0.019, -0.022, -0.018];

/// A study of two student depths whose losses at two layers differ by [`HOME`], and at four by
/// `there`.
fn fixture(layers: Vec<usize>, there: [f64; 5]) -> Fixture {
    let fixture = Fixture::new(&StudyShape {
        strategies: vec!["uniform", "reverse"],
        layers,
        seeds: 5,
        steps: 40,
        extras: false,
        ..StudyShape::default()
    });
    for cell in &fixture.study.cells {
        let seed: usize = cell.at["seed"].parse().unwrap();
        let (base, differences) = match cell.at["student.layers"].as_str() {
            "2" => (3.0, HOME),
            _ => (2.5, there),
        };
        let is_other = cell.at["arm"] == "wasserstein";
        let is_reverse = cell.at["match.strategy"] == "reverse";
        let loss = base
            + 0.1 * seed as f64
            + (0.2 + 0.003 * seed as f64) * f64::from(u8::from(is_reverse))
            + if is_other { differences[seed] } else { 0.0 };
        fixture.reevaluate(&cell.run, |evaluation| {
            evaluation.test.nll_nats_per_token = loss;
        });
    }
    fixture
}

/// The same with the depth as an axis that the answer should not depend on.
fn held(there: [f64; 5]) -> Fixture {
    let mut fixture = fixture(vec![2, 4], there);
    fixture.change(|study| {
        study.report.sensitivity = [("student.layers".to_owned(), "2".to_owned())].into();
    });
    fixture
}

fn analysed(fixture: &Fixture) -> Analysis {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    Analysis::new(&data).unwrap()
}

#[test]
fn the_answer_is_that_of_a_study_without_the_other_values() {
    let alone = analysed(&fixture(vec![2], [0.5; 5]));
    let with_others = analysed(&held([0.5; 5]));
    assert_eq!(with_others.family, alone.family);
    assert_eq!(with_others.rows.len(), alone.rows.len());
    for (a, b) in with_others.rows.iter().zip(&alone.rows) {
        assert_eq!((&a.label, &a.losses), (&b.label, &b.losses));
    }
    assert_eq!(with_others.contrasts.len(), alone.contrasts.len());
    for (a, b) in with_others.contrasts.iter().zip(&alone.contrasts) {
        assert_eq!((&a.asked, a.interval, a.p), (&b.asked, b.interval, b.p));
        assert_eq!(a.verdict, b.verdict);
    }
    assert!(alone.elsewhere.is_empty());
}

#[test]
fn another_direction_at_another_value_is_what_a_verdict_hangs_on() {
    let analysis = analysed(&held([0.018, 0.02, 0.022, 0.021, 0.019]));
    // On the map that may help: two controls are not compared with each other.
    let told: Vec<&Contrast> = analysis
        .contrasts
        .iter()
        .filter(|one| one.is_told)
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(analysis.elsewhere.len(), 1);
    for (home, other) in told.iter().zip(&analysis.elsewhere) {
        assert_eq!(home.verdict, Verdict::Better);
        assert_eq!(other.contrast.verdict, Verdict::Worse);
        assert_eq!(
            (other.axis.as_str(), other.value.as_str()),
            ("student.layers", "4")
        );
        assert_eq!(home.hangs_on, ["student.layers = 4"]);
        let mean = other.contrast.paired.as_ref().unwrap().mean;
        assert!((mean - 0.02).abs() < 1e-12, "{mean}");
        // At the level of home, of which α is already a share.
        assert_eq!(other.contrast.alpha, 0.05 / analysis.family as f64);
        let paired = other.contrast.paired.as_ref().unwrap();
        assert_eq!(
            other.contrast.interval,
            paired.interval(home.alpha, paired.error)
        );
        let p = paired.p.unwrap() * analysis.family as f64;
        assert!(p < 1.0 && other.contrast.p == Some(p));
    }
    let untold = analysis.contrasts.iter().filter(|one| !one.is_told);
    assert!(untold.into_iter().all(|one| one.hangs_on.is_empty()));
}

#[test]
fn what_is_the_same_everywhere_hangs_on_nothing() {
    let analysis = analysed(&held(HOME.map(|own| own / 2.0)));
    assert_eq!(analysis.elsewhere.len(), 1);
    assert!(analysis.contrasts.iter().all(|one| one.hangs_on.is_empty()));
}

/// A study whose other value of an axis gives the very runs of home, with so many of its seeds: as
/// `bf16-or-f32` does where the processor has no bfloat16.
fn of_the_same_runs(seeds: usize) -> Fixture {
    let mut fixture = fixture(vec![2], HOME);
    fixture.change(|study| {
        let values = ["f32", "bf16-or-f32"].map(str::to_owned);
        let home = std::mem::take(&mut study.cells);
        for value in &values {
            let seeds = if *value == values[0] { 5 } else { seeds };
            let is_there = |cell: &&Cell| cell.at["seed"].parse::<usize>().unwrap() < seeds;
            study.cells.extend(home.iter().filter(is_there).map(|cell| {
                let mut cell = cell.clone();
                cell.at.insert("train.precision".to_owned(), value.clone());
                cell
            }));
        }
        study.report.sensitivity = [("train.precision".to_owned(), values[0].clone())].into();
        study.axes.push(Axis {
            key: "train.precision".to_owned(),
            values: values.to_vec(),
        });
    });
    fixture
}

#[test]
fn the_runs_of_home_or_some_of_them_are_no_other_comparison() {
    for seeds in [5, 3] {
        assert!(
            analysed(&of_the_same_runs(seeds)).elsewhere.is_empty(),
            "{seeds}"
        );
    }
}

#[test]
fn cells_that_the_grid_leaves_out_are_no_comparison() {
    let mut fixture = held(HOME);
    fixture.change(|study| {
        let is_left = |at: &Setting| at["student.layers"] == "2" || at["arm"] == "wasserstein";
        study.cells.retain(|cell| is_left(&cell.at));
    });
    let analysis = analysed(&fixture);
    assert!(analysis.elsewhere.is_empty());
}

#[test]
fn the_page_tells_it_in_the_verdict_below_the_answer_and_in_a_table() {
    let fixture = held([0.018, 0.02, 0.022, 0.021, 0.019]);
    let rendered = render(&fixture.layout, fixture.study.clone(), None).unwrap();
    let mut pages = rendered
        .files
        .iter()
        .filter(|(path, _)| path.ends_with("report.md"));
    let page = String::from_utf8(pages.next_back().unwrap().1.clone()).unwrap();
    for words in [
        "- A verdict hangs on what it should not depend on: wasserstein (uniform) against mse \
         (uniform) would be worse by more than δ with student.layers = 4.",
        "| better by more than δ (hangs on student.layers = 4) |",
        "- Axis `student.layers`: the answer is for 2; [below](#sensitivity), also 4.",
        "| wasserstein, uniform | mse, uniform | student.layers = 4 | 5 | 2.7200 | 2.7000 | \
         +0.0200 |",
        "| worse by more than δ (**another**) |",
        "| wasserstein, uniform | mse, uniform | each seed left out | 4 | – | – | −0.0205 to \
         −0.0195 | – | the same |",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    assert!(!page.contains("| student.layers |"), "{page}");
}

#[test]
fn fewer_seeds_that_decide_less_are_no_other_answer() {
    // The same differences, of three seeds alone and with a spread that decides nothing.
    let mut fixture = held([-0.005, -0.04, -0.013, 0.0, 0.0]);
    fixture.change(|study| {
        let is_left =
            |at: &Setting| at["student.layers"] == "2" || ["0", "1", "2"].contains(&&*at["seed"]);
        study.cells.retain(|cell| is_left(&cell.at));
    });
    let analysis = analysed(&fixture);
    assert!(!analysis.elsewhere.is_empty());
    for other in &analysis.elsewhere {
        let home = &analysis.contrasts[other.of];
        assert_eq!(other.contrast.paired.as_ref().unwrap().n(), 3);
        assert_eq!(other.contrast.verdict, Verdict::Undecided);
        assert_eq!(points_elsewhere(home, other), None);
        assert!(home.hangs_on.is_empty());
    }
}

#[test]
fn a_difference_that_is_gone_elsewhere_is_another_answer_though_it_decides_nothing() {
    let analysis = analysed(&held([0.004, -0.004, 0.005, -0.005, 0.001]));
    for other in &analysis.elsewhere {
        assert_eq!(other.contrast.verdict, Verdict::Undecided);
        assert_eq!(
            points_elsewhere(&analysis.contrasts[other.of], other),
            Some(true)
        );
    }
    assert!(!analysis.elsewhere.is_empty());
}

#[test]
fn the_primary_comparison_may_say_where_the_answer_is_given() {
    let mut fixture = held([0.018, 0.02, 0.022, 0.021, 0.019]);
    fixture.change(|study| {
        let one = |value: &str| crate::plan::AxisChoice::of(vec![value.to_owned()]);
        study.report.sensitivity = [("student.layers".to_owned(), "4".to_owned())].into();
        study.report.primary = Some(
            [
                ("arm".to_owned(), one("wasserstein")),
                ("match.strategy".to_owned(), one("uniform")),
                ("student.layers".to_owned(), one("4")),
            ]
            .into(),
        );
    });
    let analysis = analysed(&fixture);
    assert_eq!(analysis.primary, 1);
    let told: Vec<&Contrast> = analysis
        .contrasts
        .iter()
        .filter(|one| one.is_told)
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].verdict, Verdict::Worse);
    assert_eq!(told[0].hangs_on, ["student.layers = 2"]);
}

#[test]
fn a_control_with_fewer_seeds_is_compared_over_those_that_both_have() {
    let mut fixture = fixture(vec![2], HOME);
    fixture.change(|study| {
        let is_left = |at: &Setting| at["match.strategy"] == "uniform" || at["seed"].as_str() < "3";
        study.cells.retain(|cell| is_left(&cell.at));
    });
    let analysis = analysed(&fixture);
    let nulls =
        |contrast: &&Contrast| contrast.asked.question == crate::report::questions::Question::Null;
    let nulls: Vec<&Contrast> = analysis.contrasts.iter().filter(nulls).collect();
    assert!(!nulls.is_empty());
    for null in nulls {
        assert_eq!(null.paired.as_ref().unwrap().n(), 3);
        assert_eq!(null.verdict.reason(), None, "{:?}", null.asked);
    }
}
