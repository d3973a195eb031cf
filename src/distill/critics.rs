//! The updates of a run's critics, on the states that a step compares.

use std::collections::BTreeMap;

use super::auxiliary::{Auxiliary, Key};
use super::objective::{Objective, StepSettings};
use super::pairs::Matched;
use crate::model::HiddenStates;
use crate::ops::{Backend, CriticReport, CriticTask, Mat, Ops};
use crate::plan::run::{CriticSpec, HiddenLoss, HiddenState, Term};
use crate::random::{Purpose, Seed, Stream};

/// What a step's critic updates found: by critic, the values of the last update.
pub type CriticReadings<D> = BTreeMap<Key, CriticReport<<D as Backend>::Value>>;

impl Objective {
    /// What the critic of a term judges on a pair of states: the student's cloud and the teacher's.
    pub(super) fn clouds<D: Ops>(
        &self,
        (name, loss): (&str, HiddenLoss),
        (own, matched): (&HiddenState, &Matched),
        step: u64,
        student: &HiddenStates<D>,
        teacher: &HiddenStates<D>,
        auxiliary: &Auxiliary<D>,
    ) -> (Mat<D>, Mat<D>) {
        let x = student.state(*own).clone();
        let x = self.features(name, loss.states, *own, x, auxiliary);
        let target = self.target(loss, matched, teacher, || x.clone());
        (x, self.shuffled(step, target.state))
    }

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
        let mut clouds = BTreeMap::new();
        for (name, term) in &self.terms {
            let Some((loss, spec)) = with_critic(term) else {
                continue;
            };
            for (own, matched) in &settings.pairs {
                let pair = (own, matched);
                let (x, target) = self.clouds(
                    (name, loss),
                    pair,
                    settings.step,
                    student,
                    teacher,
                    auxiliary,
                );
                let (state, count, updates) = (own.to_string(), rows(&x), spec.steps);
                let first = settings.step * updates as u64;
                let epsilon = move |update: usize| {
                    let purpose = Purpose::CriticPenalty(name, &state);
                    interpolation(self.seed, purpose, first + update as u64, count)
                };
                clouds.insert((name.clone(), *own), (x, target, updates, epsilon));
            }
        }
        // All of them at once, which a card does side by side.
        let critics = auxiliary.critics.iter_mut();
        let matched = critics.filter_map(|(key, critic)| Some((key, critic, clouds.get(key)?)));
        let (keys, mut tasks): (Vec<&Key>, Vec<CriticTask<D>>) = matched
            .map(|(key, critic, (student, teacher, updates, epsilon))| {
                let task = CriticTask {
                    critic,
                    student,
                    teacher,
                    updates: *updates,
                    epsilon,
                };
                (key, task)
            })
            .unzip();
        let reports = D::critic_updates(&mut tasks);
        keys.into_iter().cloned().zip(reports).collect()
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
