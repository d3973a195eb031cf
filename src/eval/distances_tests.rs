//! Tests of `distances.rs`.

use std::collections::BTreeMap;

use super::*;
use crate::random::Stream;

fn states(layers: &[usize], width: usize, seed: u64) -> ProbeStates {
    let draw = |layer: usize| {
        let mut stream = Stream::new(seed, "test", layer as u64);
        (0..40 * width).map(|_| stream.normal() as f32).collect()
    };
    let states = layers
        .iter()
        .map(|&layer| (HiddenState::Layer(layer), draw(layer)))
        .collect();
    ProbeStates { states, width }
}

#[test]
fn the_uniform_map_rounds() {
    assert_eq!(
        uniform_pairs(6, 12),
        [(1, 2), (2, 4), (3, 6), (4, 8), (5, 10), (6, 12)]
    );
    assert_eq!(uniform_pairs(4, 6), [(1, 2), (2, 3), (3, 5), (4, 6)]);
    assert_eq!(uniform_pairs(3, 2), [(1, 1), (2, 1), (3, 2)]);
}

#[test]
fn a_model_is_at_no_distance_from_itself() {
    let own = states(&[1, 2], 6, 1);
    for distance in layer_distances(&[(1, 1), (2, 2)], &own, &own, 8) {
        assert!((distance.cka.unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(distance.sliced_w2, Some(0.0));
    }
    assert!(layer_distances(&[(1, 2)], &own, &own, 8)[0].cka.unwrap() < 0.7);
}

#[test]
fn other_widths_have_cka_alone_and_clouds_without_extent_have_none() {
    let (own, other) = (states(&[1], 6, 1), states(&[3], 8, 1));
    let found = layer_distances(&[(1, 3)], &own, &other, 8);
    assert_eq!(
        (found[0].student, found[0].teacher, found[0].sliced_w2),
        (1, 3, None)
    );
    assert!((0.0..0.7).contains(&found[0].cka.unwrap()));
    let flat = ProbeStates {
        states: BTreeMap::from([(HiddenState::Layer(3), vec![1.0; 40 * 8])]),
        width: 8,
    };
    assert_eq!(layer_distances(&[(1, 3)], &own, &flat, 8)[0].cka, None);
}
