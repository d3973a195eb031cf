//! The value of an objective on one micro-batch, recorded for the backward pass.

use super::auxiliary::Auxiliary;
use super::objective::{NamedValues, Objective, StepSettings};
use super::pending::PendingValues;
use super::teacher_outputs::TeacherOutputs;
use crate::model::HiddenStates;
use crate::ops::{
    Head, LogitTerm, Mat, Ops, Precision, STANDARDIZE_EPSILON, Scalar, Tape, TeacherHead,
};
use crate::plan::run::{
    Direction, HiddenDistance, HiddenLoss, HiddenState, LogitLoss, StateForm, Term,
};
use crate::recorded;

/// A student's state and the teacher's that it is matched with.
struct StatePair<'a, D: Ops> {
    own: HiddenState,
    student: Mat<D>,
    teacher: &'a Mat<D>,
}

/// A sum of losses under way: the tape goes from one to the next.
struct LossSum<D: Ops, T> {
    total: Option<Scalar<D>>,
    tape: T,
    values: PendingValues<D>,
}

impl<D: Ops, T: Tape<f32, D>> LossSum<D, T> {
    /// Adds a loss, which was recorded on the tape.
    fn add(self, loss: Scalar<D, T>) -> Self {
        let (loss, tape) = loss.split_tape();
        let (total, tape) = match self.total {
            None => (loss, tape),
            Some(total) => D::added(total.put_tape(tape), loss).split_tape(),
        };
        Self {
            total: Some(total),
            tape,
            values: self.values,
        }
    }
}

impl Objective {
    /// Σ factor·term over the terms in `factors`, on one micro-batch, recorded on the student's
    /// tape, with every term's own value.
    ///
    /// A hidden term is the mean over its pairs. A term whose factor is 0 is evaluated without a
    /// tape. Values, which nobody has waited for yet, are keyed by the term's name; the value of
    /// each pair of a Wasserstein term, mean f(h_t) − mean f(P h_s), is keyed by
    /// `critic.<term>.<state>.estimate`.
    pub fn losses<D: Ops, T: Tape<f32, D>>(
        &self,
        settings: &StepSettings,
        factors: &NamedValues,
        student: HiddenStates<D, T>,
        student_head: Head<D>,
        targets: &[u32],
        teacher: Option<TeacherOutputs<D>>,
        auxiliary: &Auxiliary<D>,
    ) -> (Scalar<D, T>, PendingValues<D>) {
        let (last, tape) = student.last.split_tape();
        let mut sum = LossSum {
            total: None,
            tape,
            values: PendingValues::new(),
        };
        for (name, term) in &self.terms {
            let (Some(&factor), Some(loss)) = (factors.get(name), term.hidden()) else {
                continue;
            };
            let teacher = teacher.expect("a hidden term has a teacher").states;
            let pair = |&(own, others): &(HiddenState, HiddenState)| StatePair {
                own,
                student: student.kept.get(&own).unwrap_or(&last).clone(),
                teacher: teacher.state(others),
            };
            let pairs: Vec<StatePair<D>> = settings.pairs.iter().map(pair).collect();
            let step = settings.step;
            sum = self.add_hidden_term(sum, name, loss, step, factor, &pairs, auxiliary);
        }
        let terms = self.logit_terms(settings, factors);
        if !terms.is_empty() {
            let teacher = teacher.filter(|_| self.compares_logits());
            sum = add_logit_terms(sum, terms, last, student_head, targets, teacher);
        }
        let total = sum
            .total
            .unwrap_or_else(|| student_head.matrix.device().nothing());
        (total.put_tape(sum.tape), sum.values)
    }

