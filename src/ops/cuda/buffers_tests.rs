//! Tests of `buffers.rs`: what is set to zeros, and what is not.

use std::panic::{catch_unwind, resume_unwind};

use super::*;
use crate::ops::cuda::cuda_tests::{REAL, card};
use crate::ops::{Backend, tape};

#[test]
fn what_a_kernel_writes_whole_is_not_set_to_zeros_and_all_else_is() {
    let Some(card) = card() else { return };
    // On an emulated card what nobody wrote is no number.
    if std::env::var_os(REAL).is_none() {
        let x = empty(&card, 3, 5);
        assert!(tape::read(&x).iter().all(|x| x.is_nan()));
    }
    assert_eq!(card.nothing().value(), 0.0);
    // And so it is behind work that does not come to its end.
    let ended = catch_unwind(|| without_zeros(|| -> f32 { resume_unwind(Box::new("on purpose")) }));
    assert!(ended.is_err());
    assert_eq!(card.nothing().value(), 0.0);
}
