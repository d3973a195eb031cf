//! Hidden states of the probe: windows of the evaluation's context, spread over the test split.

use std::collections::BTreeMap;

use crate::model::Gpt2;
use crate::ops::{NoneTape, Ops, tape};
use crate::plan::run::HiddenState;

use super::windows::Windows;

/// Tokens of one forward pass.
const ROWS: usize = 4096;

/// The tokens whose states are compared, the same for every model of one tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub tokens: Vec<u32>,
    /// Where they stand in the text.
    pub places: Vec<usize>,
    /// Tokens of a window.
    pub window: usize,
}

impl Probe {
    /// At most `wanted` tokens of the text, in windows of at most `context`.
    pub fn of(text: &[u32], context: usize, wanted: usize) -> Self {
        let windows = Windows::holding(text.len(), context, wanted);
        let places: Vec<usize> = windows.places().collect();
        Self {
            tokens: places.iter().map(|&place| text[place]).collect(),
            places,
            window: windows.length,
        }
    }

    /// At most `wanted` of its tokens, by their number, from all over it.
    pub fn some(&self, wanted: usize) -> Vec<usize> {
        let count = wanted.min(self.tokens.len());
        let spread = |index: usize| index * self.tokens.len() / count;
        (0..count).map(spread).collect()
    }
}

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
        probe: &Probe,
        layers: impl Iterator<Item = usize>,
    ) -> Self {
        let keep: Vec<HiddenState> = layers
            .map(HiddenState::Layer)
            .chain([HiddenState::Final])
            .collect();
        Self {
            states: hidden_states(model, &probe.tokens, probe.window, &keep),
            width: model.config.width,
        }
    }

    /// The final states of some tokens of the probe.
    pub fn final_rows(&self, tokens: &[usize]) -> Vec<f32> {
        let rows = &self.states[&HiddenState::Final];
        let row = |&token: &usize| &rows[token * self.width..(token + 1) * self.width];
        tokens.iter().flat_map(row).copied().collect()
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
