//! Hidden states of the probe: the first tokens of the test split, read in windows of the
//! evaluation's context.

use std::collections::BTreeMap;

use crate::model::Gpt2;
use crate::ops::{NoneTape, Ops, tape};
use crate::plan::run::HiddenState;

/// Tokens of one forward pass.
const ROWS: usize = 4096;

/// Hidden states of one model on the probe, each (tokens, width) row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeStates {
    pub states: BTreeMap<HiddenState, Vec<f32>>,
    pub width: usize,
}

impl ProbeStates {
    /// The states of `layers`, and the final ones.
    pub fn read<D: Ops>(
        model: &Gpt2<D>,
        probe: &[u32],
        context: usize,
        layers: impl Iterator<Item = usize>,
    ) -> Self {
        let keep: Vec<HiddenState> = layers
            .map(HiddenState::Layer)
            .chain([HiddenState::Final])
            .collect();
        Self {
            states: hidden_states(model, probe, context, &keep),
            width: model.config.width,
        }
    }
}

/// The states in `keep` of every token, each (tokens, width) row by row. The probe is cut into
/// sequences of `context` tokens, the last one shorter.
pub fn hidden_states<D: Ops>(
    model: &Gpt2<D>,
    probe: &[u32],
    context: usize,
    keep: &[HiddenState],
) -> BTreeMap<HiddenState, Vec<f32>> {
    let mut all: BTreeMap<HiddenState, Vec<f32>> = keep
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
            rows.extend(tape::read(states.state(*state)));
        }
    }
    all
}

#[cfg(test)]
#[path = "states_tests.rs"]
mod tests;
