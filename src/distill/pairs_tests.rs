//! Tests of `pairs.rs`.

use super::*;
use crate::random::Seed;

fn teachers(matching: &Matching, step: u64, epoch: u64) -> Vec<usize> {
    let layer = |state| {
        if let HiddenState::Layer(layer) = state {
            layer
        } else {
            unreachable!("only layers are drawn")
        }
    };
    pairs_at(matching, 3, 6, Seed::Run(7), step, epoch)
        .into_iter()
        .map(|(_, teacher)| layer(teacher))
        .collect()
}

#[test]
fn random_pairs_are_sorted_layers_redrawn_every_epoch() {
    let matching = Matching::Random { redraw: None };
    let draws: Vec<Vec<usize>> = (0..20)
        .map(|epoch| teachers(&matching, 1000, epoch))
        .collect();
    for draw in &draws {
        assert!(draw.windows(2).all(|pair| pair[0] < pair[1]), "{draw:?}");
        assert!(draw[0] >= 1 && draw[2] <= 6, "{draw:?}");
    }
    assert!(draws.iter().any(|draw| draw != &draws[0]));
    assert_eq!(
        draws[4],
        teachers(&matching, 2000, 4),
        "within an epoch the draw stays"
    );
}

#[test]
fn random_pairs_are_redrawn_every_so_many_steps() {
    let matching = Matching::Random { redraw: Some(10) };
    assert_eq!(teachers(&matching, 10, 0), teachers(&matching, 19, 3));
    assert!((0..20).any(|draw| teachers(&matching, 10 * draw, 0) != teachers(&matching, 0, 0)));
}
