//! A model that reads one sequence on its own device, token by token.
//!
//! Positions are learned, so the cache cannot simply drop its oldest entry: when a token would not
//! fit the model's positions, the cache starts anew with the last half of the positions' worth of
//! tokens, which then are positions 0, 1, ….

use super::Gpt2;
use crate::ops::Ops;

/// Tokens of a prompt that go through together, so that memory does not grow with the prompt.
const PREFILL: usize = 256;

/// What is to be read, and whether all that was read before is to be forgotten first.
pub fn reading(held: &[u32], tokens: &[u32], positions: usize) -> (Vec<u32>, bool) {
    if held.len() + tokens.len() <= positions {
        return (tokens.to_vec(), false);
    }
    let keep = (positions / 2).max(1);
    let all: Vec<u32> = held.iter().chain(tokens).copied().collect();
    (all[all.len() - keep.min(all.len())..].to_vec(), true)
}

/// A model with the keys and values of what it has read.
pub struct ReadingModel<'a, D: Ops> {
    model: &'a Gpt2<D>,
    /// Of every layer.
    caches: Vec<D::Cache>,
    held: Vec<u32>,
    logits: Vec<f32>,
}

impl<'a, D: Ops> ReadingModel<'a, D> {
    /// A model that has read nothing.
    pub fn new(model: &'a Gpt2<D>) -> Self {
        let cache = |_| {
            let config = &model.config;
            model.device().cache(config.positions, config.width)
        };
        Self {
            caches: (0..model.config.layers).map(cache).collect(),
            model,
            held: Vec::new(),
            logits: Vec::new(),
        }
    }

    /// Forgets what was read.
    pub fn clear(&mut self) {
        self.held.clear();
    }

    /// Reads `tokens` (at least one, all below the vocabulary) and returns the logits (V) of the
    /// one that follows.
    pub fn read(&mut self, tokens: &[u32]) -> &[f32] {
        assert!(!tokens.is_empty(), "nothing to read");
        let (rest, is_anew) = reading(&self.held, tokens, self.model.config.positions);
        if is_anew {
            self.clear();
        }
        let chunks = rest.len().div_ceil(PREFILL);
        for (i, chunk) in rest.chunks(PREFILL).enumerate() {
            self.advance(chunk, i + 1 == chunks);
        }
        &self.logits
    }

    /// Reads tokens that fit; the logits behind the last of them where they are asked for.
    fn advance(&mut self, tokens: &[u32], is_last: bool) {
        let (model, held) = (self.model, self.held.len());
        let mut x = D::embed_behind(tokens, held, &model.wte, &model.wpe);
        for (i, (block, cache)) in model.blocks.iter().zip(&mut self.caches).enumerate() {
            let (heads, scale) = (model.config.heads, model.config.attention_scale(i));
            x = block.forward(x, model, |qkv| D::attend(&qkv, cache, held, heads, scale));
        }
        if is_last {
            let norm = &model.ln_f;
            let x = D::layer_norm(x, &norm.weight, &norm.bias, model.config.epsilon);
            self.logits = D::next_logits(&x, model.head());
        }
        self.held.extend_from_slice(tokens);
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
