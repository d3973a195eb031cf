//! Tests of `trials.rs`.

use super::*;

fn trials(weights: &[&str], chosen: usize) -> Trials {
    let axis = |key: &str, values: Vec<String>| Axis {
        key: key.to_owned(),
        values,
    };
    let key = "loss.hidden.weight";
    let tried = weights
        .iter()
        .enumerate()
        .map(|(index, weight)| TriedValues {
            arm: Some("mse".to_owned()),
            values: [(key.to_owned(), (*weight).to_owned())].into(),
            runs: vec![format!("{index:012x}")],
            validation_nll: Some(index as f64),
            is_chosen: index == chosen,
        });
    Trials {
        axes: vec![
            axis(key, weights.iter().map(|one| (*one).to_owned()).collect()),
            axis("seed", vec!["50".to_owned()]),
        ],
        tried: tried.collect(),
    }
}

#[test]
fn a_number_at_an_end_of_what_was_tried_is_told_and_one_between_is_not() {
    let weights = ["1.0", "0.1", "1_0"];
    assert_eq!(chosen_at_an_end(&trials(&weights, 0)), Vec::<String>::new());
    let smallest = chosen_at_an_end(&trials(&weights, 1));
    assert_eq!(
        smallest,
        [
            "The loss.hidden.weight of mse that was chosen, 0.1, is the smallest that was tried: \
             a smaller one may be better; at 0 there is no such loss."
        ]
    );
    let largest = chosen_at_an_end(&trials(&weights, 2));
    assert!(
        largest[0].contains("chosen, 10, is the largest"),
        "{largest:?}"
    );
    // Words have no ends, and one value is no choice.
    assert!(chosen_at_an_end(&trials(&["uniform", "last"], 0)).is_empty());
    assert!(chosen_at_an_end(&trials(&["1.0"], 0)).is_empty());
}

#[test]
fn seeds_and_trainings_are_counted() {
    let facts = TrialFacts::new(&trials(&["0.1", "1.0"], 1), 0.005);
    assert_eq!(facts.seeds, ["50"]);
    assert_eq!(facts.runs, 2);
    assert!(facts.is_chosen && facts.tried[1].is_chosen);
    assert_eq!(facts.tried[0].values, "loss.hidden.weight = 0.1");
}

#[test]
fn arms_that_chose_the_same_end_are_told_in_one_sentence() {
    let mut both = trials(&["0.1", "1.0"], 1);
    let sliced = both.tried.iter().cloned().map(|one| TriedValues {
        arm: Some("sliced".to_owned()),
        ..one
    });
    let sliced: Vec<TriedValues> = sliced.collect();
    both.tried.extend(sliced);
    let told = chosen_at_an_end(&both);
    assert!(
        told.len() == 1 && told[0].contains(" of mse and sliced that was chosen, 1, "),
        "{told:?}"
    );
}

#[test]
fn values_that_the_trials_hardly_tell_apart_are_counted() {
    // The losses are 0, 1 and 2.
    let three = trials(&["0.1", "0.3", "1.0"], 0);
    assert_eq!(hardly_apart(&three, 0.5), None);
    assert_eq!(
        hardly_apart(&three, 1.0).as_deref(),
        Some(
            "Of the other values, these end within δ of the chosen ones, where another seed may \
             choose otherwise: 1 of 2 of mse."
        )
    );
}

#[test]
fn what_was_chosen_is_told_in_the_words_of_labels_and_of_the_set_up() {
    let axis = |key: &str, values: &[&str]| Axis {
        key: key.to_owned(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
    };
    let tried = |arm: Option<&str>, values: [(&str, &str); 3]| TriedValues {
        arm: arm.map(str::to_owned),
        values: values
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        runs: vec!["1".to_owned()],
        validation_nll: Some(1.0),
        is_chosen: true,
    };
    let mut of_one = Trials {
        axes: vec![
            axis("loss.kl.temperature", &["2.0", "4.0"]),
            axis("loss.kl.weight", &["1.5", "4.5"]),
            axis("train.lr.peak", &["3e-3", "1e-2"]),
            axis("seed", &["50"]),
        ],
        tried: vec![tried(
            None,
            [
                ("loss.kl.temperature", "4.0"),
                ("loss.kl.weight", "4.5"),
                ("train.lr.peak", "1e-2"),
            ],
        )],
    };
    assert_eq!(
        chosen(&of_one).as_deref(),
        Some("Chosen by the validation split: temperature 4, weight 4.5, learning rate 0.01.")
    );
    of_one.tried[0].is_chosen = false;
    assert_eq!(chosen(&of_one), None);
    // Two weights are told apart by their keys, and arms by their names.
    let values = [
        ("loss.hidden.weight", "0.3"),
        ("loss.kl.weight", "1.5"),
        ("train.lr.peak", "3e-3"),
    ];
    let of_two = Trials {
        axes: vec![
            axis("loss.hidden.weight", &["0.3", "1.0"]),
            axis("loss.kl.weight", &["0.5", "1.5"]),
            axis("train.lr.peak", &["3e-3"]),
        ],
        tried: vec![tried(Some("mse"), values), tried(Some("sliced"), values)],
    };
    let of_each = "loss.hidden.weight 0.3, loss.kl.weight 1.5";
    assert_eq!(
        chosen(&of_two).unwrap(),
        format!("Chosen by the validation split: mse: {of_each}; sliced: {of_each}.")
    );
}

#[test]
fn an_arm_is_named_as_a_sentence_names_it() {
    let mut both = trials(&["0.1", "0.3", "1.0"], 0);
    let others = both.tried.iter().cloned().map(|one| TriedValues {
        arm: Some("none".to_owned()),
        ..one
    });
    let others: Vec<TriedValues> = others.collect();
    both.tried.extend(others);
    assert_eq!(
        chosen(&both).as_deref(),
        Some("Chosen by the validation split: mse: weight 0.1; “none”: weight 0.1.")
    );
    let at_an_end = chosen_at_an_end(&both);
    let told = "The loss.hidden.weight of mse and “none” that was chosen, 0.1, ";
    assert!(at_an_end[0].contains(told), "{at_an_end:?}");
    let near = hardly_apart(&both, 1.0).unwrap();
    assert!(
        near.ends_with(": 1 of 2 of mse, 1 of 2 of “none”."),
        "{near}"
    );
    // Without arms there is nothing to name.
    let mut alone = trials(&["0.1", "0.3", "1.0"], 0);
    alone.tried.iter_mut().for_each(|one| one.arm = None);
    let at_an_end = chosen_at_an_end(&alone);
    assert!(
        at_an_end[0].starts_with("The loss.hidden.weight that was chosen, 0.1, "),
        "{at_an_end:?}"
    );
    let near = hardly_apart(&alone, 1.0).unwrap();
    assert!(near.ends_with(": 1 of 2."), "{near}");
}
