//! What a member gathers over the micro-batches of a step.

use std::collections::BTreeMap;

use super::term_gradients::TermGradients;
use crate::distill::{
    Auxiliary, CriticReadings, Key, NamedValues, Objective, PendingValues, StepSettings,
};
use crate::model::HiddenStates;
use crate::ops::{GradientMap, Mat, Ops, OwnedTape};

/// What a step has found, in numbers.
pub(super) struct StepFindings {
    /// Means over micro-batches of every term.
    pub terms: NamedValues,
    /// By critic: the penalty and the norm of the gradient at its last update.
    pub critics: BTreeMap<Key, [f64; 2]>,
    /// Of the gradient.
    pub norm: f64,
    /// Of the gradient of every term by itself, where the step measures it.
    pub gradients: NamedValues,
    /// Cosines of it with what the other terms send.
    pub cosines: NamedValues,
}

/// What a step has gathered so far.
pub(super) struct StepInProgress<D: Ops> {
    pub settings: StepSettings,
    /// By parameter: the sum over micro-batches.
    pub gradients: Vec<D::Gradient>,
    /// By micro-batch: the value of every term.
    pub terms: Vec<PendingValues<D>>,
    pub readings: CriticReadings<D>,
    /// Term by term, where the step measures it.
    pub by_term: Option<TermGradients<D>>,
    /// By parameter: the gradient's square, once it was asked for.
    pub squares: Vec<D::Value>,
    /// All of it in numbers, once they were waited for.
    pub findings: Option<StepFindings>,
}

impl<D: Ops> StepInProgress<D> {
    /// Trains the critics on the student's states, which keep their tape, and the teacher's.
    pub fn update_critics(
        &mut self,
        objective: &Objective,
        states: HiddenStates<D, OwnedTape<f32, D>>,
        teacher: &HiddenStates<D>,
        auxiliary: &mut Auxiliary<D>,
    ) -> HiddenStates<D, OwnedTape<f32, D>> {
        let (last, tape) = states.last.split_tape();
        let detached = HiddenStates {
            kept: states.kept,
            attention: states.attention,
            last,
        };
        self.readings = objective.update_critics(&self.settings, &detached, teacher, auxiliary);
        HiddenStates {
            kept: detached.kept,
            attention: detached.attention,
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

    pub fn add_gradients(
        &mut self,
        mut gradients: GradientMap<D>,
        parameters: Vec<(String, &Mat<D>)>,
    ) {
        let is_first = self.gradients.is_empty();
        for (place, (_, parameter)) in parameters.into_iter().enumerate() {
            let gradient = D::take_gradient(&mut gradients, parameter);
            if is_first {
                self.gradients.push(gradient);
            } else {
                D::add_gradient(&mut self.gradients[place], &gradient);
            }
        }
    }

    /// Asks for what is found in the summed gradients: a device has the work of all members before
    /// anybody waits for one.
    pub fn ask(&mut self) {
        self.squares = self.gradients.iter().map(D::sum_of_squares).collect();
    }

    /// Waits for what the step has found, after it was asked for.
    pub fn wait(&mut self) {
        let share = 1.0 / self.terms.len() as f64;
        let mut terms = NamedValues::new();
        let micro_batches = PendingValues::fetch(std::mem::take(&mut self.terms));
        for (name, value) in micro_batches.into_iter().flatten() {
            *terms.entry(name).or_insert(0.0) += value * share;
        }
        let readings = std::mem::take(&mut self.readings);
        let values = readings
            .values()
            .flat_map(|reading| [&reading.penalty, &reading.gradient_norm])
            .chain(&self.squares);
        let values = D::fetch(&values.cloned().collect::<Vec<_>>());
        let (of_critics, squares) = values.split_at(2 * readings.len());
        let critics = readings
            .into_keys()
            .zip(of_critics.as_chunks().0.iter().copied());
        let pulls = self.by_term.take().map(|by_term| by_term.pulls());
        let (gradients, cosines) = pulls.map(|pulls| (pulls.norms, pulls.cosines)).unzip();
        self.findings = Some(StepFindings {
            gradients: gradients.unwrap_or_default(),
            cosines: cosines.unwrap_or_default(),
            terms,
            critics: critics.collect(),
            norm: squares.iter().sum::<f64>().sqrt(),
        });
    }
}
