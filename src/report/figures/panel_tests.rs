//! Tests of `panel.rs`.

use super::*;

#[test]
fn a_curve_ends_where_it_leaves_the_panel_and_starts_again_where_it_comes_back() {
    let curve = [(0.0, 3.0), (1.0, 1.0), (2.0, 1.5), (3.0, -0.5), (4.0, 0.5)];
    let pieces: Vec<_> = clipped(&curve, 0.0, 2.0)
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .collect();
    assert_eq!(
        pieces,
        [
            vec![(0.5, 2.0), (1.0, 1.0), (2.0, 1.5), (2.75, 0.0)],
            vec![(3.5, 0.0), (4.0, 0.5)]
        ]
    );
}

#[test]
fn labels_move_apart_and_stay_near_their_places() {
    assert_eq!(apart(&[10.0, 50.0], 12.0, 0.0, 100.0), [10.0, 50.0]);
    assert_eq!(apart(&[50.0, 50.0], 12.0, 0.0, 100.0), [44.0, 56.0]);
    assert_eq!(apart(&[99.0, 98.0], 12.0, 0.0, 100.0), [100.0, 88.0]);
    let moved = apart(&[5.0, 6.0, 7.0, 30.0, 31.0], 12.0, 0.0, 100.0);
    assert!(
        moved
            .windows(2)
            .all(|pair| pair[1] - pair[0] >= 12.0 - 1e-9),
        "{moved:?}"
    );
}
