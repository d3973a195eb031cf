//! Tests of `labels.rs`.

use super::*;

#[test]
fn labels_move_apart_and_stay_near_their_places() {
    assert_eq!(separated(&[10.0, 50.0], 12.0, 0.0, 100.0), [10.0, 50.0]);
    assert_eq!(separated(&[50.0, 50.0], 12.0, 0.0, 100.0), [44.0, 56.0]);
    assert_eq!(separated(&[99.0, 98.0], 12.0, 0.0, 100.0), [100.0, 88.0]);
    let moved = separated(&[5.0, 6.0, 7.0, 30.0, 31.0], 12.0, 0.0, 100.0);
    assert!(
        moved
            .windows(2)
            .all(|pair| pair[1] - pair[0] >= 12.0 - 1e-9),
        "{moved:?}"
    );
}
