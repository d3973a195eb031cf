//! The initialisation of the GPT-2 paper, and students made of their teacher's blocks.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::random::{Purpose, Seed, Stream};

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
    /// share the numbers of equal names, and all are drawn side by side.
    pub fn random(config: &Config, seed: Seed) -> Self {
        let residual = 1.0 / (2.0 * config.layers as f64).sqrt();
        let array = |(name, shape): (String, Vec<usize>)| {
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
                let mut stream = Stream::of(seed, Purpose::Weights(&name), 0);
                (0..count)
                    .map(|_| (stream.normal() * scale) as f32)
                    .collect()
            };
            (name, Array { shape, values })
        };
        Self {
            arrays: config.shapes().into_par_iter().map(array).collect(),
        }
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
    /// The widths are equal and the blocks exist: `plan` has seen to it.
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
    pub fn random(device: &D, config: &Config, seed: Seed) -> Self {
        Self::from_weights(device, config, &Weights::random(config, seed))
            .expect("the weights were made from this config")
    }
}

#[cfg(test)]
#[path = "init_tests.rs"]
mod tests;
