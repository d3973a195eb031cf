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
