//! The executor that does the work, in this process and on this machine.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};

use super::cache::CacheLayout;
use super::changed::{refuse_changed_students, refuse_changed_teacher, refuse_changed_text};
use super::corpus::{UnusableInputs, check_lengths, check_starts, corpus_key, corpus_notes};
use super::executor::{Executor, QueuedRun, Unit, UnitEnding, by_key};
use super::group::run_group;
use super::limits::groups_that_fit;
use super::role::Role;
use super::standing::{Standing, is_free};
use super::teacher::{LoadedTeacher, TeacherClaim, claim_teacher};
use super::{Ending, Event, Site};
use crate::data::{self, Prepared};
use crate::eval::EvaluationStopped;
use crate::ops::Ops;
use crate::panics::panic_as_defect;
use crate::plan::{InputFault, Plan, PlannedRun};
use crate::record::{Failure, SharedClaim, SharedLock, SharedWork, has_evaluation};

/// Trains here.
pub(super) struct Trainer<'a, D: Ops> {
    device: &'a D,
    plan: &'a Plan,
    site: &'a Site<'a>,
    /// Of the unit that made them last; what came before is dropped, to make room.
    corpus: Option<Prepared>,
    /// The key of the corpus in hand.
    corpus_key: Option<String>,
    /// Corpora that could not be made, by key, and why.
    failed: BTreeMap<String, String>,
    teacher: Option<Box<LoadedTeacher<D>>>,
    /// The group in hand, by its key: no other process takes a part of it meanwhile.
    group: Option<(String, SharedLock)>,
    /// Whether the user knows that the unit in hand is waited for.
    is_waiting: bool,
    /// Who was told to hold a run.
    told: BTreeMap<usize, String>,
}

impl<'a, D: Ops> Trainer<'a, D> {
    pub fn new(device: &'a D, plan: &'a Plan, site: &'a Site<'a>) -> Self {
        Self {
            device,
            plan,
            site,
            corpus: None,
            corpus_key: None,
            failed: BTreeMap::new(),
            teacher: None,
            group: None,
            is_waiting: false,
            told: BTreeMap::new(),
        }
    }

    /// Prepares every corpus of the queue before anything is trained, so that a mistake in a text
    /// is told first. The corpus of the first runs is then at hand. What fails for another reason
    /// fails again with its unit.
    ///
    /// # Errors
    /// [`UnusableInputs`], every mistake of every corpus.
    pub fn prepare_all(&mut self, queue: &[QueuedRun]) -> Result<()> {
        let mut unusable = Vec::new();
        for runs in by_key(queue, |run| run.corpus.clone()).into_iter().rev() {
            if self.is_stopped() {
                return Ok(());
            }
            let indices: Vec<usize> = runs.iter().map(|run| run.index).collect();
            let Err(error) = panic_as_defect(|| self.prepare_corpus(&indices)) else {
                continue;
            };
            match InputFault::found_in(&error) {
                Some(faults) => unusable.push((indices[0], faults)),
                None if self.is_stopped() => return Ok(()),
                None => drop(
                    self.failed
                        .insert(runs[0].corpus.clone(), format!("{error:#}")),
                ),
            }
        }
        unusable.reverse();
        if unusable.is_empty() {
            Ok(())
        } else {
            Err(UnusableInputs(unusable).into())
        }
    }

    fn prepare_corpus(&mut self, runs: &[usize]) -> Result<UnitEnding> {
        let key = corpus_key(&self.plan.runs[runs[0]].spec);
        if self.corpus_key.as_ref() == Some(&key) {
            return Ok(UnitEnding::Done(BTreeMap::new()));
        }
        if let Some(reason) = self.failed.remove(&key) {
            return Ok(UnitEnding::Failed(reason));
        }
        (self.corpus, self.corpus_key, self.teacher) = (None, None, None);
        let spec = &self.plan.runs[runs[0]].spec;
        let say = |text: &str| self.site.tell(&Event::Stage(text));
        let folder = CacheLayout::new(&self.site.cache).corpora();
        let hub = self.site.hub;
        refuse_changed_text(&self.planned(runs), hub)?;
        let prepared = data::prepare(&spec.dataset, &spec.tokenizer, hub, &folder, &say)?;
        check_lengths(self.plan, runs, &prepared)?;
        check_starts(self.plan, runs, &prepared)?;
        self.prepare_tasks(runs, &prepared)?;
        for note in corpus_notes(&prepared) {
            self.site.tell(&Event::Notice(&note));
        }
        (self.corpus, self.corpus_key) = (Some(prepared), Some(key));
        Ok(UnitEnding::Done(BTreeMap::new()))
    }

