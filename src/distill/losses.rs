//! The value of an objective on one micro-batch, recorded for the backward pass.

use super::auxiliary::Auxiliary;
use super::objective::{NamedValues, Objective, StepSettings};
use super::pair_loss::{HiddenTerm, StatePair};
use super::pairs::Matched;
use super::pending::PendingValues;
use super::teacher_outputs::TeacherOutputs;
use crate::model::{HiddenStates, Reader};
use crate::ops::{Head, LogitTerm, Mat, Ops, Scalar, Tape, TeacherHead};
use crate::plan::run::{Direction, HiddenState, LogitLoss, Matching, Term};
use crate::recorded;

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
        let HiddenStates {
            kept,
            attention,
            last,
        } = student;
        let (last, tape) = last.split_tape();
        let student = HiddenStates {
            kept,
            attention,
            last,
        };
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
            let pair = |(own, matched): &(HiddenState, Matched)| {
                StatePair::new(loss, *own, matched.clone(), &student)
            };
            let pairs: Vec<StatePair<D>> = settings.pairs.iter().map(pair).collect();
            let term = HiddenTerm {
                name,
                loss,
                step: settings.step,
                temperature: settings.temperatures.get(name).copied().unwrap_or(1.0),
                auxiliary,
                readers: [reader, teacher.reader],
            };
            sum = self.add_hidden_term(sum, &term, factor, pairs, teacher.states);
        }
        let terms = self.logit_terms(settings, factors);
        if !terms.is_empty() {
            let teacher = teacher.filter(|_| self.compares_logits());
            sum = add_logit_terms(sum, terms, student.last, reader.head, targets, teacher);
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
        pairs: Vec<StatePair<D>>,
        teacher: &HiddenStates<D>,
    ) -> LossSum<D, T> {
        let (pairs, cost) = if let Matching::Emd { .. } = self.matching {
            let transport = self.transported(term, &pairs, teacher);
            for (name, value) in transport.values {
                sum.values.insert_known(name, value);
            }
            (transport.pairs, Some(transport.cost))
        } else {
            (pairs.into_iter().map(|pair| (pair, 1.0)).collect(), None)
        };
        // A flow is a share of the whole by itself.
        let share = match cost {
            Some(_) => factor,
            None => factor / pairs.len() as f64,
        };
        let mut of_pairs = Vec::with_capacity(pairs.len());
        for (pair, flow) in &pairs {
            let state = pair.own.to_string();
            let target = self.target(term.loss, &pair.matched, teacher, || {
                let (states, x) = (term.loss.states, pair.student.clone());
                self.features(term.name, states, pair.own, x, term.auxiliary)
            });
            if let Some(entropy) = &target.entropy {
                let name = recorded::map(term.name, &state, recorded::ENTROPY);
                sum.values.insert(name, vec![entropy.clone()]);
            }
            let x = pair.student.clone();
            let value;
            if factor == 0.0 {
                (_, value) = self.pair_loss(term, pair, x, target);
            } else {
                let x = x.put_tape(std::mem::take(&mut sum.tape));
                let recorded;
                (recorded, value) = self.pair_loss(term, pair, x, target);
                sum = sum.add(D::scaled(recorded, (share * flow) as f32));
            }
            if term.loss.distance.critic().is_some() {
                let estimate = recorded::critic(term.name, &state, recorded::ESTIMATE);
                sum.values.insert(estimate, vec![value.clone()]);
            }
            of_pairs.push(value);
        }
        match cost {
            Some(cost) => sum.values.insert_known(term.name.to_owned(), cost),
            None => sum.values.insert(term.name.to_owned(), of_pairs),
        }
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
