//! Before the first step: the balance of the members that start from the beginning.

use super::corpus::{Corpus, micro_batch};
use super::member::{Member, TrainOutcome, guarded};
use crate::data::Batch;
use crate::distill::balance::{BalanceBatch, balance};
use crate::model::{Gpt2, HiddenStates};
use crate::ops::Ops;
use crate::plan::run::{BalanceSpec, HiddenState, Term};

/// A member that is to be balanced.
struct BalancedMember<'a, D: Ops> {
    member: &'a mut Member<D>,
    /// Micro-batches that are looked at.
    batches: usize,
    /// The term that the others are brought to.
    reference: String,
}

/// Balances the members that have not taken a step, on the same micro-batches and the same states
/// of the teacher.
pub(super) fn balance_members<D: Ops>(
    members: &mut [Member<D>],
    teacher: &Gpt2<D>,
    corpus: Corpus,
) {
    let mut fresh: Vec<BalancedMember<D>> = members.iter_mut().filter_map(to_balance).collect();
    let Some(batches) = fresh.iter().map(|one| one.batches).max() else {
        return;
    };
    let shared = fresh[0].member.job.train.clone();
    let states = teacher_states(&fresh);
    let seen: Vec<(Batch, HiddenStates<D>)> = (0..batches)
        .map(|index| {
            // Those that training begins with.
            let step = (index / shared.accumulate) as u64;
            let batch = micro_batch(corpus, &shared, step, index % shared.accumulate);
            let states = teacher.infer(&batch.inputs, shared.context, &states);
            (batch, states)
        })
        .collect();
    let samples: Vec<BalanceBatch<D>> = seen
        .iter()
        .map(|(batch, teacher)| BalanceBatch {
            inputs: &batch.inputs,
            targets: &batch.targets,
            teacher,
        })
        .collect();
    D::side_by_side(&mut fresh, |one| {
        let (samples, reference) = (&samples[..one.batches], &one.reference);
        guarded(one.member, |member| {
            balance_member(member, reference, teacher, samples)
        })
    });
}

fn to_balance<D: Ops>(member: &mut Member<D>) -> Option<BalancedMember<'_, D>> {
    let is_fresh = member.is_active() && member.state.step == 0;
    let mut terms = member.job.objective.terms.values();
    if !is_fresh || !terms.any(Term::is_hidden) {
        return None;
    }
    match member.job.balance.clone() {
        BalanceSpec::None => None,
        BalanceSpec::Gradient { batches, reference } => Some(BalancedMember {
            member,
            batches,
            reference,
        }),
    }
}

/// The teacher's states that any of the members compares at its first step.
fn teacher_states<D: Ops>(fresh: &[BalancedMember<D>]) -> Vec<HiddenState> {
    let mut states: Vec<HiddenState> = fresh
        .iter()
        .flat_map(|one| one.member.job.objective.at(0, 0).pairs)
        .flat_map(|(_, matched)| matched.states().to_vec())
        .collect();
    states.sort_unstable();
    states.dedup();
    states
}

fn balance_member<D: Ops>(
    member: &mut Member<D>,
    reference: &str,
    teacher: &Gpt2<D>,
    samples: &[BalanceBatch<D>],
) {
    let (job, state) = (&member.job, &mut member.state);
    let balanced = balance(
        &job.objective,
        &job.objective.at(0, 0),
        reference,
        &state.student,
        &mut state.auxiliary,
        teacher.reader(),
        job.train.context,
        samples,
    );
    match balanced {
        Ok(factors) => state.balance = factors,
        Err(unbalanced) => {
            member.outcome = Some(TrainOutcome::Diverged {
                step: 0,
                reason: unbalanced.to_string(),
            });
        }
    }
}
