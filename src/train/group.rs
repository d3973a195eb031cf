//! The loop: it advances one or many runs together, so that they share each batch and one forward
//! pass of the teacher.
//!
//! Members of a group share the data, its order, the batch and the teacher. A member's result is
//! the same bits alone or in any group. Members that resumed at different steps catch up with each
//! other: those that are furthest behind always go first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::balancing::balance_members;
use super::corpus::{Corpus, epoch, micro_batch};
use super::judging::judge_critics;
use super::member::{Member, guarded};
use super::memory::give_back_memory;
use super::micro_batch::MicroBatch;
use super::phases::Lap;
use crate::distill::{NamedValues, TeacherOutputs};
use crate::model::{Gpt2, ToKeep};
use crate::ops::Ops;
use crate::plan::run::TrainSpec;

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
    pub rows: Vec<(usize, &'a NamedValues)>,
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
    D::on_a_worker(|| advance_all(members, teacher, corpus, control));
}

fn advance_all<D: Ops>(
    members: &mut [Member<D>],
    teacher: Option<&Gpt2<D>>,
    corpus: Corpus,
    control: &Control,
) {
    while let Some(step) = least_step(members) {
        if control.stop.load(Ordering::Relaxed) {
            members
                .iter_mut()
                .filter(|member| member.is_active())
                .for_each(Member::interrupt);
            return;
        }
        if let Some(teacher) = teacher {
            balance_members(members, step, teacher, corpus);
        }
        let started = Instant::now();
        let mut advancing: Vec<(usize, &mut Member<D>)> = members
            .iter_mut()
            .enumerate()
            .filter(|(_, member)| member.is_at(step))
            .collect();
        if advancing.is_empty() {
            // None could be balanced.
            continue;
        }
        let shared = advancing[0].1.job.train.clone();
        let tokens = advancing[0].1.job.tokens_per_step();
        advance(&mut advancing, &shared, step, teacher, corpus);

        let mut advanced: Vec<(usize, &mut Member<D>, Option<NamedValues>)> = advancing
            .into_iter()
            .map(|(index, member)| (index, member, None))
            .collect();
        take_steps(&mut advanced, teacher, corpus);
        let seconds = started.elapsed().as_secs_f64();
        let seen = advanced
            .iter()
            .filter_map(|(index, _, row)| row.as_ref().map(|row| (*index, row)))
            .collect();
        (control.progress)(&Progress {
            step: step + 1,
            rows: seen,
            tokens,
            seconds,
        });
        D::side_by_side(&mut advanced, |(_, member, row)| {
            if let Some(row) = row.take() {
                guarded(member, |member| {
                    member.finish_step(row, corpus.validation, started)
                });
            }
        });
    }
}

/// Asks for what all members have found, waits for it, then takes their steps; the last rows also
/// say what critics make of other tokens.
fn take_steps<D: Ops>(
    advanced: &mut [(usize, &mut Member<D>, Option<NamedValues>)],
    teacher: Option<&Gpt2<D>>,
    corpus: Corpus,
) {
    D::side_by_side(advanced, |(_, member, _)| guarded(member, Member::ask));
    D::side_by_side(advanced, |(_, member, _)| guarded(member, Member::wait));
    D::side_by_side(advanced, |(_, member, row)| {
        guarded(member, |member| *row = member.take_step())
    });
    let Some(teacher) = teacher else { return };
    D::side_by_side(advanced, |(_, member, row)| {
        if let Some(row) = row
            .as_mut()
            .filter(|_| member.is_at(member.job.train.steps))
        {
            guarded(member, |member| {
                row.extend(judge_critics(member, teacher, corpus));
            });
        }
    });
}

/// Steps done by the active members that have done the fewest.
fn least_step<D: Ops>(members: &[Member<D>]) -> Option<u64> {
    let active = members.iter().filter(|member| member.is_active());
    active.map(|member| member.state.step).min()
}

/// Every micro-batch of a step through the teacher once, then through every member.
fn advance<D: Ops>(
    advancing: &mut [(usize, &mut Member<D>)],
    shared: &TrainSpec,
    step: u64,
    teacher: Option<&Gpt2<D>>,
    corpus: Corpus,
) {
    let epoch = epoch(corpus.order, shared, step);
    advancing
        .iter_mut()
        .for_each(|(_, member)| member.begin_step(epoch));
    let needs_teacher = advancing
        .iter()
        .any(|(_, member)| member.job.objective.needs_teacher());
    let comparing = advancing
        .iter()
        .filter(|(_, member)| member.job.objective.compares_logits())
        .count();
    let wishes = advancing.iter();
    let keep = ToKeep::all_of(wishes.filter_map(|(_, member)| member.kept_of_teacher()));
    for index in 0..shared.accumulate {
        let batch = micro_batch(corpus, shared, step, index);
        let mut lap = Lap::start();
        let states = teacher.filter(|_| needs_teacher).map(|teacher| {
            (
                teacher.infer_keeping(&batch.inputs, shared.context, &keep),
                teacher.reader(),
            )
        });
        let mut teacher = states
            .as_ref()
            .map(|(states, reader)| TeacherOutputs::new(states, *reader));
        let logits = teacher
            .filter(|_| comparing > 1)
            .and_then(|teacher| D::share_logits(&teacher.states.last, teacher.reader.head));
        if let Some(teacher) = &mut teacher {
            teacher.logits = logits.as_ref();
        }
        let seconds = lap.seconds();
        let micro = MicroBatch {
            index,
            inputs: &batch.inputs,
            targets: &batch.targets,
            teacher,
        };
        D::side_by_side(advancing, |(_, member)| {
            member.phases.teacher += seconds;
            guarded(member, |member| member.add_micro_batch(&micro));
        });
    }
}
