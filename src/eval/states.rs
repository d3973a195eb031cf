//! Hidden states of the probe: the first tokens of the test split, read in windows of the
//! evaluation's context.

use std::collections::BTreeMap;

use dfdx::prelude::NoneTape;

use crate::model::Gpt2;
use crate::ops::{Ops, tape};
use crate::spec::run::State;

/// Tokens of one forward pass.
const ROWS: usize = 4096;

/// The states in `keep` of every token, each (tokens, width) row by row. The probe is cut into
/// sequences of `context` tokens, the last one shorter.
pub fn hidden_states<D: Ops>(
    model: &Gpt2<D>,
    probe: &[u32],
    context: usize,
    keep: &[State],
) -> BTreeMap<State, Vec<f32>> {
    let mut all: BTreeMap<State, Vec<f32>> = keep
        .iter()
        .map(|&state| (state, Vec::with_capacity(probe.len() * model.config.width)))
        .collect();
    let whole = probe.len() / context * context;
    let batches = probe[..whole]
        .chunks((ROWS / context).max(1) * context)
        .map(|batch| (batch, context));
    let rest = &probe[whole..];
    for (batch, context) in batches.chain((!rest.is_empty()).then_some((rest, rest.len()))) {
        let states = model.forward(NoneTape, batch, context, keep);
        for (state, rows) in &mut all {
            rows.extend(tape::read(states.kept.get(state).unwrap_or(&states.last)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::reference;
    use crate::model::Config;
    use dfdx::prelude::Cpu;

    #[test]
    fn states_are_those_of_each_sequence_read_alone() {
        let config = Config::new(2, 12, 2, 29, 8);
        let model =
            Gpt2::from_weights(&Cpu::default(), &config, &reference::sharp(&config, 1)).unwrap();
        let probe: Vec<u32> = (0..8 * 600 + 3).map(|i| (i * i % 29) as u32).collect();
        let found = hidden_states(
            &model,
            &probe,
            8,
            &[State::Layer(0), State::Layer(2), State::Final],
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
                &[State::Layer(0), State::Layer(2)],
            );
            let expected = [
                tape::read(&alone.kept[&State::Layer(0)]),
                tape::read(&alone.kept[&State::Layer(2)]),
                tape::read(&alone.last),
            ];
            for (state, expected) in [State::Layer(0), State::Layer(2), State::Final]
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
        assert_eq!(found[&State::Final].len(), probe.len() * 12);
    }
}
