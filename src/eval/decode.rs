//! Text generation with a key-value cache: on the processor over plain arrays, elsewhere by a model
//! that reads on its own device ([`ReadingModel`]).
//!
//! One new token costs one pass over the weights, so this path is made of products of a vector with
//! a matrix over plain f32 arrays, parallel over columns; the prompt goes through in one pass of
//! matrix products. Sums have a fixed order, so the logits do not depend on the number of threads.

use crate::model::{Config, Gpt2, ReadingModel, Weights, reading};
use crate::ops::Ops;
use crate::ops::inference::{
    Matrix, activate, add, attention, head, layer_norm, linear, on_a_worker,
};

use super::sampling::Sampler;

/// Tokens of a prompt that go through together, so that scratch memory does not grow with the
/// prompt.
const PREFILL: usize = 256;

/// A model reading one sequence, token by token, over borrowed weights.
pub struct Decoder<'a> {
    config: &'a Config,
    wte: &'a [f32],
    wpe: &'a [f32],
    blocks: Vec<DecodeBlock<'a>>,
    ln_f: DecodeNorm<'a>,
    /// The output embedding: `wte`, unless the model has one of its own.
    head: &'a [f32],
    /// The tokens whose keys and values are in the caches.
    held: Vec<u32>,
    logits: Vec<f32>,
}

#[derive(Clone, Copy)]
struct DecodeNorm<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
}

#[derive(Clone, Copy)]
struct DecodeLinear<'a> {
    weight: Matrix<'a>,
    bias: &'a [f32],
}

struct DecodeBlock<'a> {
    ln_1: DecodeNorm<'a>,
    c_attn: DecodeLinear<'a>,
    c_proj: DecodeLinear<'a>,
    ln_2: DecodeNorm<'a>,
    mlp_fc: DecodeLinear<'a>,
    mlp_proj: DecodeLinear<'a>,
    /// (held tokens, C) each.
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl<'a> Decoder<'a> {
    /// A decoder that has read nothing. The weights fit the config (`Weights::check`).
    pub fn new(config: &'a Config, weights: &'a Weights) -> Self {
        let get = |name: &str| weights.arrays[name].values.as_slice();
        let norm = |name: &str| DecodeNorm {
            weight: get(&format!("{name}.weight")),
            bias: get(&format!("{name}.bias")),
        };
        let linear = |name: &str| {
            let array = &weights.arrays[&format!("{name}.weight")];
            DecodeLinear {
                weight: Matrix {
                    values: &array.values,
                    columns: array.shape[1],
                },
                bias: get(&format!("{name}.bias")),
            }
        };
        let block = |i: usize| DecodeBlock {
            ln_1: norm(&format!("h.{i}.ln_1")),
            c_attn: linear(&format!("h.{i}.attn.c_attn")),
            c_proj: linear(&format!("h.{i}.attn.c_proj")),
            ln_2: norm(&format!("h.{i}.ln_2")),
            mlp_fc: linear(&format!("h.{i}.mlp.c_fc")),
            mlp_proj: linear(&format!("h.{i}.mlp.c_proj")),
            keys: Vec::new(),
            values: Vec::new(),
        };
        Self {
            config,
            wte: get("wte.weight"),
            wpe: get("wpe.weight"),
            blocks: (0..config.layers).map(block).collect(),
            ln_f: norm("ln_f"),
            head: get(if config.tied {
                "wte.weight"
            } else {
                "lm_head.weight"
            }),
            held: Vec::new(),
            logits: vec![0.0; config.vocabulary],
        }
    }

    /// Forgets what was read.
    pub fn clear(&mut self) {
        self.held.clear();
        for block in &mut self.blocks {
            block.keys.clear();
            block.values.clear();
        }
    }

    /// Reads `tokens` (at least one, all below the vocabulary) and returns the logits (V) of the
    /// one that follows.
    pub fn read(&mut self, tokens: &[u32]) -> &[f32] {
        assert!(!tokens.is_empty(), "nothing to read");
        on_a_worker(|| self.read_on_this_thread(tokens));
        &self.logits
    }

    fn read_on_this_thread(&mut self, tokens: &[u32]) {
        let (rest, is_anew) = reading(&self.held, tokens, self.config.positions);
        if is_anew {
            self.clear();
        }
        let mut last = Vec::new();
        for chunk in rest.chunks(PREFILL) {
            last = self.advance(chunk);
        }
        let width = self.config.width;
        let mut hidden = last[last.len() - width..].to_vec();
        layer_norm(
            &last[last.len() - width..],
            self.ln_f.weight,
            self.ln_f.bias,
            self.config.epsilon,
            &mut hidden,
        );
        head(self.head, &hidden, &mut self.logits);
    }

    /// The sum of the embeddings of each token and of its position after those held, (n, C).
    fn embed(&self, tokens: &[u32]) -> Vec<f32> {
        let width = self.config.width;
        let start = self.held.len();
        let mut x = Vec::with_capacity(tokens.len() * width);
        for (i, &token) in tokens.iter().enumerate() {
            let (token, position) = (token as usize * width, (start + i) * width);
            let embedding = &self.wte[token..token + width];
            let of_position = &self.wpe[position..position + width];
            x.extend(embedding.iter().zip(of_position).map(|(t, p)| t + p));
        }
        x
    }

    /// Runs tokens that fit through the blocks, extends the caches, and returns the residual stream
    /// (n, C) after the last block.
    fn advance(&mut self, tokens: &[u32]) -> Vec<f32> {
        let Config {
            width,
            heads,
            inner,
            epsilon,
            activation,
            ..
        } = *self.config;
        let count = tokens.len();
        let mut x = self.embed(tokens);
        let mut normal = vec![0.0; count * width];
        let mut qkv = vec![0.0; count * 3 * width];
        let mut attended = vec![0.0; count * width];
        let mut inner = vec![0.0; count * inner];
        let mut update = vec![0.0; count * width];
        for (i, block) in self.blocks.iter_mut().enumerate() {
            layer_norm(&x, block.ln_1.weight, block.ln_1.bias, epsilon, &mut normal);
            linear(&normal, block.c_attn.weight, block.c_attn.bias, &mut qkv);
            for row in qkv.chunks_exact(3 * width) {
                block.keys.extend_from_slice(&row[width..2 * width]);
                block.values.extend_from_slice(&row[2 * width..]);
            }
            attention(
                &qkv,
                &block.keys,
                &block.values,
                width,
                heads,
                self.config.attention_scale(i),
                &mut attended,
            );
            linear(
                &attended,
                block.c_proj.weight,
                block.c_proj.bias,
                &mut update,
            );
            add(&mut x, &update);
            layer_norm(&x, block.ln_2.weight, block.ln_2.bias, epsilon, &mut normal);
            linear(&normal, block.mlp_fc.weight, block.mlp_fc.bias, &mut inner);
            activate(activation, &mut inner);
            linear(
                &inner,
                block.mlp_proj.weight,
                block.mlp_proj.bias,
                &mut update,
            );
            add(&mut x, &update);
        }
        self.held.extend_from_slice(tokens);
        x
    }
}

