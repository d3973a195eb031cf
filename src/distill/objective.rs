//! The objective of a run: a weighted sum of named terms, evaluated on one micro-batch.

use std::collections::BTreeMap;

use dfdx::prelude::*;

use super::auxiliary::Auxiliary;
use super::lesson::Lesson;
use super::pairs::pairs_at;
use crate::model::{Config, HiddenStates};
use crate::ops::{Head, LogitTerm, Mat, Ops, Precision, Scalar, TeacherHead};
use crate::plan::run::{
    CriticSpec, Direction, HiddenDistance, HiddenLoss, HiddenState, LogitLoss, Matching, RunSpec,
    StateForm, Term,
};
use crate::plan::schedule::Schedule;
use crate::random::Stream;

/// Epsilon of `states = "layernorm"`.
const STANDARDIZE_EPSILON: f64 = 1e-5;

/// Values of a step by name: `loss`, `term.<name>`, `weight.<name>`, …
pub type NamedValues = BTreeMap<String, f64>;

/// The terms of a run and what they compare.
#[derive(Debug, Clone)]
pub struct Objective {
    /// Enabled terms by name; the order of names is the order of every sum.
    pub terms: BTreeMap<String, Term>,
    pub matching: Matching,
    pub student_layers: usize,
    /// 0 without a teacher.
    pub teacher_layers: usize,
    pub seed: u64,
    /// Steps of the whole run, for schedules.
    pub total_steps: u64,
}

/// Everything about a step that its number decides.
#[derive(Debug, Clone)]
pub struct Moment {
    pub step: u64,
    /// By term, as scheduled (without balance).
    pub weights: NamedValues,
    /// By term that has one.
    pub temperatures: NamedValues,
    pub pairs: Vec<(HiddenState, HiddenState)>,
}

/// What a step's critic updates found: by critic, the values of the last update.
pub type CriticReadings = BTreeMap<super::Key, crate::ops::CriticReport>;

impl Objective {
    /// The objective of a resolved run.
    pub fn new(spec: &RunSpec, student: &Config, teacher: &Config) -> Self {
        Self {
            terms: spec.loss.clone(),
            matching: spec.matching.clone(),
            student_layers: student.layers,
            teacher_layers: teacher.layers,
            seed: spec.seed,
            total_steps: spec.train.steps,
        }
    }

    /// Plain language modelling, as a teacher is trained: the one term `lm`.
    pub fn language_model(config: &Config, seed: u64, total_steps: u64) -> Self {
        Self {
            terms: BTreeMap::from([(
                "lm".to_owned(),
                Term::Lm {
                    weight: Schedule::Constant(1.0),
                },
            )]),
            matching: Matching::Pairs { pairs: Vec::new() },
            student_layers: config.layers,
            teacher_layers: 0,
            seed,
            total_steps,
        }
    }

    /// Whether any term compares predictions with the teacher's.
    pub fn compares_logits(&self) -> bool {
        self.terms.values().any(Term::compares_logits)
    }

    /// Whether any term needs the teacher.
    pub fn needs_teacher(&self) -> bool {
        self.terms.values().any(Term::needs_teacher)
    }

    fn has_hidden(&self) -> bool {
        self.terms.values().any(Term::is_hidden)
    }

    /// Every student state that a hidden term may compare during the run.
    pub fn student_states(&self) -> Vec<HiddenState> {
        if !self.has_hidden() {
            return Vec::new();
        }
        match &self.matching {
            Matching::Pairs { pairs } => {
                let mut states: Vec<HiddenState> =
                    pairs.iter().map(|&(student, _)| student).collect();
                states.sort_unstable();
                states.dedup();
                states
            }
            Matching::Random { .. } => (1..=self.student_layers).map(HiddenState::Layer).collect(),
        }
    }

