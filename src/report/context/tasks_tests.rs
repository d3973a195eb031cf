//! Tests of `tasks.rs`.

use super::*;
use crate::record::evaluation::TaskAnswers;
use crate::report::statistics::t_quantile;
use crate::report::test_fixture::{Fixture, Normals, StudyShape};

/// Answers to ten items of each of two phenomena, of which the first so many are right.
fn answers(right: [usize; 2]) -> TaskResult {
    let of = |count: usize| {
        let found: Vec<(bool, f64)> = (0..10).map(|item| (item < count, 0.5)).collect();
        TaskAnswers::new(&found)
    };
    let all = [("agreement", of(right[0])), ("pronoun", of(right[1]))];
    TaskResult {
        answers: all.map(|(name, answers)| (name.to_owned(), answers)).into(),
    }
}

/// Two arms whose runs answer as `right` says of an arm and a seed.
fn asked(right: impl Fn(&str, usize) -> [usize; 2]) -> Fixture {
    let mut fixture = Fixture::new(&StudyShape {
        arms: vec!["none", "mse"],
        strategies: vec!["uniform"],
        steps: 40,
        extras: false,
        ..StudyShape::default()
    });
    fixture.change(|study| {
        study.report.baseline = [("arm".to_owned(), "none".to_owned())].into();
    });
    for cell in fixture.study.cells.clone() {
        let found = answers(right(&cell.at["arm"], cell.at["seed"].parse().unwrap()));
        fixture.reevaluate(&cell.run, |evaluation| {
            evaluation.tasks = [("pairs".to_owned(), found)].into();
        });
    }
    fixture
}

fn facts(fixture: &Fixture) -> Vec<TaskFacts> {
    let data = StudyData::read(&fixture.layout, fixture.study.clone());
    tasks(&data, &Analysis::new(&data).unwrap())
}

#[test]
fn shares_are_means_over_seeds_and_differences_are_paired_item_by_item() {
    let fixture = asked(|arm, seed| match arm {
        "none" => [5, 5],
        _ => [6 + seed % 2, 5],
    });
    let found = facts(&fixture);
    assert_eq!(found.len(), 1);
    let task = &found[0];
    let names: Vec<(&str, usize)> = task
        .phenomena
        .iter()
        .map(|one| (one.name.as_str(), one.items))
        .collect();
    assert_eq!(names, [("agreement", 10), ("pronoun", 10)]);
    let row = task
        .rows
        .iter()
        .find(|row| row.difference.is_some())
        .unwrap();
    let seeds = row.seeds as f64;
    let odd = (0..row.seeds).filter(|seed| seed % 2 == 1).count() as f64;
    let more = odd / seeds;
    assert!((row.shares[0].unwrap() - (0.6 + 0.1 * more)).abs() < 1e-12);
    assert!((row.shares[1].unwrap() - 0.5).abs() < 1e-12);
    // Item 6 is right everywhere, item 7 with the odd seeds: differences of 20 items.
    let difference = (1.0 + more) / 20.0;
    assert!((row.difference.unwrap() - difference).abs() < 1e-12);
    let items: Vec<f64> = [1.0, more].into_iter().chain([0.0; 18]).collect();
    let variance = |values: &[f64]| {
        let centre = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
        squares / (values.len() - 1) as f64 / values.len() as f64
    };
    let by_seed: Vec<f64> = (0..row.seeds)
        .map(|seed| if seed % 2 == 1 { 0.1 } else { 0.05 })
        .collect();
    let error = (variance(&items) + variance(&by_seed)).sqrt();
    let half = t_quantile(1.0 - task.alpha / 2.0, row.seeds - 1) * error;
    assert!((row.low.unwrap() - (difference - half)).abs() < 1e-9);
    assert!((row.high.unwrap() - (difference + half)).abs() < 1e-9);
}

#[test]
fn a_study_without_tasks_shows_none_and_answers_to_other_items_are_not_compared() {
    let fixture = asked(|_, _| [5, 5]);
    let run = fixture.study.cells[0].run.clone();
    fixture.reevaluate(&run, |evaluation| {
        let pairs = evaluation.tasks.get_mut("pairs").unwrap();
        pairs.answers.get_mut("pronoun").unwrap().right.push('1');
    });
    let found = facts(&fixture);
    assert!(found[0].rows.iter().all(|row| row.difference.is_none()));
    for cell in fixture.study.cells.clone() {
        fixture.reevaluate(&cell.run, |evaluation| evaluation.tasks.clear());
    }
    assert!(facts(&fixture).is_empty());
}

/// Studies of two arms of equal worth, five seeds and 100 items: whether a model gets an item right
/// depends on how hard it is, on what the arm makes of it, and on what the seed makes of the arm.
/// How often the interval holds the true difference, 0.
#[test]
fn intervals_over_seeds_and_items_hold_the_truth_at_least_as_often_as_they_say() {
    const STUDIES: usize = 1500;
    let mut normals = Normals(11);
    // A seed's share, and an item's: only seeds matter, only items do, both do.
    for (of_seed, of_item) in [(0.4, 0.0), (0.0, 0.8), (0.3, 0.5)] {
        let mut held = 0;
        for _ in 0..STUDIES {
            let items: Vec<[f64; 2]> = (0..100)
                .map(|_| [1.5 * normals.next(), of_item * normals.next()])
                .collect();
            let by_seed: Vec<Vec<f64>> = (0..5)
                .map(|_| {
                    let of_arm = of_seed * normals.next();
                    let mut right =
                        |ability: f64| f64::from(u8::from(ability + normals.next() > 0.0));
                    let difference =
                        |[ease, own]: &[f64; 2]| right(ease + of_arm + own) - right(*ease);
                    items.iter().map(difference).collect()
                })
                .collect();
            let (low, high) = of_items(&by_seed, 0.05).unwrap().1.unwrap();
            held += usize::from(low <= 0.0 && 0.0 <= high);
        }
        let coverage = held as f64 / STUDIES as f64;
        // What an answer has of chance is in both errors, so the intervals are rather too wide;
        // three standard errors of the simulation.
        assert!(coverage >= 0.933, "{of_seed} {of_item}: {coverage}");
    }
}