    fn planned(&self, runs: &[usize]) -> Vec<&'a PlannedRun> {
        runs.iter().map(|&index| &self.plan.runs[index]).collect()
    }

    /// Fetches and reads what models are asked beside the loss: what is wrong with it is known
    /// before hours go into anything else, the trials of `[select]` among it.
    fn prepare_tasks(&self, runs: &[usize], corpus: &Prepared) -> Result<()> {
        for &index in runs {
            let tasks = &self.plan.runs[index].spec.evaluate.tasks;
            corpus.tasks.of(tasks, &corpus.tokenizer, self.site.hub)?;
        }
        Ok(())
    }

    /// Gives the group in hand back.
    pub fn let_go(&mut self) {
        self.group = None;
    }

    fn obtain_teacher(&mut self, runs: &[usize]) -> Result<UnitEnding> {
        self.teacher = None;
        let is_free = |&index: &usize| is_free(&self.plan.runs[index], &self.site.layout);
        if self.site.role.looks_first() && !runs.iter().any(is_free) {
            return Ok(UnitEnding::Done(BTreeMap::new()));
        }
        self.load_teacher(runs)
    }

    /// Reads the teacher of the runs, trained and evaluated first by one of all processes.
    fn load_teacher(&mut self, runs: &[usize]) -> Result<UnitEnding> {
        let corpus = self.corpus.as_ref().context("a teacher without a corpus")?;
        let first = &self.plan.runs[runs[0]];
        let layout = &self.site.layout;
        let stored = layout.teacher(&first.teacher_key);
        let _lock = if has_evaluation(&stored, &first.teacher_evaluation_key) {
            None
        } else {
            match SharedWork::Teacher(&first.teacher_key).claim(layout)? {
                SharedClaim::Ours(lock) => Some(lock),
                SharedClaim::HeldBy(owner) => return Ok(UnitEnding::HeldBy(owner)),
            }
        };
        let teacher = match claim_teacher(self.device, first, corpus, self.site)? {
            TeacherClaim::Loaded(teacher) => teacher,
            TeacherClaim::HeldBy(owner) => return Ok(UnitEnding::HeldBy(owner)),
            TeacherClaim::OfAnotherMachine(reason) => {
                return Ok(UnitEnding::Done(self.held(runs, &reason)));
            }
            TeacherClaim::Interrupted => return Ok(UnitEnding::Interrupted),
        };
        refuse_changed_teacher(first, self.site.hub)?;
        teacher.evaluate(first, corpus, self.site)?;
        self.teacher = Some(teacher);
        Ok(UnitEnding::Done(BTreeMap::new()))
    }

    fn run_group(&mut self, runs: &[usize]) -> Result<UnitEnding> {
        if let Some(owner) = self.claim_group(runs)? {
            let (mut endings, open) = self.done_by_others(runs);
            endings.extend(self.held(&open, &owner));
            return Ok(UnitEnding::Done(endings));
        }
        let (mut endings, open) = self.done_by_others(runs);
        if open.is_empty() {
            return Ok(UnitEnding::Done(endings));
        }
        if self.teacher.is_none() {
            match self.load_teacher(&open)? {
                // Without it, its runs are left to others.
                UnitEnding::Done(left) if self.teacher.is_none() => {
                    endings.extend(left);
                    return Ok(UnitEnding::Done(endings));
                }
                UnitEnding::Done(_) => {}
                ending => return Ok(ending),
            }
        }
        refuse_changed_students(&self.planned(&open), self.site.hub)?;
        let corpus = self.corpus.as_ref().context("a group without a corpus")?;
        let teacher = self.teacher.as_ref().context("a group without a teacher")?;
        endings.extend(run_group(self.plan, &open, teacher, corpus, self.site));
        Ok(UnitEnding::Done(endings))
    }

    /// Takes the group of the runs, unless it is in hand; else tells who has it.
    fn claim_group(&mut self, runs: &[usize]) -> Result<Option<String>> {
        let key = &self.plan.runs[runs[0]].group_key;
        if self.group.as_ref().is_some_and(|(held, _)| held == key) {
            return Ok(None);
        }
        self.group = None;
        match SharedWork::Group(key).claim(&self.site.layout)? {
            SharedClaim::Ours(lock) => {
                self.group = Some((key.clone(), lock));
                Ok(None)
            }
            SharedClaim::HeldBy(owner) => Ok(Some(owner)),
        }
    }

    /// That these runs are left to somebody, which is told once.
    fn held(&mut self, runs: &[usize], owner: &str) -> BTreeMap<usize, Ending> {
        let held = runs.iter().map(|&index| {
            let PlannedRun { id, label, .. } = &self.plan.runs[index];
            let owner = owner.to_owned();
            if self.told.insert(index, owner.clone()).as_ref() != Some(&owner) {
                let owner = &owner;
                self.site.tell(&Event::Held { id, label, owner });
            }
            (index, Ending::Held { owner })
        });
        held.collect()
    }

    /// How those of the runs ended that others finished since they were found open, and the rest.
    fn done_by_others(&self, runs: &[usize]) -> (BTreeMap<usize, Ending>, Vec<usize>) {
        let (mut endings, mut open) = (BTreeMap::new(), Vec::new());
        for &index in runs {
            match Standing::of(&self.plan.runs[index], &self.site.layout) {
                Ok(Standing::Finished) if !self.site.wants_weights => {
                    endings.insert(index, Ending::Finished);
                }
                Ok(Standing::Trained) if !self.site.evaluates => {
                    endings.insert(index, Ending::Finished);
                }
                Ok(Standing::Diverged(Failure { reason, .. })) => {
                    endings.insert(index, Ending::Diverged { reason });
                }
                _ => open.push(index),
            }
        }
        let runs = endings.len();
        self.site.tell(&Event::DoneByOthers { runs });
        (endings, open)
    }
}

