//! Tests of `stands.rs`.

use super::super::scale::Scale;
use super::*;

fn panel() -> Panel {
    Panel {
        left: 0.0,
        top: 0.0,
        width: 100.0,
        height: 10.0,
        x: Scale::without_ticks(0.0, 100.0),
        y: Scale::without_ticks(0.0, 1.0),
    }
}

fn placed(values: &[f64]) -> Vec<f64> {
    places(&stands(&panel(), values), values.len())
}

#[test]
fn equal_values_stand_around_their_place_and_others_on_theirs() {
    // Of 30 pixels to the neighbour each has 15, six of them ground.
    assert_eq!(placed(&[50.0, 20.0, 50.0, 50.0]), [41.0, 20.0, 50.0, 59.0]);
    assert_eq!(placed(&[30.0, 70.0]), [30.0, 70.0]);
}

#[test]
fn values_that_differ_are_never_spread() {
    assert_eq!(placed(&[50.0, 50.4]), [50.0, 50.4]);
    assert!(is_equal(1e12, 1e12 + 1.0) && !is_equal(1.0, 1.01));
}
