//! Everything that changes while a run trains. A checkpoint is exactly this (`checkpoint.rs` has
//! its files).

use std::collections::BTreeMap;

use anyhow::Result;

use super::job::{Job, of_products};
use crate::distill::Auxiliary;
use crate::model::{Config, Gpt2, Weights};
use crate::ops::{CriticState, Mat, Ops};

/// The state of a run after `step` steps.
#[derive(Debug, Clone)]
pub struct TrainState<D: Ops> {
    /// Steps done.
    pub step: u64,
    pub student: Gpt2<D>,
    pub auxiliary: Auxiliary<D>,
    /// Of the student's parameters, then the projections', in their order.
    pub moments: Vec<D::Moments>,
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
        let moments = parameters(&student, &auxiliary)
            .iter()
            .map(|(_, parameter)| D::moments(parameter, None))
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

    /// The weights that the run ends with: the last, or the best.
    pub fn result(&self) -> Weights {
        self.best
            .as_ref()
            .map_or_else(|| self.student.to_weights(), |best| best.weights.clone())
    }
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
