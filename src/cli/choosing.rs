//! `[select]` in `kdpipe run`: what it tries comes before the grid.

use std::collections::{BTreeMap, BTreeSet};

use super::args::Common;
use super::endings::{exit_of, explained, summary};
use super::progress::Display;
use super::{CommandError, Exit, counted, print_json, say};
use crate::plan::{Inputs, Plan, Trials, TriedValues};
use crate::runner::{self, Ending, MadeBy, ResolvedStudy, Role, Site, resolve_study};

/// What came of what `[select]` tries.
pub(super) enum Chosen {
    /// The study with what was chosen.
    Study(Box<ResolvedStudy>),
    /// Some run failed, or nothing can be chosen; that was said.
    Nothing,
    /// Some runs are left to other machines; that was said.
    Left,
    /// The user stopped it.
    Stopped,
}

/// The study with the values that `[select]` chooses, for which those that are not tried yet are
/// tried first. What prepares the work of others needs no choice.
pub(super) fn chosen(
    study: ResolvedStudy,
    inputs: &dyn Inputs,
    made_by: MadeBy,
    site: &Site,
    (display, common): (&Display, &Common),
) -> Result<Chosen, CommandError> {
    let awaits_choice = study.awaits_choice() && site.role != Role::Preparer;
    let Some(trial) = study.trial.as_ref().filter(|_| awaits_choice) else {
        return Ok(Chosen::Study(Box::new(study)));
    };
    let endings = tried(&study, trial, made_by, site, display)?;
    // What ends here has no other runs to tell of.
    let end = |chosen: Chosen| -> Result<Chosen, CommandError> {
        if common.json {
            print_json(&summary(trial, &endings, &site.layout, &[]))?;
        }
        Ok(chosen)
    };
    match exit_of(&endings) {
        Exit::Interrupted => return end(Chosen::Stopped),
        Exit::Failed
            if endings
                .values()
                .any(|end| matches!(end, Ending::Failed { .. })) =>
        {
            say("nothing is chosen before every run of [select] is there; give the command again");
            return end(Chosen::Nothing);
        }
        Exit::Good | Exit::Failed | Exit::BadInput => {}
    }
    let owners = endings.values().filter_map(|end| match end {
        Ending::Held { owner } => Some(owner),
        _ => None,
    });
    let owners: Vec<&String> = owners.collect();
    if let Some(owner) = owners.first() {
        say(&format!(
            "nothing is chosen before every run of [select] is there; {} left to others: {owner}",
            match owners.len() {
                1 => "1 run is".to_owned(),
                runs => format!("{runs} runs are"),
            }
        ));
        return end(Chosen::Left);
    }
    let study = resolve_study(study.loaded, inputs, &site.layout)?;
    match &study.plan.trials {
        Some(trials) if !tell_choice(trials, display) => end(Chosen::Nothing),
        _ => Ok(Chosen::Study(Box::new(study))),
    }
}

/// Says what is chosen, or for which arms nothing can be; whether all have a choice.
fn tell_choice(trials: &Trials, display: &Display) -> bool {
    for one in trials.tried.iter().filter(|one| one.is_chosen) {
        let for_arm = one.arm.as_ref();
        let for_arm = for_arm.map_or_else(String::new, |arm| format!(" for {arm}"));
        display.notice(&format!(
            "[select] chooses {}{for_arm}",
            trials.in_words(one)
        ));
    }
    let has_choice = trials.choice().is_some();
    if !has_choice {
        say(&format!(
            "[select] can choose nothing for {}: every value that it tries diverged; give it \
             others",
            without_a_choice(trials).join(", ")
        ));
    }
    has_choice
}

/// Has everything tried, and tells how it ended.
fn tried(
    study: &ResolvedStudy,
    trial: &Plan,
    made_by: MadeBy,
    site: &Site,
    display: &Display,
) -> Result<BTreeMap<usize, Ending>, CommandError> {
    let all: Vec<usize> = (0..trial.runs.len()).collect();
    runner::check_limits(trial, &all, &site.layout)?;
    display.notice(&format!(
        "[select]: {} are trained first, to choose by the validation split",
        counted(trial.runs.len(), "run")
    ));
    display.begin_grid(trial.runs.len());
    let endings = runner::run_trial(study, trial, made_by, site);
    display.close();
    let tried = study.loaded.selection();
    let tried = tried.as_ref().unwrap_or(&study.loaded);
    endings.map_err(|error| explained(error, tried, trial))
}

/// The arms that nothing could be chosen for.
fn without_a_choice(trials: &Trials) -> Vec<&str> {
    let all: BTreeSet<&str> = trials.tried.iter().map(TriedValues::arm_name).collect();
    let is_chosen = |arm: &str| {
        let mut of_arm = trials.tried.iter().filter(|one| one.arm_name() == arm);
        of_arm.any(|one| one.is_chosen)
    };
    all.into_iter().filter(|arm| !is_chosen(arm)).collect()
}