    /// Adds a hidden term, the mean over its pairs.
    fn add_hidden_term<D: Ops, T: Tape<f32, D>>(
        &self,
        mut sum: LossSum<D, T>,
        name: &str,
        loss: HiddenLoss,
        step: u64,
        factor: f64,
        pairs: &[StatePair<D>],
        auxiliary: &Auxiliary<D>,
    ) -> LossSum<D, T> {
        let share = (factor / pairs.len() as f64) as f32;
        let mut of_pairs = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let target = target(loss.states, pair.teacher);
            let (own, x) = (pair.own, pair.student.clone());
            let value;
            if factor == 0.0 {
                (_, value) = self.pair_loss(name, loss, own, step, x, &target, auxiliary);
            } else {
                let x = x.put_tape(std::mem::take(&mut sum.tape));
                let recorded;
                (recorded, value) = self.pair_loss(name, loss, own, step, x, &target, auxiliary);
                sum = sum.add(D::scaled(recorded, share));
            }
            if loss.distance.critic().is_some() {
                let estimate = recorded::critic(name, &own.to_string(), recorded::ESTIMATE);
                sum.values.insert(estimate, vec![value.clone()]);
            }
            of_pairs.push(value);
        }
        sum.values.insert(name.to_owned(), of_pairs);
        sum
    }

    /// The terms that compare predictions, with names and factors.
    fn logit_terms(
        &self,
        settings: &StepSettings,
        factors: &NamedValues,
    ) -> Vec<(String, (LogitTerm, f64))> {
        let logit = |(name, term): (&String, &Term)| {
            let factor = *factors.get(name)?;
            Some((name.clone(), (logit_term(name, term, settings)?, factor)))
        };
        self.terms.iter().filter_map(logit).collect()
    }

    /// One term on one pair.
    fn pair_loss<D: Ops, T: Tape<f32, D>>(
        &self,
        name: &str,
        loss: HiddenLoss,
        own: HiddenState,
        step: u64,
        x: Mat<D, T>,
        target: &Mat<D>,
        auxiliary: &Auxiliary<D>,
    ) -> (Scalar<D, T>, D::Value) {
        let x = self.features(name, loss.states, own, x, auxiliary);
        match loss.distance {
            HiddenDistance::Mse { normalize } => D::hidden_mse(x, target, normalize),
            HiddenDistance::Cosine => D::hidden_cosine(x, target),
            HiddenDistance::Wasserstein(_) => {
                D::critic_term(x, target, &auxiliary.critics[&(name.to_owned(), own)])
            }
            HiddenDistance::Cloud(loss) => self.cloud_loss(name, loss, own, step, x, target),
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

/// Adds the terms that compare predictions, all in one pass over the vocabulary.
fn add_logit_terms<D: Ops, T: Tape<f32, D>>(
    mut sum: LossSum<D, T>,
    terms: Vec<(String, (LogitTerm, f64))>,
    last: Mat<D>,
    head: Head<D>,
    targets: &[u32],
    teacher: Option<TeacherOutputs<D>>,
) -> LossSum<D, T> {
    let (names, terms): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
    let teacher = teacher.map(|teacher| TeacherHead {
        hidden: &teacher.states.last,
        head: teacher.head,
        shared: teacher.logits,
    });
    let last = last.put_tape(std::mem::take(&mut sum.tape));
    let (recorded, values) = D::logit_losses(last, head, targets, teacher, &terms);
    for (name, value) in names.into_iter().zip(values) {
        sum.values.insert(name, vec![value]);
    }
    sum.add(recorded)
}

/// h_t, standardised where the term asks for it.
pub(super) fn target<D: Ops>(states: StateForm, teacher: &Mat<D>) -> Mat<D> {
    match states {
        StateForm::Raw => teacher.clone(),
        StateForm::Layernorm => D::standardize(teacher.clone(), STANDARDIZE_EPSILON),
    }
}

fn logit_term(name: &str, term: &Term, settings: &StepSettings) -> Option<LogitTerm> {
    let temperature = || settings.temperatures[name];
    Some(match term.logits()? {
        LogitLoss::Lm => LogitTerm::Lm,
        LogitLoss::Kl {
            direction, skew, ..
        } => {
            let (temperature, reverse) = (temperature(), direction == Direction::Reverse);
            if skew == 0.0 {
                LogitTerm::Kl {
                    temperature,
                    reverse,
                }
            } else {
                LogitTerm::SkewKl {
                    temperature,
                    reverse,
                    skew,
                }
            }
        }
        LogitLoss::Js { .. } => LogitTerm::Js {
            temperature: temperature(),
        },
        LogitLoss::Tv { .. } => LogitTerm::Tv {
            temperature: temperature(),
        },
        LogitLoss::Mse => LogitTerm::Mse,
        LogitLoss::Wasserstein { .. } => LogitTerm::Wasserstein {
            temperature: temperature(),
        },
    })
}