impl<D: Ops> Executor for Trainer<'_, D> {
    fn execute(&mut self, unit: &Unit) -> UnitEnding {
        if !matches!(unit, Unit::Group(_)) {
            self.let_go();
        }
        let ending = panic_as_defect(|| match unit {
            Unit::Corpus(runs) => self.prepare_corpus(runs),
            Unit::Teacher(runs) => self.obtain_teacher(runs),
            Unit::Group(runs) => self.run_group(runs),
        });
        let ending = match ending {
            Ok(ending) => ending,
            // Stopped while something was fetched or waited for, which groups do not do: an error
            // of theirs is one.
            Err(_) if self.is_stopped() && !matches!(unit, Unit::Group(_)) => {
                UnitEnding::Interrupted
            }
            // The teacher of a group is evaluated with it where that is still to do.
            Err(error) if error.is::<EvaluationStopped>() => UnitEnding::Interrupted,
            Err(error) => UnitEnding::Failed(format!("{error:#}")),
        };
        self.is_waiting &= matches!(ending, UnitEnding::HeldBy(_));
        ending
    }

    fn groups(&self, runs: &[usize]) -> Vec<Vec<usize>> {
        match self.site.role {
            Role::Preparer => Vec::new(),
            Role::Whole | Role::Worker | Role::Finisher | Role::WaitingWorker => {
                groups_that_fit(self.plan, runs, self.device.free_memory())
            }
        }
    }

    fn wait(&mut self, unit: &Unit, owner: &str) {
        if !self.is_waiting {
            let text = match unit {
                Unit::Corpus(_) => format!("waiting for the corpus, which {owner} makes"),
                Unit::Teacher(_) => format!("waiting for the teacher, which {owner} trains"),
                Unit::Group(_) => format!("waiting for runs, which {owner} trains"),
            };
            self.site.tell(&Event::Stage(&text));
        }
        self.is_waiting = true;
        std::thread::sleep(Duration::from_millis(500));
    }

    fn run_failed(&mut self, index: usize, error: &str) {
        self.site.tell_failed(&self.plan.runs[index], error);
    }

    fn is_stopped(&self) -> bool {
        self.site.is_stopped()
    }
}
