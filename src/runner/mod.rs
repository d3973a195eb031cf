//! Runs a plan: what is done already, data, teacher, groups of runs, evaluation, publication.
//!
//! Entry point: [`run`]. The queue (here) decides what is left to do and in which groups; [`group`] wires one group from data to record; [`teacher`] has the teacher trained or read.
//! A run that fails leaves its work behind and the others alone.

mod cache;
mod evaluation;
mod event;
mod group;
mod inputs;
mod sink;
mod study;
mod teacher;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::data::{self, Prepared};
use crate::record::{self, RunState, layout::Layout};
use crate::spec::{Plan, PlannedRun};

pub use cache::cache_folder;
pub use event::{Event, Observer, Silent};
pub use inputs::LocalInputs;
pub use study::study;

/// Where a study works, and how it is stopped.
pub struct Site<'a> {
    pub layout: Layout,
    /// Tokenized corpora and trained teachers.
    pub cache: PathBuf,
    pub stop: &'a AtomicBool,
    pub observer: &'a dyn Observer,
}

impl Site<'_> {
    fn tell(&self, event: &Event) {
        self.observer.event(event);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Published and evaluated, now or before.
    Good,
    /// Published as diverged, now or before.
    Diverged { reason: String },
    /// To be tried again: an error outside the run.
    Failed { error: String },
    /// Held by another process.
    Held { owner: String },
    /// Stopped by the user.
    Interrupted,
}

/// Runs what is left of the runs at `selected` indices of the plan, and tells how each of them ended.
///
/// `lock.toml` always names the whole grid. Nothing is read or prepared where everything is finished.
///
/// # Errors
/// A results folder that cannot be written, or inputs that cannot be read: nothing could be run.
pub fn run(plan: &Plan, selected: &[usize], command: &str, site: &Site) -> Result<BTreeMap<usize, Ending>> {
    record::write_study(&site.layout, &study(plan, command)).context("the results folder cannot be written")?;
    let mut endings = BTreeMap::new();
    let mut open = Vec::new();
    for &index in selected {
        match done(&plan.runs[index], site)? {
            Some(ending) => drop(endings.insert(index, ending)),
            None => open.push(index),
        }
    }
    site.tell(&Event::Skipped { runs: endings.len() });

    let mut prepared: BTreeMap<String, Prepared> = BTreeMap::new();
    for (teacher_key, indices) in by_key(&open, |index| plan.runs[index].teacher_key.clone()) {
        let first = &plan.runs[indices[0]];
        let data_key = format!("{:?} {:?}", first.spec.dataset, first.spec.tokenizer);
        if !prepared.contains_key(&data_key) {
            let ready = data::prepare(&first.spec.dataset, &first.spec.tokenizer, &site.cache, &|text| site.tell(&Event::Stage(text)))?;
            prepared.insert(data_key.clone(), ready);
        }
        let corpus = &prepared[&data_key];
        let Some(teacher) = teacher::obtain(first, &teacher_key, corpus, site)? else { break };
        for (_, members) in by_key(&indices, |index| plan.runs[index].group_key.clone()) {
            for part in group::parts(plan, &members) {
                if site.stopped() {
                    break;
                }
                endings.extend(group::run(plan, &part, &teacher, corpus, site)?);
            }
        }
    }
    for &index in selected {
        endings.entry(index).or_insert(Ending::Interrupted);
    }
    Ok(endings)
}

/// How a run that needs nothing any more ended.
fn done(run: &PlannedRun, site: &Site) -> Result<Option<Ending>> {
    Ok(match record::run_state(&site.layout, &run.id)? {
        RunState::Diverged(failure) => Some(Ending::Diverged { reason: failure.reason }),
        RunState::Published => {
            let evaluated = record::has_evaluation(&site.layout.run(&run.id), &run.evaluation_key)
                && record::has_evaluation(&site.layout.teacher(&run.teacher_key), &run.teacher_evaluation_key);
            evaluated.then_some(Ending::Good)
        }
        RunState::Absent => None,
    })
}

/// Indices by a key of theirs, in the order of first appearance.
fn by_key(indices: &[usize], key: impl Fn(usize) -> String) -> Vec<(String, Vec<usize>)> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for &index in indices {
        let key = key(index);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(index),
            None => groups.push((key, vec![index])),
        }
    }
    groups
}
