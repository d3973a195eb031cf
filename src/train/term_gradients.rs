//! What every loss term sends to the student by itself: how hard it pulls, and whether along with
//! the other terms or against them.

use std::collections::BTreeMap;

use super::job::Job;
use super::micro_batch::MicroBatch;
use super::state::TrainState;
use crate::distill::{NamedValues, StepSettings};
use crate::ops::{Ops, OwnedTape};

/// Gradients of the terms of one micro-batch, with weight and balance and times its share s of the
/// step, as sums of squares: each a value for every parameter of the student.
pub(super) struct TermGradients<D: Ops> {
    /// Of what all terms together send, s·S.
    all: Vec<D::Value>,
    share: f64,
    /// By term: of its gradient s·g, and of what the others send, s·(S − g).
    terms: BTreeMap<String, [Vec<D::Value>; 2]>,
}

/// Squared norm of a gradient, over that of another, from which on its direction is told: less is
/// lost where the other is rounded.
const LOST: f64 = 1e-6;

/// What they come to.
pub(super) struct TermPulls {
    /// ‖g‖ of every term.
    pub norms: NamedValues,
    /// cos(g, S − g), of every term beside which others pull at all.
    pub cosines: NamedValues,
}

impl<D: Ops> TermGradients<D> {
    /// Measures the first micro-batch of a step, a `share` of it, by the settings and the factors
    /// of its terms, after the critics were trained; `summed` is what all terms together sent.
    /// Nothing of the training changes by it.
    pub fn measure(
        job: &Job,
        state: &TrainState<D>,
        (settings, factors, share): (&StepSettings, NamedValues, f64),
        summed: &[D::Gradient],
        micro: &MicroBatch<D>,
    ) -> Self {
        let keep = job.objective.kept_of_student(settings);
        let parameters = state.student.parameters();
        // Those of the student come first; projections are of one term alone.
        let all = &summed[..parameters.len()];
        let of_term = |(name, factor): (String, f64)| {
            // Turned round, so that what it takes away from the sum leaves the others, and a term
            // which is alone leaves nothing, in whatever precision.
            let factors = NamedValues::from([(name.clone(), -factor)]);
            let tape = OwnedTape::default();
            let (inputs, context) = (micro.inputs, job.train.context);
            let states = state.student.forward_keeping(tape, inputs, context, &keep);
            let (loss, _) = job.objective.losses(
                settings,
                &factors,
                states,
                state.student.reader(),
                micro.targets,
                micro.teacher,
                &state.auxiliary,
            );
            let mut gradients = loss.backward();
            let (mut own, mut others) = (Vec::new(), Vec::new());
            for ((_, parameter), all) in parameters.iter().zip(all) {
                let mut gradient = D::take_gradient(&mut gradients, parameter);
                own.push(D::sum_of_squares(&gradient));
                D::add_gradient(&mut gradient, all);
                others.push(D::sum_of_squares(&gradient));
            }
            (name, [own, others])
        };
        let sent = factors.into_iter().filter(|(_, factor)| *factor != 0.0);
        Self {
            all: all.iter().map(D::sum_of_squares).collect(),
            share,
            terms: sent.map(of_term).collect(),
        }
    }

    /// Waits for the values. Products follow from squares, with o = S − g:
    /// ‖S‖² = ‖g‖² + ‖o‖² + 2·g·o.
    pub fn pulls(&self) -> TermPulls {
        let sum = |squares: &[D::Value]| D::fetch(squares).iter().sum::<f64>();
        let all = sum(&self.all);
        let (mut norms, mut cosines) = (NamedValues::new(), NamedValues::new());
        for (name, [own, others]) in &self.terms {
            let (own, others) = (sum(own), sum(others));
            norms.insert(name.clone(), own.sqrt() / self.share);
            let cosine = (all - own - others) / (2.0 * (own * others).sqrt());
            let is_seen = others > LOST * own && own > LOST * others;
            if is_seen && cosine.is_finite() {
                cosines.insert(name.clone(), cosine.clamp(-1.0, 1.0));
            }
        }
        TermPulls { norms, cosines }
    }
}
