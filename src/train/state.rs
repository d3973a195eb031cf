//! Everything that changes while a run trains. A checkpoint is exactly this.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use super::job::{Job, of_products};
use crate::distill::{Auxiliary, Key};
use crate::model::{Array, Config, Gpt2, Weights, le_bytes};
use crate::ops::{Mat, Moments, Ops, tape};

/// The state of a run after `step` steps.
#[derive(Debug, Clone)]
pub struct TrainState<D: Ops> {
    /// Steps done.
    pub step: u64,
    pub student: Gpt2<D>,
    pub auxiliary: Auxiliary<D>,
    /// Of the student's parameters, then the projections', in their order.
    pub moments: Vec<Moments>,
    /// The factors of balanced terms.
    pub balance: BTreeMap<String, f64>,
    /// With `keep = "best"`.
    pub best: Option<Best>,
}

/// The weights of the lowest validation loss so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Steps done then.
    pub step: u64,
    pub validation_nll: f64,
    pub weights: Weights,
}

/// The numbers of a checkpoint that are not arrays; f64 as bits, so that they come back exactly.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    step: u64,
    balance: BTreeMap<String, u64>,
    best: Option<BestNumbers>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BestNumbers {
    step: u64,
    validation_nll: u64,
}

/// File names of a checkpoint.
const ARRAYS: &str = "state.safetensors";
const NUMBERS: &str = "state.json";

impl<D: Ops> TrainState<D> {
    /// The state before the first step, with `weights` as the initial student.
    ///
    /// # Errors
    /// Weights that do not fit the job's config.
    pub fn new(device: &D, job: &Job, teacher: Option<&Config>, weights: &Weights) -> Result<Self> {
        let precision = of_products(job.train.precision);
        let student = Gpt2::from_weights(device, &job.config, weights)?.with_precision(precision);
        let mut auxiliary = Auxiliary::new(device, &job.objective, &job.config, teacher, job.seed);
        auxiliary
            .critics
            .values_mut()
            .for_each(|critic| critic.set_precision(precision));
        let zero = |count: usize| Moments {
            first: vec![0.0; count],
            second: vec![0.0; count],
        };
        let moments = parameters(&student, &auxiliary)
            .iter()
            .map(|(_, parameter)| zero(tape::len(parameter)))
            .collect();
        Ok(Self {
            step: 0,
            student,
            auxiliary,
            moments,
            balance: BTreeMap::new(),
            best: None,
        })
    }

