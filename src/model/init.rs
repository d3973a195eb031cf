//! The initialisation of the GPT-2 paper, and students made of their teacher's blocks.

use crate::random::Stream;

use super::weights::{Array, Weights};
use super::{Config, Gpt2};
use crate::ops::Ops;

/// Standard deviation of every matrix; the two that write to the residual stream are scaled by 1/√(2·layers).
const STANDARD_DEVIATION: f64 = 0.02;

impl Weights {
    /// Random weights: N(0, 0.02²) for matrices and embeddings, divided by √(2·layers) for the projections that write to the residual stream (Radford et al. 2019, section 2.3),
    /// zero biases, unit gains. Every parameter has a stream of its own, so that models of other depth share the numbers of equal names.
    pub fn random(config: &Config, seed: u64) -> Self {
        let residual = 1.0 / (2.0 * config.layers as f64).sqrt();
        let mut weights = Self::default();
        for (name, shape) in config.shapes() {
            let count = shape.iter().product();
            let values = if name.contains("ln_") && name.ends_with(".weight") {
                vec![1.0; count]
            } else if name.ends_with(".bias") {
                vec![0.0; count]
            } else {
                let scale = if name.ends_with("c_proj.weight") { STANDARD_DEVIATION * residual } else { STANDARD_DEVIATION };
                let mut stream = Stream::new(seed, &format!("init.{name}"), 0);
                (0..count).map(|_| (stream.normal() * scale) as f32).collect()
            };
            weights.arrays.insert(name, Array { shape, values });
        }
        weights
    }

    /// Zeros everywhere, to be overwritten.
    pub fn zeros(config: &Config) -> Self {
        let array = |(name, shape): (String, Vec<usize>)| {
            let values = vec![0.0; shape.iter().product()];
            (name, Array { shape, values })
        };
        Self { arrays: config.shapes().into_iter().map(array).collect() }
    }

    /// Weights of a student that starts from its teacher: embeddings and final norm, and block `blocks[i]` (from 0) as the student's block i.
    ///
    /// The widths are equal and the blocks exist: `spec` has seen to it.
    pub fn from_teacher(teacher: &Self, blocks: &[usize]) -> Self {
        let mut weights = Self::default();
        for (name, array) in &teacher.arrays {
            if !name.starts_with("h.") {
                weights.arrays.insert(name.clone(), array.clone());
            }
        }
        for (to, from) in blocks.iter().enumerate() {
            let prefix = format!("h.{from}.");
            for (name, array) in &teacher.arrays {
                if let Some(rest) = name.strip_prefix(&prefix) {
                    weights.arrays.insert(format!("h.{to}.{rest}"), array.clone());
                }
            }
        }
        weights
    }
}

impl<D: Ops> Gpt2<D> {
    /// A model with the random initialisation of `seed`.
    pub fn random(device: &D, config: &Config, seed: u64) -> Self {
        Self::from_weights(device, config, &Weights::random(config, seed)).expect("the weights were made from this config")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projections_to_the_residual_stream_are_scaled_by_depth() {
        let weights = Weights::random(&Config::new(8, 64, 4, 100, 32), 1);
        let deviation = |name: &str| {
            let values = &weights.arrays[name].values;
            (values.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / values.len() as f64).sqrt()
        };
        assert!((deviation("h.0.mlp.c_fc.weight") / 0.02 - 1.0).abs() < 0.03);
        assert!((deviation("h.0.mlp.c_proj.weight") / (0.02 / 4.0) - 1.0).abs() < 0.03);
        assert!(weights.arrays["h.3.ln_2.weight"].values.iter().all(|&gain| gain == 1.0));
    }

    #[test]
    fn a_student_takes_the_chosen_blocks_of_its_teacher() {
        let teacher = Weights::random(&Config::new(4, 8, 2, 11, 5), 1);
        let student = Weights::from_teacher(&teacher, &[1, 3]);
        assert_eq!(student.arrays["h.0.attn.c_attn.weight"], teacher.arrays["h.1.attn.c_attn.weight"]);
        assert_eq!(student.arrays["h.1.mlp.c_proj.bias"], teacher.arrays["h.3.mlp.c_proj.bias"]);
        assert_eq!(student.arrays["wte.weight"], teacher.arrays["wte.weight"]);
        assert_eq!(student.arrays.len(), 4 + 2 * 12);
    }
}
