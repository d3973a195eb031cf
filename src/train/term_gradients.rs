//! What every loss term sends to the student by itself: how hard it pulls, and whether along with
//! the other terms or against them.

use std::collections::BTreeMap;

use super::job::Job;
use super::state::TrainState;
use super::step::MicroBatch;
use super::step_sums::StepInProgress;
use crate::distill::NamedValues;
use crate::ops::{Ops, OwnedTape};

/// Gradients of the terms of one micro-batch, with weight and balance, as sums of squares: each a
/// value for every parameter of the student.
pub(super) struct TermGradients<D: Ops> {
    /// Of what all terms together send, s times as large: s·S.
    all: Vec<D::Value>,
    share: f64,
    /// By term: of its gradient g, and of g + s·S.
    terms: BTreeMap<String, [Vec<D::Value>; 2]>,
}

/// Squared norm of a gradient, over that of another, from which on the two are told apart: sums of
/// f32 are right to some 1e-7.
const LOST: f64 = 1e-6;

/// What they come to.
pub(super) struct TermPulls {
    /// ‖g‖ of every term.
    pub norms: NamedValues,
    /// cos(g, S − g), of every term beside which others pull at all.
    pub cosines: NamedValues,
}

impl<D: Ops> TermGradients<D> {
    /// Measures the micro-batch that `step` has just added to its gradients as its first, a `share`
    /// of the step, after the critics were trained. Nothing of the training changes by it.
    pub fn measure(
        job: &Job,
        state: &TrainState<D>,
        step: &StepInProgress<D>,
        micro: &MicroBatch<D>,
        share: f64,
    ) -> Self {
        let keep = job.objective.kept_of_student(&step.settings);
        let parameters = state.student.parameters();
        // Those of the student come first; projections are of one term alone.
        let all = &step.gradients[..parameters.len()];
        let of_term = |(name, factor): (String, f64)| {
            let factors = NamedValues::from([(name.clone(), factor)]);
            let tape = OwnedTape::default();
            let (inputs, context) = (micro.inputs, job.train.context);
            let states = state.student.forward_keeping(tape, inputs, context, &keep);
            let (loss, _) = job.objective.losses(
                &step.settings,
                &factors,
                states,
                state.student.reader(),
                micro.targets,
                micro.teacher,
                &state.auxiliary,
            );
            let mut gradients = loss.backward();
            let (mut own, mut with_all) = (Vec::new(), Vec::new());
            for ((_, parameter), all) in parameters.iter().zip(all) {
                let mut gradient = D::take_gradient(&mut gradients, parameter);
                own.push(D::sum_of_squares(&gradient));
                D::add_gradient(&mut gradient, all);
                with_all.push(D::sum_of_squares(&gradient));
            }
            (name, [own, with_all])
        };
        let factors = step.factors(&state.balance, 1.0).into_iter();
        let sent = factors.filter(|(_, factor)| *factor != 0.0);
        Self {
            all: all.iter().map(D::sum_of_squares).collect(),
            share,
            terms: sent.map(of_term).collect(),
        }
    }

    /// Waits for the values. Products follow from the squares: 2·g·(s·S) = ‖g + s·S‖² − ‖g‖² −
    /// ‖s·S‖².
    pub fn pulls(&self) -> TermPulls {
        let sum = |squares: &[D::Value]| D::fetch(squares).iter().sum::<f64>();
        let (all, share) = (sum(&self.all), self.share);
        let (mut norms, mut cosines) = (NamedValues::new(), NamedValues::new());
        for (name, [own, with_all]) in &self.terms {
            let (own, with_all) = (sum(own), sum(with_all));
            let with_all = (with_all - own - all) / (2.0 * share);
            let others = all / (share * share) - 2.0 * with_all + own;
            norms.insert(name.clone(), own.sqrt());
            let cosine = (with_all - own) / (own * others).sqrt();
            // Beside a gradient a thousand times as large, another one is lost in its rounding.
            let is_seen = others > LOST * own && own > LOST * others;
            if is_seen && cosine.is_finite() {
                cosines.insert(name.clone(), cosine.clamp(-1.0, 1.0));
            }
        }
        TermPulls { norms, cosines }
    }
}
