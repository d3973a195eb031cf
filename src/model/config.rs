//! The shape of a GPT-2, and what else its weights do not say.

use crate::cost::Gpt2Shape;
use crate::ops::Activation;

/// Everything about a GPT-2 that its weights do not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `n_layer`.
    pub layers: usize,
    /// `n_embd`.
    pub width: usize,
    /// `n_head`; divides the width.
    pub heads: usize,
    /// `vocab_size`.
    pub vocabulary: usize,
    /// `n_positions`: the longest context.
    pub positions: usize,
    /// `n_inner`: width of the hidden layer of a block's MLP; 4·width where config.json has none.
    pub inner: usize,
    /// `layer_norm_epsilon`.
    pub epsilon: f64,
    /// `activation_function`.
    pub activation: Activation,
    /// `scale_attn_weights`: attention scores are divided by √d, d the width of a head.
    pub scale_by_width: bool,
    /// `scale_attn_by_inverse_layer_idx`: those of block i, from 0, are divided by i + 1 as well.
    pub scale_by_layer: bool,
    /// `tie_word_embeddings`: the head is the token embedding; otherwise it has weights of its own.
    pub tied: bool,
}

impl Config {
    /// A GPT-2 as the published ones are.
    pub fn new(
        layers: usize,
        width: usize,
        heads: usize,
        vocabulary: usize,
        positions: usize,
    ) -> Self {
        Self {
            layers,
            width,
            heads,
            vocabulary,
            positions,
            inner: 4 * width,
            epsilon: 1e-5,
            activation: Activation::GeluTanh,
            scale_by_width: true,
            scale_by_layer: false,
            tied: true,
        }
    }

    /// Where two models that a study takes for the same shape differ, in words: layers, width,
    /// heads, vocabulary, positions.
    pub fn shape_differences(&self, other: &Self) -> Vec<String> {
        let numbers = |config: &Self| {
            [
                config.layers,
                config.width,
                config.heads,
                config.vocabulary,
                config.positions,
            ]
        };
        let names = ["layers", "width", "heads", "vocabulary", "positions"];
        let pairs = names
            .into_iter()
            .zip(numbers(self).into_iter().zip(numbers(other)));
        pairs
            .filter(|(_, (own, others))| own != others)
            .map(|(name, (own, others))| format!("{name} {own} against {others}"))
            .collect()
    }

    /// What attention scores of block `block`, from 0, are multiplied by.
    pub fn attention_scale(&self, block: usize) -> f32 {
        let by_width = if self.scale_by_width {
            ((self.width / self.heads) as f64).sqrt()
        } else {
            1.0
        };
        let by_layer = if self.scale_by_layer {
            block as f64 + 1.0
        } else {
            1.0
        };
        (1.0 / by_width / by_layer) as f32
    }

    /// Name and shape of every parameter, in Hugging Face's order.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let (c, inner) = (self.width, self.inner);
        let mut all = vec![
            ("wte.weight".to_owned(), vec![self.vocabulary, c]),
            ("wpe.weight".to_owned(), vec![self.positions, c]),
        ];
        for i in 0..self.layers {
            let mut block =
                |name: &str, shape: Vec<usize>| all.push((format!("h.{i}.{name}"), shape));
            block("ln_1.weight", vec![c]);
            block("ln_1.bias", vec![c]);
            block("attn.c_attn.weight", vec![c, 3 * c]);
            block("attn.c_attn.bias", vec![3 * c]);
            block("attn.c_proj.weight", vec![c, c]);
            block("attn.c_proj.bias", vec![c]);
            block("ln_2.weight", vec![c]);
            block("ln_2.bias", vec![c]);
            block("mlp.c_fc.weight", vec![c, inner]);
            block("mlp.c_fc.bias", vec![inner]);
            block("mlp.c_proj.weight", vec![inner, c]);
            block("mlp.c_proj.bias", vec![c]);
        }
        all.push(("ln_f.weight".to_owned(), vec![c]));
        all.push(("ln_f.bias".to_owned(), vec![c]));
        if !self.tied {
            all.push(("lm_head.weight".to_owned(), vec![self.vocabulary, c]));
        }
        all
    }

    /// What its costs follow from.
    pub fn shape(&self) -> Gpt2Shape {
        Gpt2Shape {
            layers: self.layers,
            width: self.width,
            inner: self.inner,
            vocabulary: self.vocabulary,
            positions: self.positions,
            tied: self.tied,
        }
    }

    /// All parameters.
    pub fn parameters(&self) -> u64 {
        self.shape().parameters() as u64
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
