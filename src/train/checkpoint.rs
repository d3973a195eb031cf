//! The files of a checkpoint: the arrays of a [`TrainState`] as safetensors, its numbers as JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use super::job::Job;
use super::state::{Best, TrainState, parameters, parameters_mut};
use crate::distill::{Key, LayerWeights};
use crate::model::{Array, Config, Weights, le_bytes};
use crate::ops::{CriticState, Mat, Ops, tape};

/// File names of a checkpoint.
const ARRAYS: &str = "state.safetensors";
const NUMBERS: &str = "state.json";
/// What the names of the best weights begin with.
const BEST: &str = "best.";

/// The numbers of a checkpoint that are not arrays; f64 as bits, so that they come back exactly.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    step: u64,
    balance: BTreeMap<String, u64>,
    best: Option<BestNumbers>,
    /// Weights of layers, the student's and the teacher's, by term.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    layer_weights: BTreeMap<String, [Vec<u64>; 2]>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestNumbers {
    step: u64,
    validation_nll: u64,
}

impl<D: Ops> TrainState<D> {
    /// The files of a checkpoint.
    ///
    /// # Errors
    /// Arrays that safetensors refuses.
    pub fn to_files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut arrays = BTreeMap::new();
        self.put_parameters(&mut arrays);
        self.put_critics(&mut arrays);
        self.put_best(&mut arrays);
        let arrays = safetensors::tensor::serialize(&arrays, None)?;
        let numbers = serde_json::to_vec_pretty(&self.numbers())?;
        Ok(vec![
            (ARRAYS.to_owned(), arrays),
            (NUMBERS.to_owned(), numbers),
        ])
    }

    /// Reads what [`TrainState::to_files`] wrote, for the same job.
    ///
    /// # Errors
    /// A missing or broken file, or arrays of another job.
    pub fn from_files(
        device: &D,
        job: &Job,
        teacher: Option<&Config>,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self> {
        let file = |name: &str| {
            files
                .get(name)
                .with_context(|| format!("the checkpoint has no {name}"))
        };
        let numbers: Numbers = serde_json::from_slice(file(NUMBERS)?)
            .with_context(|| format!("{NUMBERS} of the checkpoint is broken"))?;
        let mut arrays = StoredArrays::read(file(ARRAYS)?)
            .with_context(|| format!("{ARRAYS} of the checkpoint is broken"))?;

        let mut state = Self::new(device, job, teacher, &Weights::zeros(&job.config))?;
        state.step = numbers.step;
        state.balance = numbers
            .balance
            .into_iter()
            .map(|(name, bits)| (name, f64::from_bits(bits)))
            .collect();
        for (name, [student, teacher]) in numbers.layer_weights {
            let weights = [student, teacher].map(|side| side.into_iter().map(f64::from_bits));
            let [student, teacher] = weights.map(Iterator::collect);
            let weights = LayerWeights { student, teacher };
            let known = state.auxiliary.layer_weights.get_mut(&name);
            let known = known.filter(|known| {
                let both = |weights: &LayerWeights| [weights.student.len(), weights.teacher.len()];
                both(known) == both(&weights)
            });
            *known.with_context(|| {
                format!("the checkpoint holds weights of layers of {name}, which this run has not")
            })? = weights;
        }
        state.take_parameters(&mut arrays)?;
        state.take_critics(&mut arrays)?;
        if let Some(best) = numbers.best {
            state.best = Some(best.with_weights(&mut arrays, &job.config)?);
        }
        arrays.check_empty()?;
        Ok(state)
    }

    fn numbers(&self) -> Numbers {
        let bits = |(name, factor): (&String, &f64)| (name.clone(), factor.to_bits());
        let all = |weights: &[f64]| weights.iter().map(|weight| weight.to_bits()).collect();
        let of_layers = |(name, weights): (&String, &LayerWeights)| {
            (name.clone(), [all(&weights.student), all(&weights.teacher)])
        };
        Numbers {
            step: self.step,
            balance: self.balance.iter().map(bits).collect(),
            layer_weights: self.auxiliary.layer_weights.iter().map(of_layers).collect(),
            best: self.best.as_ref().map(|best| BestNumbers {
                step: best.step,
                validation_nll: best.validation_nll.to_bits(),
            }),
        }
    }

    fn put_parameters<'a>(&'a self, arrays: &mut BTreeMap<String, CheckpointArray<'a, D>>) {
        let parameters = parameters(&self.student, &self.auxiliary);
        for ((name, parameter), moments) in parameters.into_iter().zip(&self.moments) {
            let [first, second] = D::moments_values(moments);
            let parts = [
                ("moments.first", ArrayValues::Host(first)),
                ("moments.second", ArrayValues::Host(second)),
                ("parameters", ArrayValues::Device(parameter)),
            ];
            for (part, values) in parts {
                let shape = vec![tape::len(parameter)];
                arrays.insert(format!("{part}.{name}"), CheckpointArray { shape, values });
            }
        }
    }

    fn take_parameters(&mut self, arrays: &mut StoredArrays) -> Result<()> {
        let parameters = parameters_mut(&mut self.student, &mut self.auxiliary);
        for ((name, parameter), moments) in parameters.into_iter().zip(&mut self.moments) {
            let count = tape::len(parameter);
            let values = arrays.take(&format!("parameters.{name}"), count)?;
            tape::write(parameter, &values);
            let first = arrays.take(&format!("moments.first.{name}"), count)?;
            let second = arrays.take(&format!("moments.second.{name}"), count)?;
            *moments = D::moments(parameter, Some([first, second]));
        }
        Ok(())
    }

    fn put_critics(&self, arrays: &mut BTreeMap<String, CheckpointArray<D>>) {
        for (key, critic) in &self.auxiliary.critics {
            for (name, shape, values) in critic.state() {
                let values = ArrayValues::Host(values.into());
                arrays.insert(
                    format!("{}{name}", critic_prefix(key)),
                    CheckpointArray { shape, values },
                );
            }
        }
    }

    fn take_critics(&mut self, arrays: &mut StoredArrays) -> Result<()> {
        for (key, critic) in &mut self.auxiliary.critics {
            let prefix = critic_prefix(key);
            let parts: Vec<(String, Vec<usize>, Vec<f32>)> = arrays
                .take_all(&prefix)
                .map(|(name, array)| (name, array.shape, array.values))
                .collect();
            critic
                .restore(&parts)
                .with_context(|| format!("{prefix} of the checkpoint"))?;
        }
        Ok(())
    }

    fn put_best<'a>(&'a self, arrays: &mut BTreeMap<String, CheckpointArray<'a, D>>) {
        for (name, array) in self.best.iter().flat_map(|best| &best.weights.arrays) {
            let stored = CheckpointArray {
                shape: array.shape.clone(),
                values: ArrayValues::Host(array.values.as_slice().into()),
            };
            arrays.insert(format!("{BEST}{name}"), stored);
        }
    }
}

