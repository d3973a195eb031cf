//! Tests of `estimate.rs`.

use super::*;
use HiddenState::{Final, Layer};

#[test]
fn a_state_that_several_layers_are_compared_with_is_kept_once() {
    assert_eq!(kept([Layer(2), Layer(2), Layer(4), Final].into_iter()), 2);
    assert_eq!(kept([Final].into_iter()), 0);
}
