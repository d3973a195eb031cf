//! Tests of `trials.rs`.

use super::*;

fn tried(arm: &str, weight: &str, validation_nll: Option<f64>) -> TriedValues {
    TriedValues {
        arm: Some(arm.to_owned()),
        values: [("loss.hidden.weight".to_owned(), weight.to_owned())].into(),
        runs: vec![format!("{arm}{weight}")],
        validation_nll,
        is_chosen: false,
    }
}

#[test]
fn the_lowest_loss_is_chosen_for_every_arm_and_of_equal_ones_the_first() {
    let mut all = vec![
        tried("mse", "0.1", Some(2.0)),
        tried("mse", "1.0", Some(1.5)),
        tried("mse", "3.0", Some(1.5)),
        tried("energy", "0.1", Some(1.0)),
        tried("energy", "1.0", None),
    ];
    mark_chosen(&mut all);
    let chosen: Vec<bool> = all.iter().map(|one| one.is_chosen).collect();
    assert_eq!(chosen, [false, true, false, true, false]);
    let trials = Trials {
        axes: Vec::new(),
        tried: all,
    };
    let choice = trials.choice().unwrap();
    assert_eq!(choice["mse"]["loss.hidden.weight"], "1.0");
    assert_eq!(choice["energy"]["loss.hidden.weight"], "0.1");
}

#[test]
fn an_arm_that_diverged_with_every_value_has_no_choice_and_so_the_study_has_none() {
    let mut all = vec![tried("mse", "0.1", Some(2.0)), tried("energy", "0.1", None)];
    mark_chosen(&mut all);
    let trials = Trials {
        axes: Vec::new(),
        tried: all,
    };
    assert_eq!(trials.choice(), None);
}
