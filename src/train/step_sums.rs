//! What a member gathers over the micro-batches of a step.

use std::collections::BTreeMap;

use dfdx::prelude::*;

use crate::distill::{Auxiliary, CriticReadings, NamedValues, Objective, StepSettings};
use crate::model::HiddenStates;
use crate::ops::{Mat, Ops, add_assign};

/// What a step has gathered so far.
pub(super) struct StepInProgress {
    pub settings: StepSettings,
    /// By parameter: the sum over micro-batches.
    pub gradients: Vec<Vec<f32>>,
    /// Sums over micro-batches of every term.
    pub terms: NamedValues,
    pub readings: CriticReadings,
}

impl StepInProgress {
    /// Trains the critics on the student's states, which keep their tape, and the teacher's.
    pub fn update_critics<D: Ops>(
        &mut self,
        objective: &Objective,
        states: HiddenStates<D, OwnedTape<f32, D>>,
        teacher: &HiddenStates<D>,
        auxiliary: &mut Auxiliary<D>,
    ) -> HiddenStates<D, OwnedTape<f32, D>> {
        let (last, tape) = states.last.split_tape();
        let detached = HiddenStates {
            kept: states.kept,
            last,
        };
        self.readings = objective.update_critics(&self.settings, &detached, teacher, auxiliary);
        HiddenStates {
            kept: detached.kept,
            last: detached.last.put_tape(tape),
        }
    }

    /// By term: scheduled weight times balance, for a micro-batch that is such a share of the step.
    pub fn factors(&self, balance: &BTreeMap<String, f64>, share: f64) -> NamedValues {
        let factor = |(name, weight): (&String, &f64)| {
            let balance = balance.get(name).unwrap_or(&1.0);
            (name.clone(), weight * balance * share)
        };
        self.settings.weights.iter().map(factor).collect()
    }

    pub fn add_terms(&mut self, terms: NamedValues, share: f64) {
        for (name, value) in terms {
            *self.terms.entry(name).or_insert(0.0) += value * share;
        }
    }

    pub fn add_gradients<D: Ops>(
        &mut self,
        mut gradients: Gradients<f32, D>,
        parameters: Vec<(String, &Mat<D>)>,
    ) {
        if self.gradients.is_empty() {
            self.gradients = vec![Vec::new(); parameters.len()];
        }
        for (sum, (_, parameter)) in self.gradients.iter_mut().zip(parameters) {
            let gradient = D::take_gradient(&mut gradients, parameter);
            if sum.is_empty() {
                *sum = gradient;
            } else {
                add_assign(sum, &gradient);
            }
        }
    }
}
