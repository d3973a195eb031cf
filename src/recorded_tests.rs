//! Tests of `recorded.rs`.

use super::*;

#[test]
fn names_are_read_as_they_are_written() {
    assert_eq!(term_of(&term("kl.soft")), Some("kl.soft"));
    assert_eq!(balance_of(&balance("hidden")), Some("hidden"));
    let column = critic("hidden.2", "final", ESTIMATE);
    assert_eq!(critic_of(&column), Some(("hidden.2", "final", "estimate")));
    for column in [
        LOSS,
        LEARNING_RATE,
        GRADIENT_NORM,
        VALIDATION_NLL,
        "weight.kl",
        "critic.a",
    ] {
        assert_eq!((term_of(column), balance_of(column)), (None, None));
        assert_eq!(critic_of(column), None);
    }
}
