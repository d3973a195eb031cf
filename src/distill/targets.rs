//! What a state of the student is compared with: a state of the teacher or several, prepared as the
//! term asks for it, its tokens in the order that the map says.

use super::objective::Objective;
use super::pairs::Matched;
use crate::model::HiddenStates;
use crate::ops::{AttentionForm, Mat, Ops, STANDARDIZE_EPSILON};
use crate::plan::run::{HiddenDistance, HiddenLoss, HiddenState, StateForm, TokenPairing};
use crate::random::{Purpose, Stream};

/// A target, and the mean entropy of the weights that made it.
pub(super) struct MatchedTarget<D: Ops> {
    pub state: Mat<D>,
    pub entropy: Option<D::Value>,
    /// Of the teacher's attention, where that is compared.
    pub form: Option<AttentionForm>,
}

impl Objective {
    /// The target for a state whose features are P h_s, each token in its own place.
    pub(super) fn target<D: Ops>(
        &self,
        loss: HiddenLoss,
        matched: &Matched,
        teacher: &HiddenStates<D>,
        features: impl FnOnce() -> Mat<D>,
    ) -> MatchedTarget<D> {
        if loss.distance == HiddenDistance::Attention {
            let kept = &teacher.attention[&matched.states()[0]];
            return MatchedTarget {
                state: kept.qkv.clone(),
                entropy: None,
                form: Some(kept.form),
            };
        }
        let prepared = |&state: &HiddenState| prepared(loss.states, teacher.state(state));
        let all: Vec<Mat<D>> = matched.states().iter().map(prepared).collect();
        let parts: Vec<&Mat<D>> = all.iter().collect();
        let (state, entropy) = match matched {
            Matched::One(_) => (parts[0].clone(), None),
            Matched::Mean(_) => (D::mean_of(&parts), None),
            Matched::Attended(_) => {
                let (state, entropy) = D::attended(&features(), &parts);
                (state, Some(entropy))
            }
            Matched::Transported(_) => unreachable!("each pair of layers is taken by itself"),
        };
        MatchedTarget {
            state,
            entropy,
            form: None,
        }
    }

    /// The target with its tokens permuted, where the map says so: the same permutation for every
    /// pair, term and micro-batch of a step.
    pub(super) fn shuffled<D: Ops>(&self, step: u64, target: Mat<D>) -> Mat<D> {
        match self.matching.tokens() {
            TokenPairing::Paired => target,
            TokenPairing::Shuffled => {
                let count = target.shape().0;
                let order = Stream::of(self.seed, Purpose::TokenOrder, step).permutation(count);
                D::pick_rows(&target, &order)
            }
        }
    }
}

/// h_t, standardised where the term asks for it.
fn prepared<D: Ops>(states: StateForm, teacher: &Mat<D>) -> Mat<D> {
    match states {
        StateForm::Raw => teacher.clone(),
        StateForm::Layernorm => D::standardize(teacher.clone(), STANDARDIZE_EPSILON),
    }
}
