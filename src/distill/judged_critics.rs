//! What critics are worth when the training is over: what they say of tokens that they were not
//! trained on, and how much more they would say if they went on while both models stand.

use super::auxiliary::Auxiliary;
use super::critics::{interpolation, rows, with_critic};
use super::objective::{NamedValues, Objective, StepSettings};
use crate::model::HiddenStates;
use crate::ops::{CriticTask, Mat, NoneTape, Ops};
use crate::random::Purpose;
use crate::recorded;

/// What both models say of a micro-batch.
pub struct StatesOfBoth<D: Ops> {
    pub student: HiddenStates<D>,
    pub teacher: HiddenStates<D>,
}

impl Objective {
    /// By column: every critic's estimate on `held_out`, and that of a copy of it after `updates`
    /// further updates on `training`, in turn. Nothing of the training changes by it.
    pub fn judge_critics<D: Ops>(
        &self,
        settings: &StepSettings,
        auxiliary: &Auxiliary<D>,
        training: &[StatesOfBoth<D>],
        held_out: &[StatesOfBoth<D>],
        updates: usize,
    ) -> NamedValues {
        let mut found = NamedValues::new();
        for (name, term) in &self.terms {
            let Some((loss, _)) = with_critic(term) else {
                continue;
            };
            for (own, matched) in &settings.pairs {
                let clouds = |samples: &[StatesOfBoth<D>]| -> Vec<(Mat<D>, Mat<D>)> {
                    let of_sample = |both: &StatesOfBoth<D>| {
                        let (term, pair) = ((name.as_str(), loss), (own, matched));
                        let (student, teacher) = (&both.student, &both.teacher);
                        self.clouds(term, pair, settings.step, student, teacher, auxiliary)
                    };
                    samples.iter().map(of_sample).collect()
                };
                let (training, held_out) = (clouds(training), clouds(held_out));
                let state = own.to_string();
                let mut critic = auxiliary.critics[&(name.clone(), *own)].clone();
                let before = estimate::<D>(&critic, &held_out);
                for update in 0..updates {
                    let (x, target) = &training[update % training.len()];
                    let epsilon = |_| {
                        let purpose = Purpose::CriticJudged(name, &state);
                        interpolation(self.seed, purpose, update as u64, rows(x))
                    };
                    D::critic_updates(&mut [CriticTask {
                        critic: &mut critic,
                        student: x,
                        teacher: target,
                        updates: 1,
                        epsilon: &epsilon,
                    }]);
                }
                let after = estimate::<D>(&critic, &held_out);
                let column = |value| recorded::critic(name, &state, value);
                found.insert(column(recorded::HELD_OUT), before);
                found.insert(column(recorded::FURTHER), after);
            }
        }
        found
    }
}

/// A critic's mean estimate.
fn estimate<D: Ops>(critic: &D::Critic, clouds: &[(Mat<D>, Mat<D>)]) -> f64 {
    let of_sample = |(x, target): &(Mat<D>, Mat<D>)| {
        D::critic_term(x.clone().put_tape(NoneTape), target, critic).1
    };
    let values: Vec<D::Value> = clouds.iter().map(of_sample).collect();
    D::fetch(&values).iter().sum::<f64>() / clouds.len() as f64
}

#[cfg(test)]
#[path = "judged_critics_tests.rs"]
mod tests;
