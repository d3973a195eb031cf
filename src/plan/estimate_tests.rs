//! Tests of `estimate.rs`.

use super::*;
use crate::plan::run::{LayerWeighting, TokenPairing};
use HiddenState::{Final, Layer};

#[test]
fn a_state_that_several_layers_are_compared_with_is_kept_once() {
    assert_eq!(kept([Layer(2), Layer(2), Layer(4), Final].into_iter()), 2);
    assert_eq!(kept([Final].into_iter()), 0);
}

#[test]
fn a_transport_between_layers_values_every_pair_and_goes_along_few() {
    let matching = Matching::Emd {
        weights: LayerWeighting::Learned,
        tokens: TokenPairing::Paired,
    };
    let compared = ComparedPairs::of(&matching, 3, 12);
    let found = [compared.pairs, compared.valued, compared.student_states];
    assert_eq!((found, compared.teacher_states), ([14, 36, 3], 12));
}
