//! Tests of `matching.rs`.

use super::*;

const PAIRED: TokenPairing = TokenPairing::Paired;

fn targets(strategy: &Strategy, student: usize, teacher: usize) -> Vec<usize> {
    let Ok(Matching::Pairs { pairs, .. }) = strategy.resolve(student, teacher, 0) else {
        panic!()
    };
    pairs
        .into_iter()
        .enumerate()
        .map(|(i, pair)| match pair {
            (HiddenState::Layer(of_student), HiddenState::Layer(of_teacher))
                if of_student == i + 1 =>
            {
                of_teacher
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn maps_are_those_of_their_definitions() {
    assert_eq!(
        targets(&Strategy::Uniform { tokens: PAIRED }, 6, 12),
        [2, 4, 6, 8, 10, 12]
    );
    assert_eq!(
        targets(&Strategy::Uniform { tokens: PAIRED }, 4, 6),
        [2, 3, 5, 6]
    );
    assert_eq!(
        targets(&Strategy::Uniform { tokens: PAIRED }, 4, 2),
        [1, 1, 2, 2]
    );
    assert_eq!(
        targets(&Strategy::First { tokens: PAIRED }, 3, 6),
        [1, 2, 3]
    );
    assert_eq!(targets(&Strategy::Last { tokens: PAIRED }, 3, 6), [4, 5, 6]);
    assert_eq!(
        targets(&Strategy::Skip { tokens: PAIRED }, 4, 6),
        [3, 4, 5, 6]
    );
    assert_eq!(targets(&Strategy::Skip { tokens: PAIRED }, 3, 7), [3, 5, 7]);
    assert_eq!(
        targets(&Strategy::AllToOne { tokens: PAIRED }, 3, 6),
        [6, 6, 6]
    );
    assert_eq!(
        targets(&Strategy::Reverse { tokens: PAIRED }, 3, 6),
        [6, 4, 2]
    );
    let last = Strategy::Final { tokens: PAIRED }.resolve(3, 6, 0).unwrap();
    assert_eq!(
        last,
        Matching::Pairs {
            pairs: vec![(HiddenState::Final, HiddenState::Final)],
            tokens: PAIRED,
        }
    );
    assert_eq!(
        Strategy::Random {
            redraw: Some(5),
            tokens: PAIRED
        }
        .resolve(3, 6, 0)
        .unwrap(),
        Matching::Random {
            redraw: Some(5),
            tokens: PAIRED
        }
    );
}

#[test]
fn every_map_of_every_depth_stays_inside_the_teacher_or_is_refused() {
    let all = [
        Strategy::Uniform { tokens: PAIRED },
        Strategy::First { tokens: PAIRED },
        Strategy::Last { tokens: PAIRED },
        Strategy::Skip { tokens: PAIRED },
        Strategy::AllToOne { tokens: PAIRED },
        Strategy::Reverse { tokens: PAIRED },
    ];
    for student in 1..=14 {
        for teacher in 1..=14 {
            for strategy in &all {
                match strategy.resolve(student, teacher, 1) {
                    Err(_) => assert!(
                        student > teacher
                            && ![
                                Strategy::Uniform { tokens: PAIRED },
                                Strategy::AllToOne { tokens: PAIRED }
                            ]
                            .contains(strategy)
                    ),
                    Ok(_) => {
                        let targets = targets(strategy, student, teacher);
                        assert!(
                            targets.len() == student
                                && targets.iter().all(|target| *target <= teacher),
                            "{strategy:?} {student} {teacher}"
                        );
                        let to_the_last = [
                            Strategy::Uniform { tokens: PAIRED },
                            Strategy::Last { tokens: PAIRED },
                            Strategy::Skip { tokens: PAIRED },
                        ];
                        if to_the_last.contains(strategy) {
                            assert_eq!(targets.last(), Some(&teacher));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_shuffled_map_is_a_permutation_of_uniforms_targets_and_never_their_order_or_its_reverse() {
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..200 {
        for (student, teacher) in [(2, 2), (2, 6), (3, 6), (6, 12)] {
            let own = uniform_map(student, teacher);
            let moved = shuffled(own.clone(), seed);
            assert_ne!(moved, own);
            assert!(student < 3 || !moved.iter().eq(own.iter().rev()));
            let mut sorted = moved.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, own);
            assert_eq!(moved, shuffled(own, seed));
            orders.insert(moved);
        }
    }
    assert!(orders.len() > 100, "{}", orders.len());
}

#[test]
fn depths_that_a_strategy_cannot_satisfy_are_named_with_both_numbers() {
    let (message, hint) = Strategy::Last { tokens: PAIRED }
        .resolve(8, 6, 0)
        .unwrap_err();
    assert_eq!(
        message,
        "match.strategy = \"last\" needs a student no deeper than its teacher: 8 layers \
             against 6"
    );
    assert_eq!(
        hint,
        "write a smaller student.layers, or strategy = \"uniform\""
    );
    assert!(
        Strategy::Shuffled { tokens: PAIRED }
            .resolve(1, 6, 0)
            .is_err()
    );
    let pairs = |pairs: &[(HiddenState, HiddenState)]| {
        Strategy::Pairs {
            pairs: pairs.to_vec(),
            tokens: PAIRED,
        }
        .resolve(3, 6, 0)
        .unwrap_err()
        .0
    };
    use HiddenState::{Final, Layer};
    assert_eq!(
        pairs(&[(Layer(1), Layer(7))]),
        "match.pairs names state 7 of the teacher, which has 6 layers"
    );
    assert_eq!(
        pairs(&[(Layer(4), Layer(6))]),
        "match.pairs names state 4 of the student, which has 3 layers"
    );
    assert_eq!(
        pairs(&[(Final, Layer(6)), (Final, Final)]),
        "match.pairs has state final of the student twice"
    );
    assert_eq!(
        pairs(&[]),
        "match.pairs is empty, and a hidden term needs at least one"
    );
}

#[test]
fn a_student_starts_from_the_blocks_that_the_preset_names() {
    let named = |name: &str, student, teacher| {
        init_blocks(Some(&InitBlocks::Named(name.to_owned())), student, teacher)
    };
    assert_eq!(named("uniform", 6, 12), Ok(vec![1, 3, 5, 7, 9, 11]));
    assert_eq!(named("first", 3, 6), Ok(vec![0, 1, 2]));
    assert_eq!(named("last", 3, 6), Ok(vec![3, 4, 5]));
    assert_eq!(named("distilgpt2", 6, 12), Ok(vec![0, 2, 4, 7, 9, 11]));
    assert_eq!(init_blocks(None, 2, 4), Ok(vec![1, 3]));
    assert_eq!(
        init_blocks(Some(&InitBlocks::List(vec![0, 0, 3])), 3, 4),
        Ok(vec![0, 0, 3])
    );
    assert_eq!(
        named("distilgpt2", 3, 6).unwrap_err().0,
        "student.init_blocks = \"distilgpt2\" is for 6 layers from 12; these are 3 from 6"
    );
    assert!(named("uniform", 7, 6).is_err());
    assert!(init_blocks(Some(&InitBlocks::List(vec![0, 4])), 2, 4).is_err());
    assert!(init_blocks(Some(&InitBlocks::List(vec![0])), 2, 4).is_err());
}

#[test]
fn runs_of_neighbours_make_up_the_teacher() {
    assert_eq!(layer_runs(3, 6), [1..=2, 3..=4, 5..=6]);
    assert_eq!(layer_runs(3, 7), [1..=2, 3..=4, 5..=7]);
    assert_eq!(layer_runs(2, 2), [1..=1, 2..=2]);
    let deeper = Strategy::Combine { tokens: PAIRED }.resolve(3, 2, 0);
    assert!(deeper.unwrap_err().0.contains("no deeper"));
    let any = Strategy::Attention { tokens: PAIRED }.resolve(3, 2, 0);
    assert_eq!(any, Ok(Matching::Attention { tokens: PAIRED }));
}

#[test]
fn shuffled_tokens_are_part_of_every_map() {
    let tokens = TokenPairing::Shuffled;
    let map = Strategy::Reverse { tokens }.resolve(2, 4, 0).unwrap();
    assert_eq!(map.tokens(), TokenPairing::Shuffled);
    let text = toml::to_string(&map).unwrap();
    assert!(text.contains("tokens = \"shuffled\""), "{text}");
    let plain = Strategy::Reverse { tokens: PAIRED }
        .resolve(2, 4, 0)
        .unwrap();
    assert!(!toml::to_string(&plain).unwrap().contains("tokens"));
}
