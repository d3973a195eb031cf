//! The updates of a run's critics, on the states that a step compares.

use std::collections::BTreeMap;

use super::auxiliary::{Auxiliary, Key};
use super::objective::{Objective, StepSettings};
use crate::model::HiddenStates;
use crate::ops::{Backend, CriticReport, Mat, Ops};
use crate::plan::run::{CriticSpec, HiddenLoss, Term};
use crate::random::{Purpose, Seed, Stream};

/// What a step's critic updates found: by critic, the values of the last update.
pub type CriticReadings<D> = BTreeMap<Key, CriticReport<<D as Backend>::Value>>;

impl Objective {
    /// Trains every critic `critic.steps` times on the detached states of one micro-batch.
    ///
    /// The interpolation weights are drawn from (seed, term, layer, step, update).
    pub fn update_critics<D: Ops>(
        &self,
        settings: &StepSettings,
        student: &HiddenStates<D>,
        teacher: &HiddenStates<D>,
        auxiliary: &mut Auxiliary<D>,
    ) -> CriticReadings<D> {
        let mut readings = CriticReadings::<D>::new();
        for (name, term) in &self.terms {
            let Some((loss, spec)) = with_critic(term) else {
                continue;
            };
            for (own, matched) in &settings.pairs {
                let x = self.features(
                    name,
                    loss.states,
                    *own,
                    student.state(*own).clone(),
                    auxiliary,
                );
                let target = self.target(loss.states, matched, teacher, || x.clone());
                let target = self.shuffled(settings.step, target.state);
                let key = (name.clone(), *own);
                let critic = auxiliary
                    .critics
                    .get_mut(&key)
                    .expect("every matched state has its critic");
                for update in 0..spec.steps {
                    let index = settings.step * spec.steps as u64 + update as u64;
                    let epsilon = interpolation(
                        self.seed,
                        Purpose::CriticPenalty(name, &own.to_string()),
                        index,
                        rows(&x),
                    );
                    readings.insert(key.clone(), D::critic_update(critic, &x, &target, &epsilon));
                }
            }
        }
        readings
    }
}

/// One uniform number in [0, 1) per token, for the gradient penalty's interpolation.
pub(super) fn interpolation(seed: Seed, purpose: Purpose, index: u64, count: usize) -> Vec<f32> {
    let mut stream = Stream::of(seed, purpose, index);
    (0..count).map(|_| stream.uniform() as f32).collect()
}

pub(super) fn rows<D: Ops>(x: &Mat<D>) -> usize {
    x.shape().0
}

/// The loss and the critic of a term that takes one.
pub(super) fn with_critic(term: &Term) -> Option<(HiddenLoss<'_>, &CriticSpec)> {
    let loss = term.hidden()?;
    Some((loss, loss.distance.critic()?))
}