/// What reads one sequence, token by token.
pub trait TokenReader {
    /// Forgets what was read.
    fn clear(&mut self);

    /// Reads `tokens` (at least one, all below the vocabulary) and returns the logits (V) of the
    /// one that follows.
    fn read(&mut self, tokens: &[u32]) -> &[f32];
}

impl TokenReader for Decoder<'_> {
    fn clear(&mut self) {
        self.clear();
    }

    fn read(&mut self, tokens: &[u32]) -> &[f32] {
        self.read(tokens)
    }
}

impl<D: Ops> TokenReader for ReadingModel<'_, D> {
    fn clear(&mut self) {
        self.clear();
    }

    fn read(&mut self, tokens: &[u32]) -> &[f32] {
        self.read(tokens)
    }
}

/// A model whose texts are written where it lies.
pub struct TextWriter<'a, D: Ops> {
    model: &'a Gpt2<D>,
    /// Where texts are written over arrays.
    weights: Option<Weights>,
}

impl<'a, D: Ops> TextWriter<'a, D> {
    pub fn new(model: &'a Gpt2<D>) -> Self {
        Self {
            model,
            weights: D::writes_on_arrays().then(|| model.to_weights()),
        }
    }

    /// A reader that has read nothing.
    pub fn reader(&self) -> Box<dyn TokenReader + '_> {
        match &self.weights {
            Some(weights) => Box::new(Decoder::new(&self.model.config, weights)),
            None => Box::new(ReadingModel::new(self.model)),
        }
    }
}

/// Continues `prompt` (at least one token) by up to `count` tokens, calling `each` on every new
/// one; ends early after one of `stops`, which is the last token returned then.
pub fn generate(
    reader: &mut (impl TokenReader + ?Sized),
    prompt: &[u32],
    count: usize,
    sampler: &mut Sampler,
    stops: &[u32],
    mut each: impl FnMut(u32),
) -> Vec<u32> {
    reader.clear();
    let mut new = Vec::new();
    while new.len() < count {
        let logits = match new.last() {
            None => reader.read(prompt),
            Some(&token) => reader.read(&[token]),
        };
        let token = sampler.choose(logits);
        new.push(token);
        each(token);
        if stops.contains(&token) {
            break;
        }
    }
    new
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
