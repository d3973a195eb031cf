//! A study with `[select]`: what it tries first, and the grid with what that chose.

use std::collections::BTreeMap;

use anyhow::Result;

use super::cache::CacheLayout;
use super::{Ending, MadeBy, Role, Site, record_study, work_off};
use crate::plan::{Diagnostics, Inputs, Loaded, Plan};
use crate::record::layout::Layout;
use crate::record::{forget_starts, trials};

/// A study, resolved as far as its folder allows.
#[derive(Debug)]
pub struct ResolvedStudy {
    /// The spec, with the choice of `[select]` where it is made.
    pub loaded: Loaded,
    /// The grid. Until the choice is made it has the first of all values that are tried, and ids
    /// that are not final.
    pub plan: Plan,
    /// What `[select]` tries.
    pub trial: Option<Plan>,
}

impl ResolvedStudy {
    /// Whether the values of `[select]` are still to be chosen.
    pub fn awaits_choice(&self) -> bool {
        let trials = self.plan.trials.as_ref();
        trials.is_some_and(|trials| trials.choice().is_none())
    }
}

/// Resolves a spec with the choice that the runs in `layout` give.
///
/// # Errors
/// Mistakes that only the inputs, or the chosen values, show.
pub fn resolve_study(
    loaded: Loaded,
    inputs: &dyn Inputs,
    layout: &Layout,
) -> Result<ResolvedStudy, Diagnostics> {
    let Some(selection) = loaded.selection() else {
        return Ok(ResolvedStudy {
            plan: loaded.resolve(inputs)?,
            loaded,
            trial: None,
        });
    };
    let trial = selection.resolve(inputs)?;
    let trials = trials(&trial, loaded.select_axes(), layout);
    let loaded = match trials.choice() {
        Some(choice) => loaded.with_choice(&choice)?,
        None => loaded,
    };
    let mut plan = loaded.resolve(inputs)?;
    plan.trials = Some(trials);
    Ok(ResolvedStudy {
        loaded,
        plan,
        trial: Some(trial),
    })
}

/// Trains what `[select]` tries, and tells how those runs ended; whoever else is at some of them is
/// waited for. Nothing of it is evaluated, so that the test split is not looked at.
///
/// # Errors
/// A results folder that cannot be written; inputs that cannot be used.
pub fn run_trial(
    study: &ResolvedStudy,
    trial: &Plan,
    made_by: MadeBy,
    site: &Site,
) -> Result<BTreeMap<usize, Ending>> {
    let notice = |words: &str| site.tell(&super::Event::Notice(words));
    record_study(&study.plan, made_by, &site.layout, site.hub, &notice)?;
    if !site.role.gives_up() {
        // Somebody looks on: what was given up is tried again.
        let teachers = CacheLayout::new(&site.cache).teachers();
        for run in &trial.runs {
            forget_starts(&site.layout, &run.id)?;
            forget_starts(&teachers, &run.teacher_key)?;
        }
    }
    let all: Vec<usize> = (0..trial.runs.len()).collect();
    let trying = Site {
        layout: site.layout.clone(),
        cache: site.cache.clone(),
        role: match site.role {
            Role::Worker => Role::WaitingWorker,
            Role::Whole | Role::Finisher | Role::WaitingWorker | Role::Preparer => Role::Finisher,
        },
        wants_weights: false,
        evaluates: false,
        ..*site
    };
    work_off(trial, &all, &trying)
}