    /// The weights, temperatures and pairs of `step`, which lies in `epoch` of the data.
    pub fn at(&self, step: u64, epoch: u64) -> Moment {
        let mut moment = Moment {
            step,
            weights: NamedValues::new(),
            temperatures: NamedValues::new(),
            pairs: Vec::new(),
        };
        for (name, term) in &self.terms {
            moment
                .weights
                .insert(name.clone(), term.weight().at(step, self.total_steps));
            if let Some(temperature) = term.temperature() {
                moment
                    .temperatures
                    .insert(name.clone(), temperature.at(step, self.total_steps));
            }
        }
        if self.has_hidden() {
            moment.pairs = pairs_at(
                &self.matching,
                self.student_layers,
                self.teacher_layers,
                self.seed,
                step,
                epoch,
            );
        }
        moment
    }

    /// Trains every critic `critic.steps` times on the detached states of one micro-batch.
    ///
    /// The interpolation weights are drawn from (seed, term, layer, step, update).
    pub fn update_critics<D: Ops>(
        &self,
        moment: &Moment,
        student: &HiddenStates<D>,
        teacher: &HiddenStates<D>,
        auxiliary: &mut Auxiliary<D>,
    ) -> CriticReadings {
        let mut readings = CriticReadings::new();
        for (name, term) in &self.terms {
            let Some((loss, settings)) = with_critic(term) else {
                continue;
            };
            for (own, others) in &moment.pairs {
                let x = self.features(
                    name,
                    loss.states,
                    *own,
                    student.state(*own).clone(),
                    auxiliary,
                );
                let target = target(loss.states, teacher.state(*others));
                let key = (name.clone(), *own);
                let critic = auxiliary
                    .critics
                    .get_mut(&key)
                    .expect("every matched state has its critic");
                for update in 0..settings.steps {
                    let index = moment.step * settings.steps as u64 + update as u64;
                    let epsilon = interpolation(
                        self.seed,
                        &format!("critic.epsilon.{name}.{own}"),
                        index,
                        rows(&x),
                    );
                    readings.insert(key.clone(), D::critic_update(critic, &x, &target, &epsilon));
                }
            }
        }
        readings
    }

    /// Σ factor·term over the terms in `factors`, on one micro-batch, recorded on the student's
    /// tape, with every term's own value.
    ///
    /// A hidden term is the mean over its pairs. A term whose factor is 0 is evaluated without a
    /// tape. Values are keyed by the term's name; the value of each pair of a Wasserstein term,
    /// mean f(h_t) − mean f(P h_s), is keyed by `critic.<term>.<state>.estimate`.
    pub fn losses<D: Ops, T: Tape<f32, D>>(
        &self,
        moment: &Moment,
        factors: &NamedValues,
        student: HiddenStates<D, T>,
        student_head: Head<D>,
        targets: &[u32],
        teacher: Option<Lesson<D>>,
        auxiliary: &Auxiliary<D>,
    ) -> (Scalar<D, T>, NamedValues) {
        let mut values = NamedValues::new();
        let (last, mut tape) = student.last.split_tape();
        let mut total: Option<Scalar<D>> = None;

        for (name, term) in &self.terms {
            let Some(&factor) = factors.get(name) else {
                continue;
            };
            let Some(hidden) = term.hidden() else {
                continue;
            };
            let teacher = teacher.expect("a hidden term has a teacher").states;
            let mut sum = 0.0;
            for (own, others) in &moment.pairs {
                let state = student.kept.get(own).unwrap_or(&last).clone();
                let target = target(hidden.states, teacher.state(*others));
                let value;
                if factor == 0.0 {
                    value = self
                        .pair_loss(name, hidden, *own, state, &target, auxiliary)
                        .1;
                } else {
                    let (loss, number) = self.pair_loss(
                        name,
                        hidden,
                        *own,
                        state.put_tape(tape),
                        &target,
                        auxiliary,
                    );
                    value = number;
                    let loss = loss * (factor / moment.pairs.len() as f64) as f32;
                    let (loss, rest) = loss.split_tape();
                    (total, tape) = add(total, loss, rest);
                }
                if hidden.distance.critic().is_some() {
                    values.insert(format!("critic.{name}.{own}.estimate"), value);
                }
                sum += value;
            }
            values.insert(name.clone(), sum / moment.pairs.len() as f64);
        }

        let mut names = Vec::new();
        let mut terms = Vec::new();
        for (name, term) in &self.terms {
            let (Some(&factor), Some(logit)) = (factors.get(name), logit_term(name, term, moment))
            else {
                continue;
            };
            names.push(name);
            terms.push((logit, factor));
        }
        if !terms.is_empty() {
            let head = teacher.map(
                |Lesson {
                     states,
                     head,
                     logits,
                 }| TeacherHead {
                    hidden: &states.last,
                    head,
                    shared: logits,
                },
            );
            let head = head.filter(|_| self.compares_logits());
            let (loss, numbers) =
                D::logit_losses(last.put_tape(tape), student_head, targets, head, &terms);
            values.extend(names.into_iter().cloned().zip(numbers));
            let (loss, rest) = loss.split_tape();
            (total, tape) = add(total, loss, rest);
        }
        let total = total.unwrap_or_else(|| student_head.matrix.device().tensor(0.0));
        (total.put_tape(tape), values)
    }

