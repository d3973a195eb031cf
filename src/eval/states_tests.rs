//! Tests of `states.rs`.

use super::*;
use crate::eval::test_gpt2_f64;
use crate::model::Config;
use crate::ops::Cpu;

#[test]
fn states_are_those_of_each_sequence_read_alone() {
    let config = Config::new(2, 12, 2, 29, 8);
    let model = Gpt2::from_weights(
        &Cpu::default(),
        &config,
        &test_gpt2_f64::sharp_weights(&config, 1),
    )
    .unwrap();
    let probe: Vec<u32> = (0..8 * 600 + 3).map(|i| (i * i % 29) as u32).collect();
    let found = hidden_states(
        &model,
        &probe,
        8,
        &[
            HiddenState::Layer(0),
            HiddenState::Layer(2),
            HiddenState::Final,
        ],
    );
    assert_eq!(found.len(), 3);
    for (sequence, at) in [
        (&probe[..8], 0),
        (&probe[8 * 599..8 * 600], 8 * 599),
        (&probe[8 * 600..], 8 * 600),
    ] {
        let alone = model.forward(
            NoneTape,
            sequence,
            sequence.len(),
            &[HiddenState::Layer(0), HiddenState::Layer(2)],
        );
        let expected = [
            tape::read(&alone.kept[&HiddenState::Layer(0)]),
            tape::read(&alone.kept[&HiddenState::Layer(2)]),
            tape::read(&alone.last),
        ];
        for (state, expected) in [
            HiddenState::Layer(0),
            HiddenState::Layer(2),
            HiddenState::Final,
        ]
        .iter()
        .zip(&expected)
        {
            assert_eq!(
                found[state][at * 12..at * 12 + expected.len()],
                expected[..],
                "{state} at {at}"
            );
        }
    }
    assert_eq!(found[&HiddenState::Final].len(), probe.len() * 12);
}
