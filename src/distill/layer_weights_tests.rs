//! Tests of `layer_weights.rs`.

use super::*;

fn found(student: &[f64], teacher: &[f64]) -> NamedValues {
    let own = student.iter().zip(1..);
    let own = own.map(|(cost, layer)| (format!("map.hidden.{layer}.cost"), *cost));
    let others = teacher.iter().zip(1..);
    let others = others.map(|(cost, layer)| (format!("map.hidden.teacher-{layer}.cost"), *cost));
    own.chain(others).collect()
}

#[test]
fn layers_that_cost_less_weigh_more_by_a_softmax_of_inverse_costs() {
    let mut weights = LayerWeights::uniform(2, 3);
    weights.follow("hidden", &found(&[1.0, 2.0], &[1.0, 1.0, 1.0]));
    // Σ c / c_i is 3 and 1.5.
    let share = 1.0 / (1.0 + (-1.5f64).exp());
    assert!((weights.student[0] - share).abs() < 1e-12);
    assert!((weights.student[1] - (1.0 - share)).abs() < 1e-12);
    assert_eq!(weights.teacher, LayerWeights::uniform(2, 3).teacher);
}

#[test]
fn a_layer_that_is_far_dearer_keeps_a_weight_to_come_back_with() {
    let mut weights = LayerWeights::uniform(2, 1);
    weights.follow("hidden", &found(&[1.0, 1e6], &[1.0]));
    assert!(weights.student[1] > 0.0 && weights.student[1] < 1e-5);
    weights.follow("hidden", &found(&[2.0, 1.0], &[1.0]));
    assert!(weights.student[1] > weights.student[0]);
}

#[test]
fn costs_that_are_not_above_0_change_nothing_of_their_side() {
    let mut weights = LayerWeights::uniform(2, 2);
    weights.follow("hidden", &found(&[-0.1, 1.0], &[1.0, 3.0]));
    assert_eq!(weights.student, [0.5, 0.5]);
    assert!(weights.teacher[0] > 0.5);
    let before = weights.clone();
    weights.follow("hidden", &found(&[f64::NAN, 1.0], &[0.0, 3.0]));
    assert_eq!(weights, before);
    weights.follow("another", &found(&[1.0, 2.0], &[1.0, 3.0]));
    assert_eq!(weights, before);
}
