//! After the last step: what a member's critics say of tokens that they were not trained on.

use super::corpus::{Corpus, epoch, micro_batch};
use super::member::Member;
use crate::distill::{NamedValues, StatesOfBoth};
use crate::model::Gpt2;
use crate::ops::{NoneTape, Ops};
use crate::plan::run::Term;

/// Micro-batches that critics are judged on, and as many that they go on with.
const BATCHES: usize = 8;
/// Updates that a copy of a critic goes on for at most: no more than it had in the training.
const FURTHER_UPDATES: u64 = 500;

/// By column, of a member that has taken its last step: the estimates of its critics on the
/// validation split, as they are and after further updates on training text while both models
/// stand. Nothing where it has no critics, or the split no whole window.
pub(super) fn judge_critics<D: Ops>(
    member: &Member<D>,
    teacher: &Gpt2<D>,
    corpus: Corpus,
) -> NamedValues {
    let (job, state) = (&member.job, &member.state);
    let critics = job.objective.terms.values().filter_map(Term::critic);
    let Some(updates) = critics.map(|critic| critic.steps as u64).max() else {
        return NamedValues::new();
    };
    let (train, step) = (&job.train, state.step);
    let windows = corpus.validation.len() / train.context;
    if windows == 0 {
        return NamedValues::new();
    }
    // Of the last step that was taken: a redraw that would come next was never trained.
    let last = step.saturating_sub(1);
    let settings = job.objective.at(last, epoch(corpus.order, train, last));
    let of_both = |tokens: &[u32]| {
        let (own, other) = (
            job.objective.kept_of_student(&settings),
            job.objective.kept_of_teacher(&settings),
        );
        let student = &state.student;
        StatesOfBoth {
            student: student.forward_keeping(NoneTape, tokens, train.context, &own),
            teacher: teacher.infer_keeping(tokens, train.context, &other),
        }
    };
    let training: Vec<StatesOfBoth<D>> = (0..BATCHES)
        .map(|index| {
            let later = step + (index / train.accumulate) as u64;
            let batch = micro_batch(corpus, train, later, index % train.accumulate);
            of_both(&batch.inputs)
        })
        .collect();
    // Spread over the split.
    let count = windows.min(BATCHES * train.batch);
    // Of whole micro-batches, where there is one: each counts the same.
    let count = (count - count % train.batch).max(count.min(train.batch));
    let starts = (0..count).map(|index| index * windows / count * train.context);
    let held_out: Vec<u32> = starts
        .flat_map(|start| &corpus.validation[start..start + train.context])
        .copied()
        .collect();
    let held_out: Vec<StatesOfBoth<D>> = held_out
        .chunks(train.batch * train.context)
        .map(of_both)
        .collect();
    let updates = (updates * train.steps).min(FURTHER_UPDATES) as usize;
    let found =
        job.objective
            .judge_critics(&settings, &state.auxiliary, &training, &held_out, updates);
    let finite = found.into_iter().filter(|(_, value)| value.is_finite());
    finite.collect()
}
