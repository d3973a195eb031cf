//! Runs a plan: what is done already, data, teacher, groups of runs, evaluation, publication.
//!
//! Entry point: [`run`], which finds out what is left to do. `executor` decides what comes next,
//! and `trainer` does it: `teacher` has the teacher trained or read, `group` takes a group of runs
//! from claim to record, and both lead a `training` through its life. A run that fails leaves its
//! work behind and the others alone.

mod bench;
mod bench_use;
mod cache;
mod cached;
mod card;
mod changed;
mod corpus;
mod device;
mod evaluation;
mod event;
mod event_files;
mod executor;
mod fit;
mod folder;
mod group;
mod inputs;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod kernels;
mod limits;
mod machine;
mod names;
mod passes;
mod probe;
mod role;
mod sink;
mod standalone;
mod standing;
mod student;
mod study;
mod teacher;
mod trainer;
mod training;
mod training_ending;
mod trial;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::hub::{Hub, Repo};
use crate::plan::run::TeacherSpec;
use crate::plan::{Plan, PlannedRun};
use crate::record::layout::Layout;
use crate::record::{self, Depth, Failure, RunState};
use crate::slurm::SlurmJob;
use crate::train::Progress;
use device::on_device;
use event_files::write_event_files;
use executor::by_key;
use passes::LeftWork;
use standing::Standings;

pub use bench::{Measured, Phase, bench, bench_run};
pub use cache::{CacheLayout, cache_folder};
pub use cached::{CacheEntry, CacheKind, cache_entries, remove_cached};
pub use corpus::UnusableInputs;
pub use event::{Event, Observer, Silent, news_to};
pub use inputs::{StudyInputs, pins_from_lock};
pub use limits::{check_limits, disk_of, memory_setting};
pub use probe::{plain_product, training_flops_per_second};
pub use role::Role;
pub use standalone::{GeneratedText, OneModel, TextScore};
pub use standing::{Standing, is_free, is_over};
pub use study::{record_study, study};
pub use trial::{ResolvedStudy, resolve_study, run_trial};

/// Where a study works, and how it is stopped.
pub struct Site<'a> {
    pub layout: Layout,
    /// Tokenized corpora and trained teachers.
    pub cache: PathBuf,
    pub hub: &'a Hub<'a>,
    /// What part of the work this process does.
    pub role: Role,
    /// Whether a finished run whose weights are gone is trained again for them.
    pub wants_weights: bool,
    /// Whether runs are evaluated; of those that `[select]` tries only the training counts.
    pub evaluates: bool,
    /// Where event files of all runs go, as a folder of the study's name; else, those that the spec
    /// asks for go into the study's own folder.
    pub tensorboard: Option<&'a Path>,
    pub stop: &'a AtomicBool,
    pub observer: &'a dyn Observer,
}

impl Site<'_> {
    fn tell(&self, event: &Event) {
        self.observer.event(event);
    }

    /// Says why a run failed, and keeps it for whoever asks later.
    fn tell_failed(&self, run: &PlannedRun, error: &str) {
        // What another process has published meanwhile has no reason to be missing.
        if !self.layout.run(&run.id).root.exists() {
            // What cannot be kept was said.
            let _ = record::write_error(
                &self.layout,
                &run.id,
                error,
                SlurmJob::of_environment().log.as_deref(),
            );
        }
        self.tell(&Event::Failed {
            id: &run.id,
            label: &run.label,
            error,
        });
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Passes the loop's progress on; `names` are those of the group's members.
    fn progress(&self, names: &[String]) -> impl Fn(&Progress) + Sync {
        |progress: &Progress| {
            if let Some((member, values)) = progress.rows.first() {
                self.tell(&Event::Step {
                    step: progress.step,
                    run: names.get(*member).map_or("", String::as_str),
                    values,
                    tokens: progress.tokens,
                    seconds: progress.seconds,
                });
            }
        }
    }
}

/// Where a study comes from.
#[derive(Debug, Clone, Copy)]
pub struct MadeBy<'a> {
    /// Its file, as the user named it.
    pub spec: &'a Path,
    /// What makes it again.
    pub command: &'a str,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Published and evaluated, now or before.
    Finished,
    /// Published as diverged, now or before.
    Diverged { reason: String },
    /// To be tried again: an error outside the run.
    Failed { error: String },
    /// Held by another process.
    Held { owner: String },
    /// Its text and its teacher are there, which is all that was asked for.
    Prepared,
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
/// A results folder that cannot be written; [`UnusableInputs`], before anything is trained.
pub fn run(
    plan: &Plan,
    selected: &[usize],
    made_by: MadeBy,
    site: &Site,
) -> Result<BTreeMap<usize, Ending>> {
    let notice = |words: &str| site.tell(&Event::Notice(words));
    record_study(plan, made_by, &site.layout, site.hub, &notice)?;
    work_off(plan, selected, site)
}

