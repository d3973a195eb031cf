//! The initialisation of the GPT-2 paper, and students made of their teacher's blocks.

use std::collections::BTreeMap;

use crate::random::Stream;

use super::weights::{Array, Weights};
use super::{Config, Gpt2};
use crate::ops::{Ops, tape};

/// Standard deviation of every matrix; the two that write to the residual stream are scaled by
/// 1/√(2·layers).
const STANDARD_DEVIATION: f64 = 0.02;

impl Weights {
    /// Random weights: N(0, 0.02²) for matrices and embeddings, divided by √(2·layers) for the
    /// projections that write to the residual stream (Radford et al. 2019, section 2.3), zero
    /// biases, unit gains. Every parameter has a stream of its own, so that models of other depth
    /// share the numbers of equal names.
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
                let scale = if name.ends_with("c_proj.weight") {
                    STANDARD_DEVIATION * residual
                } else {
                    STANDARD_DEVIATION
                };
                let mut stream = Stream::new(seed, &format!("init.{name}"), 0);
                (0..count)
                    .map(|_| (stream.normal() * scale) as f32)
                    .collect()
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
        Self {
            arrays: config.shapes().into_iter().map(array).collect(),
        }
    }

    /// Weights of a student that starts from its teacher: embeddings, final norm and a head of its
    /// own, and block `blocks[i]` (from 0) as the student's block i. Only those are read from the
    /// device.
    ///
    /// The widths are equal and the blocks exist: `spec` has seen to it.
    pub fn from_teacher<D: Ops>(teacher: &Gpt2<D>, blocks: &[usize]) -> Self {
        let shapes: BTreeMap<String, Vec<usize>> = teacher.config.shapes().into_iter().collect();
        let mut weights = Self::default();
        for (name, parameter) in teacher.parameters() {
            let targets: Vec<String> = match name
                .strip_prefix("h.")
                .and_then(|rest| rest.split_once('.'))
            {
                None => vec![name.clone()],
                Some((from, rest)) => {
                    let becomes = blocks
                        .iter()
                        .enumerate()
                        .filter(|(_, block)| block.to_string() == from);
                    becomes.map(|(to, _)| format!("h.{to}.{rest}")).collect()
                }
            };
            for target in targets {
                weights.arrays.insert(
                    target,
                    Array {
                        shape: shapes[&name].clone(),
                        values: tape::read(parameter),
                    },
                );
            }
        }
        weights
    }
}

impl<D: Ops> Gpt2<D> {
    /// A model with the random initialisation of `seed`.
    pub fn random(device: &D, config: &Config, seed: u64) -> Self {
        Self::from_weights(device, config, &Weights::random(config, seed))
            .expect("the weights were made from this config")
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
            (values
                .iter()
                .map(|&x| f64::from(x) * f64::from(x))
                .sum::<f64>()
                / values.len() as f64)
                .sqrt()
        };
        assert!((deviation("h.0.mlp.c_fc.weight") / 0.02 - 1.0).abs() < 0.03);
        assert!((deviation("h.0.mlp.c_proj.weight") / (0.02 / 4.0) - 1.0).abs() < 0.03);
        assert!(
            weights.arrays["h.3.ln_2.weight"]
                .values
                .iter()
                .all(|&gain| gain == 1.0)
        );
    }

    #[test]
    fn a_student_takes_the_chosen_blocks_of_its_teacher_and_its_head() {
        for tied in [true, false] {
            let config = Config {
                tied,
                ..Config::new(4, 8, 2, 11, 5)
            };
            let teacher = Gpt2::random(&dfdx::prelude::Cpu::default(), &config, 1);
            let weights = teacher.to_weights();
            let student = Weights::from_teacher(&teacher, &[1, 3, 3]);
            assert_eq!(
                student.arrays["h.0.attn.c_attn.weight"],
                weights.arrays["h.1.attn.c_attn.weight"]
            );
            assert_eq!(
                student.arrays["h.1.mlp.c_proj.bias"],
                weights.arrays["h.3.mlp.c_proj.bias"]
            );
            assert_eq!(
                student.arrays["h.2.ln_1.weight"],
                weights.arrays["h.3.ln_1.weight"]
            );
            assert_eq!(student.arrays["wte.weight"], weights.arrays["wte.weight"]);
            assert_eq!(
                student.arrays.get("lm_head.weight"),
                weights.arrays.get("lm_head.weight")
            );
            student
                .check(&Config {
                    layers: 3,
                    ..config
                })
                .unwrap();
        }
    }
}
