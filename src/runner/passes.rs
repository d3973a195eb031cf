//! How often a process goes through what is left of a study that others may be at, too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;

use super::corpus::corpus_key;
use super::device::DeviceWork;
use super::executor::{QueuedRun, work_through};
use super::limits::check_card;
use super::role::Role;
use super::standing::{is_done, is_free};
use super::trainer::Trainer;
use super::{Ending, Site};
use crate::ops::Ops;
use crate::plan::Plan;

/// A pause between two looks at what others hold, and how often in it the user's stop is looked at.
const PAUSE: (Duration, u32) = (Duration::from_millis(100), 20);

/// What is left of a study, to be worked through on one device.
pub(super) struct LeftWork<'a> {
    pub plan: &'a Plan,
    /// Indices of the runs that are left.
    pub open: &'a [usize],
    pub site: &'a Site<'a>,
}

impl DeviceWork for LeftWork<'_> {
    type Output = Result<BTreeMap<usize, Ending>>;

    fn on<D: Ops>(self, device: &D) -> Self::Output {
        match self.site.role {
            Role::Preparer => {}
            Role::Whole | Role::Worker | Role::Finisher | Role::WaitingWorker => {
                check_card(self.plan, self.open, device.free_memory())?;
            }
        }
        work(device, self.plan, self.open, self.site)
    }
}

/// Does what is left of the runs at these indices, as often as the process's role asks for, and
/// tells how they ended; runs that were not reached are missing.
///
/// # Errors
/// Inputs that cannot be used.
fn work<D: Ops>(
    device: &D,
    plan: &Plan,
    open: &[usize],
    site: &Site,
) -> Result<BTreeMap<usize, Ending>> {
    let mut trainer = Trainer::new(device, plan, site);
    let mut endings = BTreeMap::new();
    let mut left = open.to_vec();
    let mut was_idle = false;
    loop {
        // What a stop leaves out of this pass has the ending of no earlier one.
        left.iter().for_each(|index| drop(endings.remove(index)));
        let queue: Vec<QueuedRun> = left.iter().map(|&index| queued(plan, index)).collect();
        trainer.prepare_all(&queue)?;
        endings.extend(work_through(&queue, &mut trainer));
        trainer.let_go();
        let before = left.len();
        left.retain(|index| matches!(endings.get(index), Some(Ending::Held { .. })));
        if left.is_empty() {
            return Ok(endings);
        }
        if site.is_stopped() {
            // Whoever would have waited was stopped, and does not conclude with what others hold.
            if site.role.waits() {
                endings.extend(left.into_iter().map(|index| (index, Ending::Interrupted)));
            }
            return Ok(endings);
        }
        // Somebody may have held for a moment what is free by now: one pass proves nothing.
        let is_idle = left.len() == before;
        let ends = is_idle && was_idle;
        was_idle = is_idle;
        match site.role {
            Role::Whole | Role::Preparer => return Ok(endings),
            // What somebody left behind meanwhile is taken, too.
            Role::Worker => {
                let is_free = |&index: &usize| is_free(&plan.runs[index], &site.layout);
                if ends || !left.iter().any(is_free) {
                    return Ok(endings);
                }
            }
            Role::Finisher => wait_for_one(plan, &left, site),
            // What nobody holds was left to others, and would be again.
            Role::WaitingWorker => {
                let is_taken = |&index: &usize| !is_free(&plan.runs[index], &site.layout);
                let of_others: Vec<usize> = left.iter().copied().filter(is_taken).collect();
                if of_others.is_empty() && ends {
                    return Ok(endings);
                }
                if !of_others.is_empty() {
                    wait_for_one(plan, &of_others, site);
                }
            }
        }
    }
}

/// What a run shares with others.
fn queued(plan: &Plan, index: usize) -> QueuedRun {
    let run = &plan.runs[index];
    QueuedRun {
        index,
        corpus: corpus_key(&run.spec),
        teacher: run.teacher_key.clone(),
        group: run.group_key.clone(),
    }
}

/// Waits until one of the runs is done, or nobody is at it any more.
fn wait_for_one(plan: &Plan, left: &[usize], site: &Site) {
    loop {
        for _ in 0..PAUSE.1 {
            if site.is_stopped() {
                return;
            }
            std::thread::sleep(PAUSE.0);
        }
        let mut held = BTreeSet::new();
        for &index in left {
            let run = &plan.runs[index];
            if held.contains(&run.group_key) {
                continue;
            }
            if is_done(run, site) || is_free(run, &site.layout) {
                return;
            }
            held.insert(&run.group_key);
        }
    }
}
