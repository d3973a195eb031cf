//! Tests of `rules.rs`.

use super::*;

#[test]
fn a_story_has_two_to_twelve_events() {
    assert!((0..2).all(|count| options(Symbol::Body(count)).len() == 1));
    assert!((2..12).all(|count| options(Symbol::Body(count)).len() == 2));
    assert_eq!(options(Symbol::Body(12)), &[(1, &[][..])]);
}
