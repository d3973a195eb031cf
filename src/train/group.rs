//! The loop: it advances one or many runs together, so that they share each batch and one forward
//! pass of the teacher.
//!
//! Members of a group share the data, its order, the batch and the teacher. A member's result is
//! the same bits alone or in any group. Members that resumed at different steps catch up with each
//! other: every turn advances those that are furthest behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::member::{Member, Micro, TrainOutcome, Values};
use super::memory::give_back_memory;
use super::phases::Lap;
use crate::data::{Order, batch};
use crate::distill::Lesson;
use crate::distill::balance::{BalanceBatch, balance};
use crate::model::{Gpt2, HiddenStates};
use crate::ops::{Ops, on_a_worker, side_by_side};
use crate::panics::panic_as_defect;
use crate::plan::run::{BalanceSpec, HiddenState, TrainSpec};

/// The tokens that a group trains and validates on.
#[derive(Debug, Clone, Copy)]
pub struct Corpus<'a> {
    pub train: &'a [u32],
    pub validation: &'a [u32],
    pub order: &'a Order,
}

/// How the loop hears from outside, and is heard.
pub struct Control<'a> {
    /// Set to stop after the step in hand, with everything saved.
    pub stop: &'a AtomicBool,
    pub progress: &'a (dyn Fn(&Progress) + Sync),
}

/// A step that is done.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Steps done by the members that just advanced.
    pub step: u64,
    /// By index in the group: the row of every member that just advanced.
    pub rows: Vec<(usize, &'a Values)>,
    /// Tokens that each of them predicted in this step.
    pub tokens: u64,
    pub seconds: f64,
}

/// Trains until every member has an outcome. `teacher` is asked for where any member's objective
/// needs one.
pub fn train<D: Ops>(
    members: &mut [Member<D>],
    teacher: Option<&Gpt2<D>>,
    corpus: Corpus,
    control: &Control,
) {
    give_back_memory();
    on_a_worker(|| advance_all(members, teacher, corpus, control));
}

fn advance_all<D: Ops>(
    members: &mut [Member<D>],
    teacher: Option<&Gpt2<D>>,
    corpus: Corpus,
    control: &Control,
) {
    prepare(members, teacher, corpus);
    loop {
        let Some(step) = members
            .iter()
            .filter(|member| member.is_active())
            .map(|member| member.state.step)
            .min()
        else {
            return;
        };
        if control.stop.load(Ordering::Relaxed) {
            members
                .iter_mut()
                .filter(|member| member.is_active())
                .for_each(Member::interrupt);
            return;
        }
        let started = Instant::now();
        let mut turn: Vec<(usize, &mut Member<D>)> = members
            .iter_mut()
            .enumerate()
            .filter(|(_, member)| member.is_active() && member.state.step == step)
            .collect();
        let shared = turn[0].1.job.train.clone();
        let tokens = turn[0].1.job.tokens_per_step();
        advance(&mut turn, &shared, step, teacher, corpus);

        let mut turn: Vec<(usize, &mut Member<D>, Option<Values>)> = turn
            .into_iter()
            .map(|(index, member)| (index, member, None))
            .collect();
        side_by_side(&mut turn, |(_, member, row)| {
            guarded(member, |member| *row = member.update())
        });
        let seconds = started.elapsed().as_secs_f64();
        let seen = turn
            .iter()
            .filter_map(|(index, _, row)| row.as_ref().map(|row| (*index, row)))
            .collect();
        (control.progress)(&Progress {
            step: step + 1,
            rows: seen,
            tokens,
            seconds,
        });
        side_by_side(&mut turn, |(_, member, row)| {
            if let Some(row) = row.take() {
                guarded(member, |member| {
                    member.finish(row, corpus.validation, started)
                });
            }
        });
    }
}

