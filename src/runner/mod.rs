//! Runs a plan: what is done already, data, teacher, groups of runs, evaluation, publication.
//!
//! Entry point: [`run`]. The queue (here) decides what is left to do and in which groups; `group`
//! wires one group from data to record; `teacher` has the teacher trained or read. A run that fails
//! leaves its work behind and the others alone.

mod bench;
mod bench_use;
mod cache;
mod card;
mod evaluation;
mod event;
mod folder;
mod group;
mod inputs;
mod limits;
mod probe;
mod sink;
mod standalone;
mod study;
mod teacher;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::data::{self, Prepared};
use crate::hub::{Hub, Repo};
use crate::ops::{Backend, Native};
use crate::panics::panic_as_defect;
use crate::plan::run::{PrecisionSpec, TeacherSpec};
use crate::plan::{NUMERICS_VERSION, Plan, PlannedRun};
use crate::record::layout::Layout;
use crate::record::{self, About, Depth, Failure, RunState, has_evaluation, run_state};
use crate::train::Progress;

pub use bench::{Measured, Phase, bench, middling};
pub use cache::cache_folder;
pub use event::{Event, Observer, Silent, news_to};
pub use inputs::{StudyInputs, pins_from_lock};
pub use limits::{MEMORY_SETTING, check_limits, disk_of};
pub use probe::{plain_product, training_flops_per_second};
pub use standalone::{GeneratedText, OneModel, TextScore};
pub use study::study;

/// Where a study works, and how it is stopped.
pub struct Site<'a> {
    pub layout: Layout,
    /// Tokenized corpora and trained teachers.
    pub cache: PathBuf,
    pub hub: &'a Hub<'a>,
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

    /// Passes the loop's progress on.
    fn progress(&self) -> impl Fn(&Progress) + Sync {
        |progress: &Progress| {
            if let Some((_, values)) = progress.rows.first() {
                self.tell(&Event::Step {
                    step: progress.step,
                    values,
                    tokens: progress.tokens,
                    seconds: progress.seconds,
                });
            }
        }
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
    /// Stopped by the user, or not reached.
    Interrupted,
}

/// Runs what is left of the runs at `selected` indices of the plan, and tells how each of them
/// ended.
///
/// `lock.toml` always names the whole grid. Nothing is read or prepared where everything is
/// finished.
///
/// # Errors
/// A results folder that cannot be written.
pub fn run(
    plan: &Plan,
    selected: &[usize],
    command: &str,
    site: &Site,
) -> Result<BTreeMap<usize, Ending>> {
    if let Some(words) = record::set_damaged_study_aside(&site.layout)
        .context("the results folder cannot be used")?
    {
        site.tell(&Event::Notice(&words));
    }
    record::write_study(&site.layout, &study(plan, command, site.hub))
        .context("the results folder cannot be used")?;
    record::sweep(&site.layout)?;
    let mut endings = BTreeMap::new();
    let mut open = Vec::new();
    for &index in selected {
        match done(&plan.runs[index], site)? {
            Some(ending) => drop(endings.insert(index, ending)),
            None => open.push(index),
        }
    }
    site.tell(&Event::Skipped {
        runs: endings.len(),
    });
    fetch_teachers(plan, &mut open, site, &mut endings);
    let data_key = |index: usize| {
        format!(
            "{:?} {:?}",
            plan.runs[index].spec.dataset, plan.runs[index].spec.tokenizer
        )
    };
    for (_, indices) in by_key(&open, data_key) {
        let spec = &plan.runs[indices[0]].spec;
        let say = |text: &str| site.tell(&Event::Stage(text));
        let prepared = panic_as_defect(|| {
            data::prepare(
                &spec.dataset,
                &spec.tokenizer,
                site.hub,
                &site.cache.join("corpora"),
                &say,
            )
        });
        match prepared {
            Ok(corpus) => run_on(plan, &indices, &corpus, site, &mut endings),
            // Stopped while it was fetched.
            Err(_) if site.stopped() => {}
            Err(error) => fail_all(plan, &indices, &error, site, &mut endings),
        }
        if site.stopped() {
            break;
        }
    }
    for &index in selected {
        endings.entry(index).or_insert(Ending::Interrupted);
    }
    Ok(endings)
}

