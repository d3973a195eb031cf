//! One hidden term on one pair of states.

use super::auxiliary::Auxiliary;
use super::objective::Objective;
use super::pairs::Matched;
use super::targets::MatchedTarget;
use crate::model::{HiddenStates, Reader};
use crate::ops::{
    AttentionForm, Mat, Ops, Precision, STANDARDIZE_EPSILON, Scalar, Tape, TeacherHead,
};
use crate::plan::run::{HiddenDistance, HiddenLoss, HiddenState, StateForm};

/// A hidden term in hand.
pub(super) struct HiddenTerm<'a, D: Ops> {
    pub name: &'a str,
    pub loss: HiddenLoss<'a>,
    pub step: u64,
    /// τ, if it has one; else 1.
    pub temperature: f64,
    pub auxiliary: &'a Auxiliary<D>,
    /// What reads tokens of the student's states, and of the teacher's.
    pub readers: [Reader<'a, D>; 2],
}

/// A student's state and what it is matched with; where attention is compared, what that is made
/// of stands for the state.
pub(super) struct StatePair<D: Ops> {
    pub own: HiddenState,
    pub student: Mat<D>,
    /// Of the student's attention, where it is compared.
    pub form: Option<AttentionForm>,
    pub matched: Matched,
}

impl<D: Ops> StatePair<D> {
    /// The student's side of a pair, from what its pass kept.
    pub fn new(
        loss: HiddenLoss,
        own: HiddenState,
        matched: Matched,
        student: &HiddenStates<D>,
    ) -> Self {
        let (state, form) = if loss.distance == HiddenDistance::Attention {
            let kept = &student.attention[&own];
            (&kept.qkv, Some(kept.form))
        } else {
            (student.state(own), None)
        };
        Self {
            own,
            student: state.clone(),
            form,
            matched,
        }
    }
}

impl Objective {
    /// One term on one pair.
    pub(super) fn pair_loss<D: Ops, T: Tape<f32, D>>(
        &self,
        term: &HiddenTerm<D>,
        pair: &StatePair<D>,
        x: Mat<D, T>,
        target: MatchedTarget<D>,
    ) -> (Scalar<D, T>, D::Value) {
        let (name, own, step) = (term.name, pair.own, term.step);
        let MatchedTarget {
            state: target,
            form: of_teacher,
            ..
        } = target;
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
            HiddenDistance::Attention => {
                let (form, of_teacher) = pair
                    .form
                    .zip(of_teacher)
                    .expect("a pair of layers has its attention");
                D::attention_kl(x, form, &shuffled(target), of_teacher)
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
