//! GPT-2 by its plain formulas, in f64 and position by position: what the tests hold faster paths
//! to.

use statrs::function::erf::erfc;

use crate::model::{Config, Weights};
use crate::ops::Activation;

/// Random weights large enough for sharp predictions, with biases and gains that differ.
pub fn sharp(config: &Config, seed: u64) -> Weights {
    let mut weights = Weights::random(config, seed);
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
    let width = config.width;
    let get = |name: &str| -> Vec<f64> {
        weights.arrays[name]
            .values
            .iter()
            .map(|&x| f64::from(x))
            .collect()
    };
    let norm = |x: &[f64], name: &str| -> Vec<f64> {
        let (gain, bias) = (get(&format!("{name}.weight")), get(&format!("{name}.bias")));
        let mean = x.iter().sum::<f64>() / width as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        (0..width)
            .map(|j| (x[j] - mean) / (variance + config.epsilon).sqrt() * gain[j] + bias[j])
            .collect()
    };
    let linear = |x: &[f64], name: &str| -> Vec<f64> {
        let (weight, mut out) = (get(&format!("{name}.weight")), get(&format!("{name}.bias")));
        let columns = out.len();
        for (k, x) in x.iter().enumerate() {
            (0..columns).for_each(|j| out[j] += x * weight[k * columns + j]);
        }
        out
    };
    let (wte, wpe) = (get("wte.weight"), get("wpe.weight"));
    let mut stream: Vec<Vec<f64>> = tokens
        .iter()
        .enumerate()
        .map(|(p, &t)| {
            (0..width)
                .map(|j| wte[t as usize * width + j] + wpe[p * width + j])
                .collect()
        })
        .collect();
    let size = width / config.heads;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let activate = |x: f64| match config.activation {
        Activation::GeluTanh => {
            0.5 * x
                * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }
        Activation::Gelu => 0.5 * x * erfc(-x / 2f64.sqrt()),
        Activation::QuickGelu => x * sigmoid(1.702 * x),
        Activation::Relu => x.max(0.0),
        Activation::Silu => x * sigmoid(x),
        Activation::Tanh => x.tanh(),
    };
    for block in 0..config.layers {
        let qkv: Vec<Vec<f64>> = stream
            .iter()
            .map(|x| {
                linear(
                    &norm(x, &format!("h.{block}.ln_1")),
                    &format!("h.{block}.attn.c_attn"),
                )
            })
            .collect();
        let mut scale = if config.scale_by_width {
            1.0 / (size as f64).sqrt()
        } else {
            1.0
        };
        if config.scale_by_layer {
            scale /= block as f64 + 1.0;
        }
        for (i, x) in stream.iter_mut().enumerate() {
            let mut attended = vec![0.0; width];
            for head in (0..width).step_by(size) {
                let score = |j: usize| {
                    (head..head + size)
                        .map(|k| qkv[i][k] * qkv[j][width + k])
                        .sum::<f64>()
                        * scale
                };
                let shares: Vec<f64> = (0..=i).map(|j| score(j).exp()).collect();
                let total: f64 = shares.iter().sum();
                for k in head..head + size {
                    attended[k] = (0..=i)
                        .map(|j| shares[j] / total * qkv[j][2 * width + k])
                        .sum();
                }
            }
            let update = linear(&attended, &format!("h.{block}.attn.c_proj"));
            x.iter_mut().zip(update).for_each(|(x, u)| *x += u);
            let inner = linear(
                &norm(x, &format!("h.{block}.ln_2")),
                &format!("h.{block}.mlp.c_fc"),
            );
            let inner: Vec<f64> = inner.into_iter().map(activate).collect();
            let update = linear(&inner, &format!("h.{block}.mlp.c_proj"));
            x.iter_mut().zip(update).for_each(|(x, u)| *x += u);
        }
    }
    let head = if config.tied {
        wte
    } else {
        get("lm_head.weight")
    };
    stream
        .iter()
        .map(|x| {
            let x = norm(x, "ln_f");
            head.chunks_exact(width)
                .map(|row| row.iter().zip(&x).map(|(w, x)| w * x).sum())
                .collect()
        })
        .collect()
}

/// Natural logarithms of the probabilities.
pub fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let total = logits.iter().map(|x| x.exp()).sum::<f64>().ln();
    logits.iter().map(|x| x - total).collect()
}