/// Fetches every teacher of the hub that open runs need, before hours go into anything else. Runs
/// whose teacher cannot be had are open no more.
fn fetch_teachers(
    plan: &Plan,
    open: &mut Vec<usize>,
    site: &Site,
    endings: &mut BTreeMap<usize, Ending>,
) {
    for (_, indices) in by_key(open, |index| format!("{:?}", plan.runs[index].spec.teacher)) {
        let TeacherSpec::Hub { repo, revision, .. } = &plan.runs[indices[0]].spec.teacher else {
            continue;
        };
        match site.hub.weights(&Repo::model(repo, revision)) {
            Ok(_) => {}
            Err(_) if site.stopped() => return,
            Err(error) => {
                fail_all(plan, &indices, &error, site, endings);
                open.retain(|index| !indices.contains(index));
            }
        }
    }
}

/// Runs of one corpus, teacher by teacher, group by group.
fn run_on(
    plan: &Plan,
    indices: &[usize],
    corpus: &Prepared,
    site: &Site,
    endings: &mut BTreeMap<usize, Ending>,
) {
    for (_, indices) in by_key(indices, |index| plan.runs[index].teacher_key.clone()) {
        let first = &plan.runs[indices[0]];
        let teacher = panic_as_defect(|| {
            let teacher = teacher::obtain(first, corpus, site)?;
            if let Some(teacher) = &teacher {
                teacher.evaluate(first, corpus, site)?;
            }
            Ok(teacher)
        });
        let teacher = match teacher {
            Ok(Some(teacher)) => teacher,
            Ok(None) => return,
            Err(_) if site.stopped() => return,
            Err(error) => {
                fail_all(plan, &indices, &error, site, endings);
                continue;
            }
        };
        for (_, members) in by_key(&indices, |index| plan.runs[index].group_key.clone()) {
            for part in group::parts(plan, &members) {
                if site.stopped() {
                    return;
                }
                match panic_as_defect(|| Ok(group::run(plan, &part, &teacher, corpus, site))) {
                    Ok(own) => endings.extend(own),
                    Err(error) => fail_all(plan, &part, &error, site, endings),
                }
            }
        }
    }
}

fn fail_all(
    plan: &Plan,
    indices: &[usize],
    error: &anyhow::Error,
    site: &Site,
    endings: &mut BTreeMap<usize, Ending>,
) {
    let error = format!("{error:#}");
    for &index in indices {
        let run = &plan.runs[index];
        site.tell(&Event::Failed {
            id: &run.id,
            label: &run.label,
            error: &error,
        });
        endings.insert(
            index,
            Ending::Failed {
                error: error.clone(),
            },
        );
    }
}

/// How a run that needs nothing any more ended.
fn done(run: &PlannedRun, site: &Site) -> Result<Option<Ending>> {
    let (own, teacher) = (
        site.layout.run(&run.id),
        site.layout.teacher(&run.teacher_key),
    );
    let evaluations = [
        own.evaluation(&run.evaluation_key),
        teacher.evaluation(&run.teacher_evaluation_key),
    ];
    for folder in [own.root, teacher.root]
        .into_iter()
        .chain(evaluations.map(|evaluation| evaluation.root))
    {
        mend(&folder, Depth::Records, site)?;
    }
    Ok(match run_state(&site.layout, &run.id)? {
        RunState::Diverged(Failure { reason, .. }) => Some(Ending::Diverged { reason }),
        RunState::Published => {
            let evaluated = has_evaluation(&site.layout.run(&run.id), &run.evaluation_key)
                && has_evaluation(
                    &site.layout.teacher(&run.teacher_key),
                    &run.teacher_evaluation_key,
                );
            evaluated.then_some(Ending::Good)
        }
        RunState::Absent => None,
    })
}

/// Sets a finished folder aside if a file of it was changed since.
fn mend(folder: &Path, depth: Depth, site: &Site) -> Result<()> {
    if let Some(words) = record::set_damaged_aside(folder, depth)? {
        site.tell(&Event::Notice(&words));
    }
    Ok(())
}

/// What a checkpoint of a run, or of a teacher under its key, belongs to.
fn about(id: &str, corpus: &Prepared, precisions: &[PrecisionSpec]) -> About {
    let bf16 = precisions
        .contains(&PrecisionSpec::Bf16)
        .then(Native::bf16_instructions)
        .flatten();

    About {
        spec: id.to_owned(),
        numerics: NUMERICS_VERSION,
        data: corpus.key.clone(),
        instructions: record::instruction_set()
            + &bf16.map(|bf16| format!(" {bf16}")).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
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
