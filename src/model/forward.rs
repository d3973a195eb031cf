//! The forward pass, with the hidden states that somebody asked for.

use std::collections::BTreeMap;

use super::Config;
use super::gpt2::{Block, Gpt2};
use crate::ops::{AttentionForm, Mat, NoneTape, Ops, Tape};
use crate::plan::run::HiddenState;

/// What a forward pass keeps beside the final state.
#[derive(Debug, Clone, Default)]
pub struct ToKeep {
    /// States of layers.
    pub states: Vec<HiddenState>,
    /// Layers whose attention is kept, by the state that they leave.
    pub attention: Vec<HiddenState>,
}

/// What the attention of a layer is made of.
pub struct KeptAttention<D: Ops> {
    /// (N, 3C), without tape; its id is that of the pass.
    pub qkv: Mat<D>,
    pub form: AttentionForm,
}

/// What a forward pass leaves: each state is (N, C) with N = B·T rows.
pub struct HiddenStates<D: Ops, T = NoneTape> {
    /// The states asked for, without tape; they keep their ids, so that gradients of losses on them
    /// find their way.
    pub kept: BTreeMap<HiddenState, Mat<D>>,
    /// The attention asked for.
    pub attention: BTreeMap<HiddenState, KeptAttention<D>>,
    /// The state after `ln_f`, with the tape.
    pub last: Mat<D, T>,
}

impl ToKeep {
    /// What several wish, each thing once.
    pub fn all_of(wishes: impl Iterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for wish in wishes {
            all.states.extend(wish.states);
            all.attention.extend(wish.attention);
        }
        for places in [&mut all.states, &mut all.attention] {
            places.sort_unstable();
            places.dedup();
        }
        all
    }
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
        let keep = ToKeep {
            states: keep.to_vec(),
            attention: Vec::new(),
        };
        self.forward_keeping(tape, tokens, context, &keep)
    }

    /// The same, with attention that is kept, too.
    pub fn forward_keeping<T: Tape<f32, D>>(
        &self,
        tape: T,
        tokens: &[u32],
        context: usize,
        keep: &ToKeep,
    ) -> HiddenStates<D, T> {
        assert!(
            context <= self.config.positions,
            "a context of {context} does not fit {} positions",
            self.config.positions
        );
        let (mut kept, mut attention) = (BTreeMap::new(), BTreeMap::new());
        let mut x = D::embed(tape, tokens, context, &self.wte, &self.wpe);
        for layer in 0..=self.config.layers {
            let state = HiddenState::Layer(layer);
            if layer > 0 {
                let form = AttentionForm {
                    context,
                    heads: self.config.heads,
                    scale: self.config.attention_scale(layer - 1),
                };
                x = self.blocks[layer - 1].forward(x, self, |mut qkv| {
                    if keep.attention.contains(&state) {
                        let (plain, tape) = qkv.split_tape();
                        let qkv_kept = plain.clone();
                        attention.insert(
                            state,
                            KeptAttention {
                                qkv: qkv_kept,
                                form,
                            },
                        );
                        qkv = plain.put_tape(tape);
                    }
                    D::attention(qkv, context, form.heads, form.scale, self.precision)
                });
            }
            if keep.states.contains(&state) {
                let (plain, tape) = x.split_tape();
                kept.insert(state, plain.clone());
                x = plain.put_tape(tape);
            }
        }
        HiddenStates {
            kept,
            attention,
            last: D::layer_norm(x, &self.ln_f.weight, &self.ln_f.bias, self.config.epsilon),
        }
    }
}

impl<D: Ops> Gpt2<D> {
    /// [`Gpt2::forward`] without a tape, in parts of whole sequences side by side. How many rows a
    /// part has does not depend on the number of threads.
    pub fn infer(&self, tokens: &[u32], context: usize, keep: &[HiddenState]) -> HiddenStates<D> {
        let keep = ToKeep {
            states: keep.to_vec(),
            attention: Vec::new(),
        };
        self.infer_keeping(tokens, context, &keep)
    }

    /// The same, with attention that is kept, too.
    pub fn infer_keeping(&self, tokens: &[u32], context: usize, keep: &ToKeep) -> HiddenStates<D> {
        let part =
            D::rows_per_part().map_or(tokens.len(), |rows| (rows / context).max(1) * context);
        if tokens.len() <= part {
            return self.forward_keeping(NoneTape, tokens, context, keep);
        }
        let parts = D::in_parts(tokens.chunks(part).collect(), |tokens| {
            self.forward_keeping(NoneTape, tokens, context, keep)
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
        let of_layer = |(&state, first): (&HiddenState, &KeptAttention<D>)| {
            let all: Vec<&Mat<D>> = parts
                .iter()
                .map(|part| &part.attention[&state].qkv)
                .collect();
            let (qkv, form) = (D::stack(&all), first.form);
            (state, KeptAttention { qkv, form })
        };
        HiddenStates {
            kept,
            attention: parts[0].attention.iter().map(of_layer).collect(),
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
