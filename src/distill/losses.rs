//! The value of an objective on one micro-batch, recorded for the backward pass.

use super::auxiliary::Auxiliary;
use super::objective::{NamedValues, Objective, StepSettings};
use super::pairs::Matched;
use super::pending::PendingValues;
use super::teacher_outputs::TeacherOutputs;
use crate::model::{HiddenStates, Reader};
use crate::ops::{
    Head, LogitTerm, Mat, Ops, Precision, STANDARDIZE_EPSILON, Scalar, Tape, TeacherHead,
};
use crate::plan::run::{
    Direction, HiddenDistance, HiddenLoss, HiddenState, LogitLoss, StateForm, Term,
};
use crate::recorded;

/// A hidden term in hand.
struct HiddenTerm<'a, D: Ops> {
    name: &'a str,
    loss: HiddenLoss<'a>,
    step: u64,
    /// τ, if it has one; else 1.
    temperature: f64,
    auxiliary: &'a Auxiliary<D>,
    /// What reads tokens of the student's states, and of the teacher's.
    readers: [Reader<'a, D>; 2],
}

/// A student's state and what it is matched with.
struct StatePair<'a, D: Ops> {
    own: HiddenState,
    student: Mat<D>,
    matched: &'a Matched,
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
        reader: Reader<D>,
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
            let teacher = teacher.expect("a hidden term has a teacher");
            let mut pairs: Vec<StatePair<D>> = Vec::with_capacity(settings.pairs.len());
            for (own, matched) in &settings.pairs {
                pairs.push(StatePair {
                    own: *own,
                    student: student.kept.get(own).unwrap_or(&last).clone(),
                    matched,
                });
            }
            let term = HiddenTerm {
                name,
                loss,
                step: settings.step,
                temperature: settings.temperatures.get(name).copied().unwrap_or(1.0),
                auxiliary,
                readers: [reader, teacher.reader],
            };
            sum = self.add_hidden_term(sum, &term, factor, &pairs, teacher.states);
        }
        let terms = self.logit_terms(settings, factors);
        if !terms.is_empty() {
            let teacher = teacher.filter(|_| self.compares_logits());
            sum = add_logit_terms(sum, terms, last, reader.head, targets, teacher);
        }
        let total = sum
            .total
            .unwrap_or_else(|| reader.head.matrix.device().nothing());
        (total.put_tape(sum.tape), sum.values)
    }

    /// Adds a hidden term, the mean over its pairs.
    fn add_hidden_term<D: Ops, T: Tape<f32, D>>(
        &self,
        mut sum: LossSum<D, T>,
        term: &HiddenTerm<D>,
        factor: f64,
        pairs: &[StatePair<D>],
        teacher: &HiddenStates<D>,
    ) -> LossSum<D, T> {
        let share = (factor / pairs.len() as f64) as f32;
        let mut of_pairs = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let state = pair.own.to_string();
            let target = self.target(term.loss.states, pair.matched, teacher, || {
                let (states, x) = (term.loss.states, pair.student.clone());
                self.features(term.name, states, pair.own, x, term.auxiliary)
            });
            if let Some(entropy) = target.entropy {
                let name = recorded::map(term.name, &state, recorded::ENTROPY);
                sum.values.insert(name, vec![entropy]);
            }
            let x = pair.student.clone();
            let value;
            if factor == 0.0 {
                (_, value) = self.pair_loss(term, pair, x, target.state);
            } else {
                let x = x.put_tape(std::mem::take(&mut sum.tape));
                let recorded;
                (recorded, value) = self.pair_loss(term, pair, x, target.state);
                sum = sum.add(D::scaled(recorded, share));
            }
            if term.loss.distance.critic().is_some() {
                let estimate = recorded::critic(term.name, &state, recorded::ESTIMATE);
                sum.values.insert(estimate, vec![value.clone()]);
            }
            of_pairs.push(value);
        }
        sum.values.insert(term.name.to_owned(), of_pairs);
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
        term: &HiddenTerm<D>,
        pair: &StatePair<D>,
        x: Mat<D, T>,
        target: Mat<D>,
    ) -> (Scalar<D, T>, D::Value) {
        let (name, own, step) = (term.name, pair.own, term.step);
        let x = self.features(name, term.loss.states, own, x, term.auxiliary);
        let shuffled = |target| self.shuffled(step, target);
        match term.loss.distance {
            HiddenDistance::Mse { normalize } => D::hidden_mse(x, &shuffled(target), normalize),
            HiddenDistance::Cosine => D::hidden_cosine(x, &shuffled(target)),
            HiddenDistance::Wasserstein(_) => {
                let critic = &term.auxiliary.critics[&(name.to_owned(), own)];
                D::critic_term(x, &shuffled(target), critic)
            }
            // The tokens of a sample are shuffled among themselves.
            HiddenDistance::Cloud(loss) => self.cloud_loss(name, loss, own, step, x, target),
            HiddenDistance::Lens { .. } => {
                let [reader, of_teacher] = term.readers;
                let read = of_teacher.read(pair.matched.states()[0], shuffled(target));
                let teacher = TeacherHead::new(&read, of_teacher.head);
                let temperature = term.temperature;
                D::lens(reader.read(own, x), reader.head, teacher, temperature)
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
        head: teacher.reader.head,
        shared: teacher.logits,
    });
    let last = last.put_tape(std::mem::take(&mut sum.tape));
    let (recorded, values) = D::logit_losses(last, head, targets, teacher, &terms);
    for (name, value) in names.into_iter().zip(values) {
        sum.values.insert(name, vec![value]);
    }
    sum.add(recorded)
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
