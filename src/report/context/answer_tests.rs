//! Tests of `answer.rs`, and of what the page says of its intervals.

use super::*;
use crate::plan::{Axis, AxisChoice, Trials, TriedValues};
use crate::report::data::StudyData;
use crate::report::render;
use crate::report::test_fixture::{Fixture, StudyShape};

fn fixture(arms: Vec<&'static str>, seeds: usize) -> Fixture {
    Fixture::new(&StudyShape {
        arms,
        strategies: vec!["uniform"],
        seeds,
        steps: 10,
        extras: false,
        ..StudyShape::default()
    })
}

fn answer_of(fixture: &Fixture) -> String {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    answer(&data.study, &Analysis::new(&data).unwrap())
}

fn page(fixture: &Fixture) -> String {
    let rendered = render(&fixture.layout, fixture.study.clone(), None).unwrap();
    String::from_utf8(rendered.page().to_vec()).unwrap()
}

#[test]
fn of_many_comparisons_that_decide_nothing_the_rest_is_counted() {
    let told = answer_of(&fixture(vec!["mse", "a", "b", "c", "d", "e", "f"], 1));
    assert!(
        told.starts_with("One seed decides nothing. The test losses differ, in nats per token: a"),
        "{told}"
    );
    assert!(
        told.ends_with("; and 2 more. A verdict takes three seeds."),
        "{told}"
    );
}

#[test]
fn names_in_the_answer_cannot_be_taken_for_words_of_it() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse", "cosine"],
        strategies: vec!["uniform", "last"],
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    let one = |value: &str| AxisChoice::One(value.to_owned());
    fixture.change(|study| {
        let at = [("arm", "none"), ("match.strategy", "last")];
        study.report.primary = Some(at.map(|(key, v)| (key.to_owned(), one(v))).into());
    });
    let told = answer_of(&fixture);
    assert!(
        told.contains("“none” (last) is worse than mse (last)"),
        "{told}"
    );
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    let beside = beside_the_primary(&data.study, &Analysis::new(&data).unwrap()).unwrap();
    assert!(
        beside.starts_with("Of 3 comparisons with mse (last) or mse (uniform): "),
        "{beside}"
    );
}

#[test]
fn what_a_mean_is_over_is_named_as_a_sentence_names_it_and_in_the_table_as_it_is() {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse"],
        strategies: vec!["uniform"],
        layers: vec![2, 4],
        steps: 10,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| study.report.question = Some("student.layers".to_owned()));
    let told = answer_of(&fixture);
    assert!(told.contains("4 layers (mean over “none”, mse)"), "{told}");
    let page = page(&fixture);
    assert!(
        page.contains("| 4 layers, mean over none, mse | 2 layers |"),
        "{page}"
    );
}

/// A study of one run, whose values `[select]` chose where it has trials.
fn alone(trials: Option<Trials>) -> Fixture {
    let mut fixture = fixture(vec!["none"], 1);
    fixture.change(|study| {
        study.axes.clear();
        study.arms.clear();
        study.cells[0].at.clear();
        study.trials = trials;
    });
    fixture
}

#[test]
fn a_study_that_only_chooses_says_first_what_was_chosen() {
    let axis = |key: &str, values: [&str; 2]| Axis {
        key: key.to_owned(),
        values: values.map(str::to_owned).into(),
    };
    let values = [("loss.kl.temperature", "4.0"), ("train.lr.peak", "0.01")];
    let tried = TriedValues {
        arm: None,
        values: values
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        runs: vec!["a".to_owned()],
        validation_nll: Some(3.2),
        is_chosen: true,
    };
    let trials = Trials {
        axes: vec![
            axis("loss.kl.temperature", ["1.0", "4.0"]),
            axis("train.lr.peak", ["0.003", "0.01"]),
        ],
        tried: vec![tried],
    };
    assert_eq!(
        answer_of(&alone(Some(trials))),
        "Chosen by the validation split: temperature 4, learning rate 0.01. With that, the \
         student's test loss is 3.1580 nats per token, a perplexity of 23.52."
    );
    assert_eq!(
        answer_of(&alone(None)),
        "The student's test loss is 3.1580 nats per token, a perplexity of 23.52; nothing is \
         compared with it."
    );
}

#[test]
fn the_page_says_of_intervals_what_those_that_are_there_hold() {
    let both = vec!["mse", "wasserstein"];
    let of_one = page(&fixture(both.clone(), 3));
    let words = "negative is better. Intervals are t intervals: with 95 % confidence the true \
                 difference lies within its interval. p ≤ 0.05 where the interval";
    assert!(of_one.contains(words), "{of_one}");
    // One seed has none.
    let alone = page(&fixture(both, 1));
    let words = "negative is better. δ = 0.005 is the smallest difference of interest.\n";
    assert!(
        alone.contains(words) && !alone.contains("t intervals"),
        "{alone}"
    );
    let of_two = page(&fixture(vec!["mse", "wasserstein", "cosine"], 3));
    let words = "widened for the number of comparisons (Bonferroni): with 95 % confidence both \
                 true differences lie within theirs at once. p values are corrected in the same \
                 way: p ≤ 0.05 where the interval";
    assert!(of_two.contains(words), "{of_two}");
    let of_three = page(&fixture(vec!["mse", "wasserstein", "cosine", "a"], 3));
    let words = "confidence all 3 true differences lie within theirs at once.";
    assert!(of_three.contains(words), "{of_three}");
    let mut declared = fixture(vec!["mse", "wasserstein", "cosine"], 3);
    declared.change(|study| {
        let arm = AxisChoice::One("wasserstein".to_owned());
        study.report.primary = Some([("arm".to_owned(), arm)].into());
    });
    let declared = page(&declared);
    let words = "with 95 % confidence the true difference that was not declared lies within its \
                 interval; the one declared beforehand is judged apart, at the same level. p ≤ \
                 0.05 where the interval";
    assert!(declared.contains(words), "{declared}");
}

#[test]
fn a_page_without_notes_has_no_heading_for_them() {
    let alone = page(&alone(None));
    assert!(
        !alone.contains("## Notes") && alone.contains("\n\n## Appendix\n"),
        "{alone}"
    );
    let of_two = page(&fixture(vec!["mse", "wasserstein"], 3));
    assert!(of_two.contains("\n\n## Notes\n\n- "), "{of_two}");
}
