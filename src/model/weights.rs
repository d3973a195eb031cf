//! Named arrays: what a model's file holds, independent of any device.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use safetensors::tensor::{Dtype, View};

use super::Config;
use super::floats::le_bytes;
use super::folder::ModelFolder;
use super::gpt2::{Attention, Block, Gpt2, Linear, Mlp, Norm};
use super::names::{listed, shape_faults};
use crate::ops::{Ops, Precision, tape};

/// One array, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// A model's weights under Hugging Face's names, without the `transformer.` prefix.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    pub arrays: BTreeMap<String, Array>,
}

impl Weights {
    /// The bytes of a safetensors file with names as transformers saves them (`transformer.` in
    /// front of all but a head of its own), the same bytes for the same weights.
    ///
    /// # Errors
    /// A shape that does not fit its values.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        for (name, array) in &self.arrays {
            ensure!(
                array.shape.iter().product::<usize>() == array.values.len(),
                "{name} has not the values of its shape"
            );
        }
        let written = |name: &str| {
            if name == "lm_head.weight" {
                name.to_owned()
            } else {
                format!("transformer.{name}")
            }
        };
        let about = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
        Ok(safetensors::tensor::serialize(
            self.arrays
                .iter()
                .map(|(name, array)| (written(name), array)),
            Some(about),
        )?)
    }

    /// Reads a GPT-2 folder to the end; see [`ModelFolder::open`].
    ///
    /// # Errors
    /// As [`ModelFolder::open`].
    pub fn read(folder: &Path) -> Result<(Config, Self)> {
        let checkpoint = ModelFolder::open(folder)?;
        let weights = Self::from_checkpoint(&checkpoint);
        Ok((checkpoint.config, weights))
    }

    /// All arrays of a folder that was opened.
    pub fn from_checkpoint(checkpoint: &ModelFolder) -> Self {
        let array = |(name, shape): (String, Vec<usize>)| {
            let values = checkpoint.values(&name);
            (name, Array { shape, values })
        };
        Self {
            arrays: checkpoint.config.shapes().into_iter().map(array).collect(),
        }
    }

    /// Compares names and shapes with what `config` asks for.
    ///
    /// # Errors
    /// Missing, extra or misshapen arrays, by name, with both shapes; of many the first, and how
    /// many.
    pub fn check(&self, config: &Config) -> Result<()> {
        let faults = shape_faults(
            config,
            self.arrays
                .iter()
                .map(|(name, array)| (name.as_str(), array.shape.as_slice())),
        );
        if faults.is_empty() {
            Ok(())
        } else {
            bail!("{}", listed(&faults, "; "))
        }
    }
}

impl View for &Array {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        le_bytes(&self.values)
    }

    fn data_len(&self) -> usize {
        4 * self.values.len()
    }
}

impl<D: Ops> Gpt2<D> {
    /// Puts weights on a device.
    ///
    /// # Errors
    /// Weights that do not fit the config, by name.
    pub fn from_weights(device: &D, config: &Config, weights: &Weights) -> Result<Self> {
        weights.check(config)?;
        Ok(Self::build(device, config, |name| {
            weights.arrays[name].values.clone()
        }))
    }

    /// Puts the weights of a folder on a device, array by array: they are in memory once.
    pub fn from_checkpoint(device: &D, checkpoint: &ModelFolder) -> Self {
        Self::build(device, &checkpoint.config, |name| checkpoint.values(name))
    }

    /// Puts arrays on a device, each as long as the config's shape for it.
    fn build(device: &D, config: &Config, values: impl Fn(&str) -> Vec<f32>) -> Self {
        let shapes: BTreeMap<String, Vec<usize>> = config.shapes().into_iter().collect();
        let get = |name: &str| {
            let shape = &shapes[name];
            let (rows, columns) = if let [rows, columns] = shape[..] {
                (rows, columns)
            } else {
                (1, shape[0])
            };
            tape::matrix(device, rows, columns, values(name))
        };
        let norm = |name: &str| Norm {
            weight: get(&format!("{name}.weight")),
            bias: get(&format!("{name}.bias")),
        };
        let linear = |name: &str| Linear {
            weight: get(&format!("{name}.weight")),
            bias: get(&format!("{name}.bias")),
        };
        let block = |i: usize| Block {
            ln_1: norm(&format!("h.{i}.ln_1")),
            attn: Attention {
                c_attn: linear(&format!("h.{i}.attn.c_attn")),
                c_proj: linear(&format!("h.{i}.attn.c_proj")),
            },
            ln_2: norm(&format!("h.{i}.ln_2")),
            mlp: Mlp {
                c_fc: linear(&format!("h.{i}.mlp.c_fc")),
                c_proj: linear(&format!("h.{i}.mlp.c_proj")),
            },
        };
        Self {
            config: config.clone(),
            precision: Precision::F32,
            wte: get("wte.weight"),
            wpe: get("wpe.weight"),
            blocks: (0..config.layers).map(block).collect(),
            ln_f: norm("ln_f"),
            lm_head: (!config.tied).then(|| get("lm_head.weight")),
        }
    }

    /// Reads the weights back from the device.
    pub fn to_weights(&self) -> Weights {
        let shapes: BTreeMap<String, Vec<usize>> = self.config.shapes().into_iter().collect();
        let arrays = self
            .parameters()
            .into_iter()
            .map(|(name, parameter)| {
                let shape = shapes[&name].clone();
                (
                    name,
                    Array {
                        shape,
                        values: tape::read(parameter),
                    },
                )
            })
            .collect();
        Weights { arrays }
    }
}
