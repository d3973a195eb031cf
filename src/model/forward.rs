//! The forward pass, with the hidden states that somebody asked for.

use std::collections::BTreeMap;

use super::Config;
use super::gpt2::{Block, Gpt2};
use crate::ops::{Mat, NoneTape, Ops, Tape};
use crate::plan::run::HiddenState;

/// What a forward pass leaves: each state is (N, C) with N = B·T rows.
pub struct HiddenStates<D: Ops, T = NoneTape> {
    /// The states asked for, without tape; they keep their ids, so that gradients of losses on them
    /// find their way.
    pub kept: BTreeMap<HiddenState, Mat<D>>,
    /// The state after `ln_f`, with the tape.
    pub last: Mat<D, T>,
}

impl<D: Ops> HiddenStates<D> {
    /// A state that was kept, or the final one.
    pub fn state(&self, state: HiddenState) -> &Mat<D> {
        match state {
            HiddenState::Final => &self.last,
            HiddenState::Layer(_) => &self.kept[&state],
        }
    }
}

impl<D: Ops> Gpt2<D> {
    /// Runs `tokens` (B·T of them, sequence after sequence) of context T through the model and
    /// keeps the states in `keep`.
    ///
    /// `HiddenState::Final` needs no keeping: it is `last`.
    pub fn forward<T: Tape<f32, D>>(
        &self,
        tape: T,
        tokens: &[u32],
        context: usize,
        keep: &[HiddenState],
    ) -> HiddenStates<D, T> {
        assert!(
            context <= self.config.positions,
            "a context of {context} does not fit {} positions",
            self.config.positions
        );
        let mut kept = BTreeMap::new();
        let mut x = D::embed(tape, tokens, context, &self.wte, &self.wpe);
        for layer in 0..=self.config.layers {
            if layer > 0 {
                let scale = self.config.attention_scale(layer - 1);
                x = self.blocks[layer - 1].forward(x, self, |qkv| {
                    D::attention(qkv, context, self.config.heads, scale)
                });
            }
            if keep.contains(&HiddenState::Layer(layer)) {
                let (state, tape) = x.split_tape();
                kept.insert(HiddenState::Layer(layer), state.clone());
                x = state.put_tape(tape);
            }
        }
        HiddenStates {
            kept,
            last: D::layer_norm(x, &self.ln_f.weight, &self.ln_f.bias, self.config.epsilon),
        }
    }
}

impl<D: Ops> Gpt2<D> {
    /// [`Gpt2::forward`] without a tape, in parts of whole sequences side by side. How many rows a
    /// part has does not depend on the number of threads.
    pub fn infer(&self, tokens: &[u32], context: usize, keep: &[HiddenState]) -> HiddenStates<D> {
        let part =
            D::rows_per_part().map_or(tokens.len(), |rows| (rows / context).max(1) * context);
        if tokens.len() <= part {
            return self.forward(NoneTape, tokens, context, keep);
        }
        let parts = D::in_parts(tokens.chunks(part).collect(), |tokens| {
            self.forward(NoneTape, tokens, context, keep)
        });
        let stacked = |state: HiddenState| {
            D::stack(
                &parts
                    .iter()
                    .map(|part| part.state(state))
                    .collect::<Vec<_>>(),
            )
        };
        let kept = parts[0]
            .kept
            .keys()
            .map(|&state| (state, stacked(state)))
            .collect();
        HiddenStates {
            kept,
            last: stacked(HiddenState::Final),
        }
    }
}

impl<D: Ops> Block<D> {
    /// x + attention(ln_1(x)), then x + mlp(ln_2(x)); `attention` takes queries, keys and values.
    pub(super) fn forward<T: Tape<f32, D>>(
        &self,
        x: Mat<D, T>,
        model: &Gpt2<D>,
        attention: impl FnOnce(Mat<D, T>) -> Mat<D, T>,
    ) -> Mat<D, T> {
        let precision = model.precision;
        let Config {
            epsilon,
            activation,
            ..
        } = model.config;
        let (residual, tape) = x.split_tape();
        let h = D::layer_norm(
            residual.clone().put_tape(tape),
            &self.ln_1.weight,
            &self.ln_1.bias,
            epsilon,
        );
        let h = D::linear(
            h,
            &self.attn.c_attn.weight,
            &self.attn.c_attn.bias,
            precision,
        );
        let h = attention(h);
        let x = D::linear_residual(
            h,
            &self.attn.c_proj.weight,
            &self.attn.c_proj.bias,
            &residual,
            precision,
        );

        let (residual, tape) = x.split_tape();
        let h = D::layer_norm(
            residual.clone().put_tape(tape),
            &self.ln_2.weight,
            &self.ln_2.bias,
            epsilon,
        );
        let h = D::linear_activated(
            h,
            &self.mlp.c_fc.weight,
            &self.mlp.c_fc.bias,
            activation,
            precision,
        );
        D::linear_residual(
            h,
            &self.mlp.c_proj.weight,
            &self.mlp.c_proj.bias,
            &residual,
            precision,
        )
    }
}

#[cfg(test)]
#[path = "forward_tests.rs"]
mod tests;