impl BestNumbers {
    fn with_weights(self, arrays: &mut StoredArrays, config: &Config) -> Result<Best> {
        let mut weights = Weights::default();
        weights.arrays.extend(arrays.take_all(BEST));
        weights
            .check(config)
            .context("the best weights of the checkpoint")?;
        Ok(Best {
            step: self.step,
            validation_nll: f64::from_bits(self.validation_nll),
            weights,
        })
    }
}

fn critic_prefix((term, state): &Key) -> String {
    format!("critic.{term}.{state}.")
}

/// An array of a checkpoint, where it lies.
struct CheckpointArray<'a, D: Ops> {
    shape: Vec<usize>,
    values: ArrayValues<'a, D>,
}

enum ArrayValues<'a, D: Ops> {
    Host(Cow<'a, [f32]>),
    Device(&'a Mat<D>),
}

impl<D: Ops> View for &CheckpointArray<'_, D> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match &self.values {
            ArrayValues::Host(values) => le_bytes(values),
            ArrayValues::Device(matrix) => Cow::Owned(D::with_values(matrix, |values| {
                le_bytes(values).into_owned()
            })),
        }
    }

    fn data_len(&self) -> usize {
        size_of::<f32>() * self.shape.iter().product::<usize>()
    }
}

/// Arrays of a checkpoint that nothing has taken yet.
struct StoredArrays(BTreeMap<String, Array>);

impl StoredArrays {
    fn read(bytes: &[u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes)?;
        let mut arrays = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                bail!("{name} is stored as {:?}, not F32", view.dtype());
            }
            let values = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            let shape = view.shape().to_vec();
            arrays.insert(name, Array { shape, values });
        }
        Ok(Self(arrays))
    }

    /// The values of an array that has `count` of them.
    fn take(&mut self, name: &str, count: usize) -> Result<Vec<f32>> {
        match self.0.remove(name) {
            Some(array) if array.values.len() == count => Ok(array.values),
            Some(array) => bail!(
                "{name} of the checkpoint has {} values, this run asks for {count}",
                array.values.len()
            ),
            None => bail!("the checkpoint has no {name}"),
        }
    }

    /// Every array whose name begins with `prefix`, under what follows it.
    fn take_all(&mut self, prefix: &str) -> impl Iterator<Item = (String, Array)> + use<> {
        let all = std::mem::take(&mut self.0);
        let (own, rest): (BTreeMap<_, _>, BTreeMap<_, _>) = all
            .into_iter()
            .partition(|(name, _)| name.starts_with(prefix));
        self.0 = rest;
        let length = prefix.len();
        own.into_iter()
            .map(move |(name, array)| (name[length..].to_owned(), array))
    }

    fn check_empty(&self) -> Result<()> {
        match self.0.keys().next() {
            Some(name) => bail!("the checkpoint holds {name}, which this run does not have"),
            None => Ok(()),
        }
    }
}