    /// The files of a checkpoint.
    ///
    /// # Errors
    /// Arrays that safetensors refuses.
    pub fn to_files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut arrays: BTreeMap<String, CheckpointArray<D>> = BTreeMap::new();
        let mut put = |name: String, shape: Vec<usize>, values| {
            arrays.insert(name, CheckpointArray { shape, values });
        };
        for (index, (name, parameter)) in parameters(&self.student, &self.auxiliary)
            .into_iter()
            .enumerate()
        {
            let moments = &self.moments[index];
            put(
                format!("moments.first.{name}"),
                vec![moments.first.len()],
                ArrayValues::Borrowed(&moments.first),
            );
            put(
                format!("moments.second.{name}"),
                vec![moments.second.len()],
                ArrayValues::Borrowed(&moments.second),
            );
            put(
                format!("parameters.{name}"),
                vec![tape::len(parameter)],
                ArrayValues::Device(parameter),
            );
        }
        for (key, critic) in &self.auxiliary.critics {
            for (name, shape, values) in critic.state() {
                put(
                    format!("{}{name}", critic_prefix(key)),
                    shape,
                    ArrayValues::Owned(values),
                );
            }
        }
        if let Some(best) = &self.best {
            for (name, array) in &best.weights.arrays {
                put(
                    format!("best.{name}"),
                    array.shape.clone(),
                    ArrayValues::Borrowed(&array.values),
                );
            }
        }
        let numbers = Numbers {
            step: self.step,
            balance: self
                .balance
                .iter()
                .map(|(name, factor)| (name.clone(), factor.to_bits()))
                .collect(),
            best: self.best.as_ref().map(|best| BestNumbers {
                step: best.step,
                validation_nll: best.validation_nll.to_bits(),
            }),
        };
        Ok(vec![
            (
                ARRAYS.to_owned(),
                safetensors::tensor::serialize(&arrays, None)?,
            ),
            (NUMBERS.to_owned(), serde_json::to_vec_pretty(&numbers)?),
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
        let mut arrays = deserialize(file(ARRAYS)?)
            .with_context(|| format!("{ARRAYS} of the checkpoint is broken"))?;

        let mut state = Self::new(device, job, teacher, &Weights::zeros(&job.config))?;
        state.step = numbers.step;
        state.balance = numbers
            .balance
            .into_iter()
            .map(|(name, bits)| (name, f64::from_bits(bits)))
            .collect();
        let mut take = |name: String, count: usize| match arrays.remove(&name) {
            Some(array) if array.values.len() == count => Ok(array.values),
            Some(array) => bail!(
                "{name} of the checkpoint has {} values, this run asks for {count}",
                array.values.len()
            ),
            None => bail!("the checkpoint has no {name}"),
        };
        let moments = &mut state.moments;
        for (index, (name, parameter)) in parameters_mut(&mut state.student, &mut state.auxiliary)
            .into_iter()
            .enumerate()
        {
            let count = tape::len(parameter);
            tape::write(parameter, &take(format!("parameters.{name}"), count)?);
            moments[index].first = take(format!("moments.first.{name}"), count)?;
            moments[index].second = take(format!("moments.second.{name}"), count)?;
        }
        for (key, critic) in &mut state.auxiliary.critics {
            let prefix = critic_prefix(key);
            let own: Vec<String> = arrays
                .keys()
                .filter(|name| name.starts_with(&prefix))
                .cloned()
                .collect();
            let mut parts = Vec::with_capacity(own.len());
            for name in own {
                let array = arrays
                    .remove(&name)
                    .context("an array that was just listed")?;
                parts.push((name[prefix.len()..].to_owned(), array.shape, array.values));
            }
            critic
                .restore(&parts)
                .with_context(|| format!("{prefix} of the checkpoint"))?;
        }
        if let Some(best) = numbers.best {
            let mut weights = Weights::default();
            for name in arrays
                .keys()
                .filter(|name| name.starts_with("best."))
                .cloned()
                .collect::<Vec<_>>()
            {
                let array = arrays
                    .remove(&name)
                    .context("an array that was just listed")?;
                weights
                    .arrays
                    .insert(name["best.".len()..].to_owned(), array);
            }
            weights
                .check(&job.config)
                .context("the best weights of the checkpoint")?;
            state.best = Some(Best {
                step: best.step,
                validation_nll: f64::from_bits(best.validation_nll),
                weights,
            });
        }
        if let Some(name) = arrays.keys().next() {
            bail!("the checkpoint holds {name}, which this run does not have");
        }
        Ok(state)
    }

    /// The weights that the run ends with: the last, or the best.
    pub fn result(&self) -> Weights {
        self.best
            .as_ref()
            .map_or_else(|| self.student.to_weights(), |best| best.weights.clone())
    }
}

fn critic_prefix((term, state): &Key) -> String {
    format!("critic.{term}.{state}.")
}

/// Every array that AdamW trains, with its name, in order.
pub(super) fn parameters<'a, D: Ops>(
    student: &'a Gpt2<D>,
    auxiliary: &'a Auxiliary<D>,
) -> Vec<(String, &'a Mat<D>)> {
    let mut all = student.parameters();
    all.extend(auxiliary.parameters());
    all
}

pub(super) fn parameters_mut<'a, D: Ops>(
    student: &'a mut Gpt2<D>,
    auxiliary: &'a mut Auxiliary<D>,
) -> Vec<(String, &'a mut Mat<D>)> {
    let mut all = student.parameters_mut();
    all.extend(auxiliary.parameters_mut());
    all
}

/// An array of a checkpoint, where it lies.
struct CheckpointArray<'a, D: Ops> {
    shape: Vec<usize>,
    values: ArrayValues<'a, D>,
}

enum ArrayValues<'a, D: Ops> {
    Borrowed(&'a [f32]),
    Owned(Vec<f32>),
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
            ArrayValues::Borrowed(values) => le_bytes(values),
            ArrayValues::Owned(values) => le_bytes(values),
            ArrayValues::Device(matrix) => Cow::Owned(D::with_values(matrix, |values| {
                le_bytes(values).into_owned()
            })),
        }
    }

    fn data_len(&self) -> usize {
        size_of::<f32>() * self.shape.iter().product::<usize>()
    }
}

fn deserialize(bytes: &[u8]) -> Result<BTreeMap<String, Array>> {
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
        arrays.insert(
            name,
            Array {
                shape: view.shape().to_vec(),
                values,
            },
        );
    }
    Ok(arrays)
}