/// Does what is left of the runs at these indices, and tells how each of them ended.
fn work_off(plan: &Plan, selected: &[usize], site: &Site) -> Result<BTreeMap<usize, Ending>> {
    let standings = FirstLook::new(site).at(plan, selected)?;
    let notice = |words: &str| site.tell(&Event::Notice(words));
    record::sweep(&site.layout)?;
    let mut endings = BTreeMap::new();
    let mut open = Vec::new();
    let (mut without_weights, mut trained) = (0, 0);
    for (index, standing) in standings {
        match standing {
            Standing::Finished => drop(endings.insert(index, Ending::Finished)),
            Standing::Diverged(Failure { reason, .. }) => {
                endings.insert(index, Ending::Diverged { reason });
            }
            Standing::WithoutWeights => {
                without_weights += 1;
                open.push(index);
            }
            standing @ (Standing::Trained | Standing::Begun | Standing::Open) => {
                trained += usize::from(standing == Standing::Trained);
                open.push(index);
            }
        }
    }
    write_event_files(plan, endings.keys(), site);
    if without_weights > 0 {
        notice(&words_on_weights(without_weights, site.wants_weights));
    }
    if trained > 0 {
        notice(&words_on_trained(trained));
    }
    site.tell(&Event::Skipped {
        runs: endings.len(),
    });
    fetch_teachers(plan, &mut open, site, &mut endings);
    if let Some(&first) = open.first() {
        // `check_limits` holds that it is that of all.
        let device = plan.runs[first].spec.train.device;
        let left = LeftWork {
            plan,
            open: &open,
            site,
        };
        endings.extend(on_device(device, left)??);
    }
    let unreached = match site.role {
        Role::Preparer if !site.is_stopped() => Ending::Prepared,
        _ => Ending::Interrupted,
    };
    for &index in selected {
        endings.entry(index).or_insert(unreached.clone());
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
    for indices in by_key(open, |&index| {
        format!("{:?}", plan.runs[index].spec.teacher)
    }) {
        let TeacherSpec::Hub { repo, revision, .. } = &plan.runs[indices[0]].spec.teacher else {
            continue;
        };
        match site.hub.weights(&Repo::model(repo, revision)) {
            Ok(_) => {}
            Err(_) if site.is_stopped() => return,
            Err(error) => {
                let error = format!("{error:#}");
                for &index in &indices {
                    site.tell_failed(&plan.runs[index], &error);
                    let error = error.clone();
                    endings.insert(index, Ending::Failed { error });
                }
                open.retain(|index| !indices.contains(index));
            }
        }
    }
}

/// Runs of which nothing but an evaluation is left.
fn words_on_trained(runs: usize) -> String {
    let are = if runs == 1 { "run is" } else { "runs are" };
    format!("{runs} {are} trained, to be evaluated")
}

/// Why runs that were trained are trained again.
fn words_on_weights(runs: usize, are_wanted: bool) -> String {
    let why = if are_wanted {
        "--weights asks for them"
    } else {
        "what [evaluate] asks for is not stored"
    };
    if runs == 1 {
        format!("1 run that was trained has no weights any more, and {why}: it is trained again")
    } else {
        format!(
            "{runs} runs that were trained have no weights any more, and {why}: they are trained \
             again"
        )
    }
}

/// A look at where runs stand, for which what was changed of them since is set aside first.
struct FirstLook<'a> {
    site: &'a Site<'a>,
    standings: Standings<'a>,
    /// Finished folders that were held against their checksums.
    checked: BTreeSet<PathBuf>,
}

impl<'a> FirstLook<'a> {
    fn new(site: &'a Site<'a>) -> Self {
        Self {
            site,
            standings: Standings::new(&site.layout),
            checked: BTreeSet::new(),
        }
    }

    /// Where the runs at these indices stand.
    fn at(mut self, plan: &'a Plan, selected: &[usize]) -> Result<Vec<(usize, Standing)>> {
        let standing = |&index: &usize| Ok((index, self.standing(&plan.runs[index])?));
        selected.iter().map(standing).collect()
    }

    fn standing(&mut self, run: &'a PlannedRun) -> Result<Standing> {
        let site = self.site;
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
            // What many workers would read again and again, the one that reports reads once.
            if site.role != Role::Worker && self.checked.insert(folder.clone()) {
                set_damaged_aside(&folder, Depth::Records, site)?;
            }
        }
        let standing = self.standings.of(run)?;
        if !site.evaluates && matches!(standing, Standing::Trained | Standing::WithoutWeights) {
            return Ok(Standing::Finished);
        }
        let is_wanted = site.wants_weights
            && standing == Standing::Finished
            && record::run_state(&site.layout, &run.id)? == RunState::WithoutWeights;
        Ok(if is_wanted {
            Standing::WithoutWeights
        } else {
            standing
        })
    }
}

/// Sets a finished folder aside if a file of it was changed since, and tells whether it did.
fn set_damaged_aside(folder: &Path, depth: Depth, site: &Site) -> Result<bool> {
    let words = record::set_damaged_aside(folder, depth)?;
    if let Some(words) = &words {
        site.tell(&Event::Notice(words));
    }
    Ok(words.is_some())
}
