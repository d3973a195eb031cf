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
fn a_band_meets_the_edge_where_its_ends_do() {
    let band = [(0.0, 2.0, 4.0), (2.0, 0.0, 0.0)];
    assert_eq!(
        with_crossings(&band, [-1.0, 1.0]),
        [
            (0.0, 2.0, 4.0),
            (1.0, 1.0, 2.0),
            (1.5, 0.5, 1.0),
            (2.0, 0.0, 0.0)
        ]
    );
}
