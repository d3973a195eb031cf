//! Tests of `pairs.rs`.

use super::*;
use crate::plan::run::TokenPairing;
use crate::random::Seed;

fn teachers(matching: &Matching, step: u64, epoch: u64) -> Vec<usize> {
    let layer = |matched: Matched| {
        if let Matched::One(HiddenState::Layer(layer)) = matched {
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
    let matching = Matching::Random {
        redraw: None,
        tokens: TokenPairing::Paired,
    };
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
    let matching = Matching::Random {
        redraw: Some(10),
        tokens: TokenPairing::Paired,
    };
    assert_eq!(teachers(&matching, 10, 0), teachers(&matching, 19, 3));
    assert!((0..20).any(|draw| teachers(&matching, 10 * draw, 0) != teachers(&matching, 0, 0)));
}

#[test]
fn maps_of_several_layers_name_all_of_them() {
    let tokens = TokenPairing::Paired;
    let at = |matching: Matching| pairs_at(&matching, 2, 5, Seed::Run(0), 0, 0);
    let layers = |all: &[usize]| all.iter().map(|&i| HiddenState::Layer(i)).collect();
    let expected = [
        (HiddenState::Layer(1), Matched::Mean(layers(&[1, 2]))),
        (HiddenState::Layer(2), Matched::Mean(layers(&[3, 4, 5]))),
    ];
    assert_eq!(at(Matching::Combine { tokens }), expected);
    let all: Vec<HiddenState> = layers(&[1, 2, 3, 4, 5]);
    for (i, (own, matched)) in at(Matching::Attention { tokens }).into_iter().enumerate() {
        assert_eq!(own, HiddenState::Layer(i + 1));
        assert_eq!(matched, Matched::Attended(all.clone()));
    }
}
