//! Named arrays: what a model's file holds, independent of any device.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Config;
use super::gpt2::{Attention, Block, Gpt2, Linear, Mlp, Norm};
use crate::ops::{Ops, tape};

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

impl Config {
    /// Name and shape of every parameter.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let (c, inner) = (self.width, self.inner());
        let mut all = vec![("wte.weight".to_owned(), vec![self.vocabulary, c]), ("wpe.weight".to_owned(), vec![self.positions, c])];
        for i in 0..self.layers {
            let mut block = |name: &str, shape: Vec<usize>| all.push((format!("h.{i}.{name}"), shape));
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
        all
    }
}

impl Weights {
    /// The bytes of a safetensors file with names as transformers saves them (`transformer.` in front), the same bytes for the same weights.
    ///
    /// # Errors
    /// A shape that does not fit its values.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = self
            .arrays
            .iter()
            .map(|(name, array)| {
                (format!("transformer.{name}"), array.shape.clone(), array.values.iter().flat_map(|x| x.to_le_bytes()).collect())
            })
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, shape, data) in &bytes {
            views.push((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), data)?));
        }
        let about = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
        Ok(safetensors::tensor::serialize(views, Some(about))?)
    }

    /// Reads a safetensors file of f32 arrays, with or without the `transformer.` prefix; old `attn.bias` mask buffers and a tied `lm_head.weight` are left out.
    ///
    /// # Errors
    /// A file that is not safetensors, or arrays of another type.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes).context("not a valid safetensors file")?;
        let mut weights = Self::default();
        for (name, view) in file.tensors() {
            let name = name.strip_prefix("transformer.").unwrap_or(&name).to_owned();
            if name == "lm_head.weight" || name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") {
                continue;
            }
            if view.dtype() != Dtype::F32 {
                bail!("{name} is stored as {:?}; only F32 is supported", view.dtype());
            }
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            weights.arrays.insert(name, Array { shape: view.shape().to_vec(), values });
        }
        Ok(weights)
    }

    /// Reads `config.json` and `model.safetensors` of a GPT-2 folder.
    ///
    /// # Errors
    /// A missing or broken file, an unsupported config, arrays that do not fit it.
    pub fn read(folder: &Path) -> Result<(Config, Self)> {
        let read = |name: &str| std::fs::read(folder.join(name)).with_context(|| format!("cannot read {}", folder.join(name).display()));
        let text =
            String::from_utf8(read("config.json")?).with_context(|| format!("{} is not UTF-8", folder.join("config.json").display()))?;
        let config = Config::from_json(&text).with_context(|| format!("in {}", folder.display()))?;
        let weights = Self::from_safetensors(&read("model.safetensors")?)
            .with_context(|| format!("in {}", folder.join("model.safetensors").display()))?;
        weights.check(&config).with_context(|| format!("in {}", folder.join("model.safetensors").display()))?;
        Ok((config, weights))
    }

    /// Compares names and shapes with what `config` asks for.
    ///
    /// # Errors
    /// Every missing, extra or misshapen array, by name, with both shapes.
    pub fn check(&self, config: &Config) -> Result<()> {
        let mut faults = Vec::new();
        let shapes = config.shapes();
        for (name, shape) in &shapes {
            match self.arrays.get(name) {
                None => faults.push(format!("{name} is missing")),
                Some(array) if array.shape != *shape => {
                    faults.push(format!("{name} has shape {:?}, config.json asks for {shape:?}", array.shape))
                }
                Some(_) => {}
            }
        }
        let known: std::collections::BTreeSet<&str> = shapes.iter().map(|(name, _)| name.as_str()).collect();
        faults
            .extend(self.arrays.keys().filter(|name| !known.contains(name.as_str())).map(|name| format!("{name} is not part of a GPT-2")));
        if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("; ")) }
    }
}

impl<D: Ops> Gpt2<D> {
    /// Puts weights on a device.
    ///
    /// # Errors
    /// Weights that do not fit the config, by name.
    pub fn from_weights(device: &D, config: &Config, weights: &Weights) -> Result<Self> {
        weights.check(config)?;
        let get = |name: &str| {
            let array = &weights.arrays[name];
            let (rows, columns) = if let [rows, columns] = array.shape[..] { (rows, columns) } else { (1, array.shape[0]) };
            tape::matrix(device, rows, columns, array.values.clone())
        };
        let norm = |name: &str| Norm { weight: get(&format!("{name}.weight")), bias: get(&format!("{name}.bias")) };
        let linear = |name: &str| Linear { weight: get(&format!("{name}.weight")), bias: get(&format!("{name}.bias")) };
        let block = |i: usize| Block {
            ln_1: norm(&format!("h.{i}.ln_1")),
            attn: Attention { c_attn: linear(&format!("h.{i}.attn.c_attn")), c_proj: linear(&format!("h.{i}.attn.c_proj")) },
            ln_2: norm(&format!("h.{i}.ln_2")),
            mlp: Mlp { c_fc: linear(&format!("h.{i}.mlp.c_fc")), c_proj: linear(&format!("h.{i}.mlp.c_proj")) },
        };
        Ok(Self {
            config: config.clone(),
            device: device.clone(),
            wte: get("wte.weight"),
            wpe: get("wpe.weight"),
            blocks: (0..config.layers).map(block).collect(),
            ln_f: norm("ln_f"),
        })
    }

    /// Reads the weights back from the device.
    pub fn to_weights(&self) -> Weights {
        let shapes: BTreeMap<String, Vec<usize>> = self.config.shapes().into_iter().collect();
        let arrays = self
            .parameters()
            .into_iter()
            .map(|(name, parameter)| {
                let shape = shapes[&name].clone();
                (name, Array { shape, values: tape::read(parameter) })
            })
            .collect();
        Weights { arrays }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_read_back_as_they_were_written() {
        let weights = Weights::random(&Config::new(2, 8, 2, 11, 5), 1);
        assert_eq!(Weights::from_safetensors(&weights.to_safetensors().unwrap()).unwrap(), weights);
    }

    #[test]
    fn faults_of_a_file_are_listed_by_name() {
        let config = Config::new(1, 8, 2, 11, 5);
        let mut weights = Weights::random(&config, 1);
        weights.arrays.remove("ln_f.bias");
        weights.arrays.get_mut("wpe.weight").unwrap().shape = vec![4, 10];
        weights.arrays.insert("h.7.extra".into(), Array { shape: vec![1], values: vec![0.0] });
        assert_eq!(
            weights.check(&config).unwrap_err().to_string(),
            "wpe.weight has shape [4, 10], config.json asks for [5, 8]; ln_f.bias is missing; h.7.extra is not part of a GPT-2"
        );
    }
}