    /// One term on one pair.
    fn pair_loss<D: Ops, T: Tape<f32, D>>(
        &self,
        name: &str,
        loss: HiddenLoss,
        own: HiddenState,
        x: Mat<D, T>,
        target: &Mat<D>,
        auxiliary: &Auxiliary<D>,
    ) -> (Scalar<D, T>, f64) {
        let x = self.features(name, loss.states, own, x, auxiliary);
        match loss.distance {
            HiddenDistance::Mse { normalize } => D::hidden_mse(x, target, normalize),
            HiddenDistance::Cosine => D::hidden_cosine(x, target),
            HiddenDistance::Wasserstein(_) => {
                D::critic_term(x, target, &auxiliary.critics[&(name.to_owned(), own)])
            }
        }
    }

    /// P h_s, standardised where the term asks for it.
    pub(super) fn features<D: Ops, T: Tape<f32, D>>(
        &self,
        name: &str,
        states: StateForm,
        own: HiddenState,
        x: Mat<D, T>,
        auxiliary: &Auxiliary<D>,
    ) -> Mat<D, T> {
        let x = match auxiliary.projections.get(&(name.to_owned(), own)) {
            Some(projection) => D::linear(x, &projection.weight, &projection.bias, Precision::F32),
            None => x,
        };
        match states {
            StateForm::Raw => x,
            StateForm::Layernorm => D::standardize(x, STANDARDIZE_EPSILON),
        }
    }
}

/// h_t, standardised where the term asks for it.
pub(super) fn target<D: Ops>(states: StateForm, teacher: &Mat<D>) -> Mat<D> {
    match states {
        StateForm::Raw => teacher.clone(),
        StateForm::Layernorm => D::standardize(teacher.clone(), STANDARDIZE_EPSILON),
    }
}

/// One uniform number in [0, 1) per token, for the gradient penalty's interpolation.
pub(super) fn interpolation(seed: u64, purpose: &str, index: u64, count: usize) -> Vec<f32> {
    let mut stream = Stream::new(seed, purpose, index);
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

fn logit_term(name: &str, term: &Term, moment: &Moment) -> Option<LogitTerm> {
    Some(match term.logits()? {
        LogitLoss::Lm => LogitTerm::Lm,
        LogitLoss::Kl { direction, .. } => LogitTerm::Kl {
            temperature: moment.temperatures[name],
            reverse: match direction {
                Direction::Forward => false,
                Direction::Reverse => true,
            },
        },
    })
}

/// total + loss, recorded on `tape`.
fn add<D: Ops, T: Tape<f32, D>>(
    total: Option<Scalar<D>>,
    loss: Scalar<D>,
    tape: T,
) -> (Option<Scalar<D>>, T) {
    match total {
        None => (Some(loss), tape),
        Some(total) => {
            let (sum, tape) = (total.put_tape(tape) + loss).split_tape();
            (Some(sum), tape)
        }
    }
}
