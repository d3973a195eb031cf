//! GPT-2 by its plain formulas, in f64 and position by position: what the tests of this module hold
//! the faster forward passes to.

use statrs::function::erf::erfc;

use crate::model::{Config, Weights};
use crate::ops::Activation;
use crate::random::Seed;

/// Random weights large enough for sharp predictions, with biases and gains that differ.
pub fn sharp_weights(config: &Config, seed: u64) -> Weights {
    let mut weights = Weights::random(config, Seed::Run(seed));
    for (name, array) in &mut weights.arrays {
        let mut stream = crate::random::Stream::new(seed, &format!("test.{name}"), 0);
        for value in &mut array.values {
            *value = if name.ends_with(".bias") || name.contains("ln_") {
                *value + 0.1 * stream.normal() as f32
            } else {
                10.0 * *value
            };
        }
    }
    weights
}

/// Logits (V) after every token of one sequence.
pub fn logits(config: &Config, weights: &Weights, tokens: &[u32]) -> Vec<Vec<f64>> {
    let model = Gpt2F64 { config, weights };
    let mut residual = model.embed(tokens);
    for block in 0..config.layers {
        model.add_block(block, &mut residual);
    }
    residual.iter().map(|x| model.head(x)).collect()
}

/// Natural logarithms of the probabilities.
pub fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let total = logits.iter().map(|x| x.exp()).sum::<f64>().ln();
    logits.iter().map(|x| x - total).collect()
}

/// A model whose layers are functions of one position's residual stream (C).
struct Gpt2F64<'a> {
    config: &'a Config,
    weights: &'a Weights,
}

impl Gpt2F64<'_> {
    fn array(&self, name: &str) -> Vec<f64> {
        let values = &self.weights.arrays[name].values;
        values.iter().map(|&x| f64::from(x)).collect()
    }

    /// The sum of the embeddings of each token and of its position.
    fn embed(&self, tokens: &[u32]) -> Vec<Vec<f64>> {
        let width = self.config.width;
        let (wte, wpe) = (self.array("wte.weight"), self.array("wpe.weight"));
        tokens
            .iter()
            .enumerate()
            .map(|(p, &t)| {
                (0..width)
                    .map(|j| wte[t as usize * width + j] + wpe[p * width + j])
                    .collect()
            })
            .collect()
    }

    /// x + attention(ln_1(x)), then x + mlp(ln_2(x)), at every position.
    fn add_block(&self, block: usize, residual: &mut [Vec<f64>]) {
        let name = |part: &str| format!("h.{block}.{part}");
        let qkv: Vec<Vec<f64>> = residual
            .iter()
            .map(|x| self.linear(&self.layer_norm(x, &name("ln_1")), &name("attn.c_attn")))
            .collect();
        for (i, x) in residual.iter_mut().enumerate() {
            let attended = self.attend(block, i, &qkv);
            let update = self.linear(&attended, &name("attn.c_proj"));
            x.iter_mut().zip(update).for_each(|(x, u)| *x += u);
            let inner = self.linear(&self.layer_norm(x, &name("ln_2")), &name("mlp.c_fc"));
            let inner: Vec<f64> = inner.into_iter().map(|x| self.activate(x)).collect();
            let update = self.linear(&inner, &name("mlp.c_proj"));
            x.iter_mut().zip(update).for_each(|(x, u)| *x += u);
        }
    }

    /// What position `i` takes from the positions up to it, head by head.
    fn attend(&self, block: usize, i: usize, qkv: &[Vec<f64>]) -> Vec<f64> {
        let width = self.config.width;
        let head_width = width / self.config.heads;
        let mut scale = if self.config.scale_by_width {
            1.0 / (head_width as f64).sqrt()
        } else {
            1.0
        };
        if self.config.scale_by_layer {
            scale /= block as f64 + 1.0;
        }
        let mut attended = vec![0.0; width];
        for head in (0..width).step_by(head_width) {
            let score = |j: usize| {
                (head..head + head_width)
                    .map(|k| qkv[i][k] * qkv[j][width + k])
                    .sum::<f64>()
                    * scale
            };
            let shares: Vec<f64> = (0..=i).map(|j| score(j).exp()).collect();
            let total: f64 = shares.iter().sum();
            for k in head..head + head_width {
                attended[k] = (0..=i)
                    .map(|j| shares[j] / total * qkv[j][2 * width + k])
                    .sum();
            }
        }
        attended
    }

    fn layer_norm(&self, x: &[f64], name: &str) -> Vec<f64> {
        let width = self.config.width;
        let gain = self.array(&format!("{name}.weight"));
        let bias = self.array(&format!("{name}.bias"));
        let mean = x.iter().sum::<f64>() / width as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        let deviation = (variance + self.config.epsilon).sqrt();
        (0..width)
            .map(|j| (x[j] - mean) / deviation * gain[j] + bias[j])
            .collect()
    }

    /// x·W + b.
    fn linear(&self, x: &[f64], name: &str) -> Vec<f64> {
        let weight = self.array(&format!("{name}.weight"));
        let mut out = self.array(&format!("{name}.bias"));
        let columns = out.len();
        for (k, x) in x.iter().enumerate() {
            (0..columns).for_each(|j| out[j] += x * weight[k * columns + j]);
        }
        out
    }

    fn activate(&self, x: f64) -> f64 {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        match self.config.activation {
            Activation::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
                0.5 * x * (1.0 + inner.tanh())
            }
            Activation::Gelu => 0.5 * x * erfc(-x / 2f64.sqrt()),
            Activation::QuickGelu => x * sigmoid(1.702 * x),
            Activation::Relu => x.max(0.0),
            Activation::Silu => x * sigmoid(x),
            Activation::Tanh => x.tanh(),
        }
    }

    /// Logits of the final norm of x.
    fn head(&self, x: &[f64]) -> Vec<f64> {
        let x = self.layer_norm(x, "ln_f");
        let matrix = self.array(if self.config.tied {
            "wte.weight"
        } else {
            "lm_head.weight"
        });
        matrix
            .chunks_exact(self.config.width)
            .map(|row| row.iter().zip(&x).map(|(w, x)| w * x).sum())
            .collect()
    }
}
