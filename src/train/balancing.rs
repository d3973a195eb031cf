//! The balance of the members: before their first step, and again where they ask for it.

use super::corpus::{Corpus, epoch, micro_batch};
use super::member::{Member, TrainOutcome, guarded};
use crate::data::Batch;
use crate::distill::StepSettings;
use crate::distill::balance::{BalanceBatch, balance};
use crate::model::{Gpt2, HiddenStates, ToKeep};
use crate::ops::Ops;
use crate::plan::run::{BalanceSpec, Term};

/// A member that is to be balanced.
struct BalancedMember<'a, D: Ops> {
    member: &'a mut Member<D>,
    /// Micro-batches that are looked at.
    batches: usize,
    /// The term that the others are brought to.
    reference: String,
    settings: StepSettings,
}

/// Balances the members that have done `step` steps and are due for it, on the same micro-batches
/// and the same states of the teacher. All of it follows from the step and the state, so that a
/// run which goes on from a checkpoint is balanced as one that never stopped.
pub(super) fn balance_members<D: Ops>(
    members: &mut [Member<D>],
    step: u64,
    teacher: &Gpt2<D>,
    corpus: Corpus,
) {
    let mut due: Vec<BalancedMember<D>> = members
        .iter_mut()
        .filter(|member| member.is_at(step))
        .filter_map(|member| {
            let epoch = epoch(corpus.order, &member.job.train, step);
            to_balance(member, epoch)
        })
        .collect();
    let Some(batches) = due.iter().map(|one| one.batches).max() else {
        return;
    };
    let shared = due[0].member.job.train.clone();
    let keep = ToKeep::all_of(due.iter().map(|one| {
        let objective = &one.member.job.objective;
        objective.kept_of_teacher(&one.settings)
    }));
    let seen: Vec<(Batch, HiddenStates<D>)> = (0..batches)
        .map(|index| {
            // Those that training goes on with.
            let later = (index / shared.accumulate) as u64;
            let batch = micro_batch(corpus, &shared, step + later, index % shared.accumulate);
            let states = teacher.infer_keeping(&batch.inputs, shared.context, &keep);
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
    D::side_by_side(&mut due, |one| {
        let samples = &samples[..one.batches];
        let (reference, settings) = (&one.reference, &one.settings);
        guarded(one.member, |member| {
            balance_member(member, reference, settings, teacher, samples)
        })
    });
}

/// The member, if it is balanced before the step that it is at, which lies in `epoch`.
fn to_balance<D: Ops>(member: &mut Member<D>, epoch: u64) -> Option<BalancedMember<'_, D>> {
    if !member.job.objective.terms.values().any(Term::is_hidden) {
        return None;
    }
    let step = member.state.step;
    match member.job.balance.clone() {
        BalanceSpec::None => None,
        BalanceSpec::Gradient {
            batches,
            reference,
            every,
        } => {
            let is_due = step == 0 || every.is_some_and(|every| step.is_multiple_of(every));
            is_due.then(|| BalancedMember {
                settings: member.job.objective.at(step, epoch),
                member,
                batches,
                reference,
            })
        }
    }
}

fn balance_member<D: Ops>(
    member: &mut Member<D>,
    reference: &str,
    settings: &StepSettings,
    teacher: &Gpt2<D>,
    samples: &[BalanceBatch<D>],
) {
    let (job, state) = (&member.job, &mut member.state);
    let balanced = balance(
        &job.objective,
        settings,
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
                step: settings.step,
                reason: unbalanced.to_string(),
            });
        }
    }
}