/// Every micro-batch of a step through the teacher once, then through every member.
fn advance<D: Ops>(
    turn: &mut [(usize, &mut Member<D>)],
    shared: &TrainSpec,
    step: u64,
    teacher: Option<&Gpt2<D>>,
    corpus: Corpus,
) {
    let epoch = epoch(corpus.order, shared, step);
    turn.iter_mut().for_each(|(_, member)| member.begin(epoch));
    let needs_teacher = turn
        .iter()
        .any(|(_, member)| member.job.objective.needs_teacher());
    let comparing = turn
        .iter()
        .filter(|(_, member)| member.job.objective.compares_logits())
        .count();
    let mut keep: Vec<HiddenState> = turn
        .iter()
        .flat_map(|(_, member)| member.teacher_states())
        .collect();
    keep.sort_unstable();
    keep.dedup();
    for index in 0..shared.accumulate {
        let batch = batch(
            corpus.train,
            corpus.order,
            shared.batch,
            shared.accumulate,
            step,
            index,
        );
        let mut lap = Lap::start();
        let states = teacher.filter(|_| needs_teacher).map(|teacher| {
            (
                teacher.infer(&batch.inputs, shared.context, &keep),
                teacher.head(),
            )
        });
        let mut lesson = states
            .as_ref()
            .map(|(states, head)| Lesson::new(states, *head));
        let logits = lesson
            .filter(|_| comparing > 1)
            .and_then(|lesson| D::share_logits(&lesson.states.last, lesson.head));
        if let Some(lesson) = &mut lesson {
            lesson.logits = logits.as_ref();
        }
        let seconds = lap.seconds();
        let micro = Micro {
            index,
            inputs: &batch.inputs,
            targets: &batch.targets,
            teacher: lesson,
        };
        side_by_side(turn, |(_, member)| {
            member.phases.teacher += seconds;
            guarded(member, |member| member.micro(&micro));
        });
    }
}

/// Balances the members that start from the beginning.
fn prepare<D: Ops>(members: &mut [Member<D>], teacher: Option<&Gpt2<D>>, corpus: Corpus) {
    let Some(teacher) = teacher else { return };
    let mut fresh: Vec<(&mut Member<D>, usize, String)> = Vec::new();
    for member in members
        .iter_mut()
        .filter(|member| member.is_active() && member.state.step == 0)
    {
        if let BalanceSpec::Gradient { batches, reference } = member.job.balance.clone()
            && member
                .job
                .objective
                .terms
                .values()
                .any(crate::plan::run::Term::is_hidden)
        {
            fresh.push((member, batches, reference));
        }
    }
    let Some(batches) = fresh.iter().map(|&(_, batches, _)| batches).max() else {
        return;
    };
    let shared = fresh[0].0.job.train.clone();
    let mut keep: Vec<HiddenState> = Vec::new();
    for (member, _, _) in &fresh {
        keep.extend(
            member
                .job
                .objective
                .at(0, 0)
                .pairs
                .iter()
                .map(|&(_, teacher)| teacher),
        );
    }
    keep.sort_unstable();
    keep.dedup();
    let seen: Vec<(crate::data::Batch, HiddenStates<D>)> = (0..batches)
        .map(|index| {
            let (step, micro) = (
                (index / shared.accumulate) as u64,
                index % shared.accumulate,
            );
            let batch = batch(
                corpus.train,
                corpus.order,
                shared.batch,
                shared.accumulate,
                step,
                micro,
            );
            let states = teacher.infer(&batch.inputs, shared.context, &keep);
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
    side_by_side(&mut fresh, |(member, batches, reference)| {
        guarded(member, |member| {
            let moment = member.job.objective.at(0, 0);
            let (objective, state) = (&member.job.objective, &mut member.state);
            let (student, auxiliary) = (&state.student, &mut state.auxiliary);
            match balance(
                objective,
                &moment,
                reference,
                student,
                auxiliary,
                teacher.head(),
                shared.context,
                &samples[..*batches],
            ) {
                Ok(factors) => state.balance = factors,
                Err(unbalanced) => {
                    member.outcome = Some(TrainOutcome::Diverged {
                        step: 0,
                        reason: unbalanced.to_string(),
                    })
                }
            }
        })
    });
}

/// Does a member's part of the work, unless it has left the group. If it panics it leaves, and the
/// others go on.
fn guarded<D: Ops>(member: &mut Member<D>, work: impl FnOnce(&mut Member<D>)) {
    if member.is_active()
        && let Err(error) = panic_as_defect(|| {
            work(member);
            Ok(())
        })
    {
        member.outcome = Some(TrainOutcome::Failed(error));
    }
}

/// The epoch of the first window of a step.
fn epoch(order: &Order, train: &TrainSpec, step: u64) -> u64 {
    order.epoch(step * (train.batch * train.accumulate) as u64)
}
