//! What of a study's work comes next, and what its end means for the rest; apart from the work
//! itself, which an [`Executor`] does.
//!
//! Work comes in units: the corpus of some runs, their teacher, a group of them that advances in
//! lockstep. Entry point: [`work_through`].

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::Ending;

/// A run that is left to do, and what it shares with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueuedRun {
    /// In the plan.
    pub index: usize,
    /// Keys; runs that have one in common use the same corpus, teacher, or pass of the teacher.
    pub corpus: String,
    pub teacher: String,
    pub group: String,
}

/// A piece of work that is done as a whole, with the indices of the runs that it is done for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// The text of these runs is read and tokenized.
    Corpus(Vec<usize>),
    /// The teacher of these runs is read or trained, and evaluated. Its corpus is at hand.
    Teacher(Vec<usize>),
    /// These runs are trained in lockstep, published and evaluated. Their teacher is at hand.
    Group(Vec<usize>),
}

impl Unit {
    pub fn runs(&self) -> &[usize] {
        match self {
            Self::Corpus(runs) | Self::Teacher(runs) | Self::Group(runs) => runs,
        }
    }
}

/// How a unit ended.
#[derive(Debug)]
pub(super) enum UnitEnding {
    /// It is done; these of its runs have ended with it, in whatever way.
    Done(BTreeMap<usize, Ending>),
    /// It cannot be done, and so none of its runs can, for this reason.
    Failed(String),
    /// Another process is at it; in words.
    HeldBy(String),
    /// The user stopped it.
    Interrupted,
}

/// Whoever does the work.
pub(super) trait Executor {
    /// Does a unit, or finds that it was done before.
    fn execute(&mut self, unit: &Unit) -> UnitEnding;

    /// Splits runs that could advance in lockstep into groups that can do so here.
    fn groups(&self, runs: &[usize]) -> Vec<Vec<usize>>;

    /// Lets some time pass before a unit that another process holds is asked for again.
    fn wait(&mut self, unit: &Unit, owner: &str);

    /// Hears that a run ended with the failure of a unit that it needs.
    fn run_failed(&mut self, index: usize, error: &str);

    fn is_stopped(&self) -> bool;
}

/// Works through the queue, and tells how its runs ended; runs that were not reached are missing.
///
/// A corpus comes before its teachers, a teacher before its groups, each once; otherwise the order
/// is that of the queue. What fails takes those runs with it that need it, and no others. A stop
/// ends everything.
pub(super) fn work_through(
    queue: &[QueuedRun],
    executor: &mut dyn Executor,
) -> BTreeMap<usize, Ending> {
    let mut work = WorkInProgress {
        executor,
        endings: BTreeMap::new(),
    };
    // A break says only that the rest was not reached, which its missing endings say, too.
    let _ = work.through(queue);
    work.endings
}

struct WorkInProgress<'a> {
    executor: &'a mut dyn Executor,
    endings: BTreeMap<usize, Ending>,
}

impl WorkInProgress<'_> {
    fn through(&mut self, queue: &[QueuedRun]) -> ControlFlow<()> {
        for of_corpus in by_key(queue, |run| run.corpus.clone()) {
            if self.unit(Unit::Corpus(indices(&of_corpus)))? == UnitOutcome::Failed {
                continue;
            }
            for of_teacher in by_key(&of_corpus, |run| run.teacher.clone()) {
                if self.unit(Unit::Teacher(indices(&of_teacher)))? == UnitOutcome::Failed {
                    continue;
                }
                for of_group in by_key(&of_teacher, |run| run.group.clone()) {
                    for group in self.executor.groups(&indices(&of_group)) {
                        self.unit(Unit::Group(group))?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Does a unit, once nobody else is at it.
    fn unit(&mut self, unit: Unit) -> ControlFlow<(), UnitOutcome> {
        loop {
            if self.executor.is_stopped() {
                return ControlFlow::Break(());
            }
            match self.executor.execute(&unit) {
                UnitEnding::Done(endings) => {
                    self.endings.extend(endings);
                    return ControlFlow::Continue(UnitOutcome::Done);
                }
                UnitEnding::Failed(error) => {
                    self.fail(&unit, &error);
                    return ControlFlow::Continue(UnitOutcome::Failed);
                }
                UnitEnding::HeldBy(owner) => self.executor.wait(&unit, &owner),
                UnitEnding::Interrupted => return ControlFlow::Break(()),
            }
        }
    }

    fn fail(&mut self, unit: &Unit, error: &str) {
        for &index in unit.runs() {
            self.executor.run_failed(index, error);
            let error = error.to_owned();
            self.endings.insert(index, Ending::Failed { error });
        }
    }
}

/// Whether what depends on a unit can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitOutcome {
    Done,
    Failed,
}

fn indices(runs: &[QueuedRun]) -> Vec<usize> {
    runs.iter().map(|run| run.index).collect()
}

/// Items with the same key together, in the order of first appearance.
pub(super) fn by_key<T: Clone>(items: &[T], key: impl Fn(&T) -> String) -> Vec<Vec<T>> {
    let mut keys: Vec<String> = Vec::new();
    let mut groups: Vec<Vec<T>> = Vec::new();
    for item in items {
        let key = key(item);
        match keys.iter().position(|known| *known == key) {
            Some(place) => groups[place].push(item.clone()),
            None => {
                keys.push(key);
                groups.push(vec![item.clone()]);
            }
        }
    }
    groups
}

#[cfg(test)]
#[path = "executor_tests.rs"]
mod tests;
