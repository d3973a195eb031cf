//! `kdpipe plan`: the expanded grid, without running anything.

use serde_json::json;

use super::args::{Common, PlanArguments};
use super::grouped_cost::GroupedCost;
use super::plan_power::PowerPlan;
use super::plan_text::{as_text, trial_text};
use super::power_text::power_text;
use super::{CommandResult, Exit, hub_to_plan, print, print_json, say, spec_options};
use crate::plan::{Arm, Change, Plan, PlannedRun, load};
use crate::record::layout::Layout;
use crate::runner::{
    Standing, StudyInputs, check_limits, resolve_study, study, training_flops_per_second,
};

pub fn plan(arguments: &PlanArguments, common: &Common) -> CommandResult {
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    if let Some(key) = &arguments.explain {
        let explained = loaded.explain(key)?;
        if common.json {
            print_json(&json!({ "key": key, "explained": explained.trim_end() }))?;
        } else {
            print(&format!("{}\n", explained.trim_end()));
        }
        return Ok(Exit::Good);
    }
    let hub = hub_to_plan(&loaded, common)?;
    let layout = Layout::new(&common.results, loaded.name());
    let resolved = resolve_study(loaded, &StudyInputs::to_plan(&hub), &layout)?;
    let (plan, trial) = (&resolved.plan, resolved.trial.as_ref());
    if let Some(power) = arguments.power {
        let study = study(plan, &arguments.spec, "", &hub);
        let planned = PowerPlan::new(plan, study, &layout, power, arguments)?;
        if common.json {
            print_json(&planned)?;
        } else {
            print(&power_text(&planned));
        }
        return Ok(Exit::Good);
    }
    let states: Vec<&str> = plan
        .runs
        .iter()
        .map(|run| state_in_a_word(run, &layout))
        .collect();
    // What a card does in a second is not known where it was not measured.
    let is_here = |run: &PlannedRun| run.spec.train.device.is_cpu();
    let speed = plan
        .runs
        .iter()
        .all(is_here)
        .then(training_flops_per_second);
    let text = if common.json {
        format!("{:#}\n", as_json(plan, trial, &layout, &states, speed))
    } else {
        trial.map_or_else(String::new, |trial| {
            trial_text(plan, trial, &trial_states(trial, &layout), speed)
        }) + &as_text(plan, &states, speed)
    };
    print(&text);
    let all: Vec<usize> = (0..plan.runs.len()).collect();
    // Planning here for another machine is no mistake: only `run` refuses.
    if let Err(error) = check_limits(plan, &all, &layout) {
        say(&format!("warning: it does not fit this machine: {error:#}"));
    }
    Ok(Exit::Good)
}

/// Where a run stands, in a word.
fn state_in_a_word(run: &PlannedRun, layout: &Layout) -> &'static str {
    Standing::of(run, layout).map_or("damaged", |standing| standing.words())
}

/// Where the runs that `[select]` tries stand: they are over when they are trained.
fn trial_states(trial: &Plan, layout: &Layout) -> Vec<&'static str> {
    let state = |run: &PlannedRun| match state_in_a_word(run, layout) {
        "trained" | "no weights" => "finished",
        other => other,
    };
    trial.runs.iter().map(state).collect()
}

fn as_json(
    plan: &Plan,
    trial: Option<&Plan>,
    layout: &Layout,
    states: &[&str],
    speed: Option<f64>,
) -> serde_json::Value {
    let run = |(run, state): (&PlannedRun, &&str)| {
        json!({
            "id": run.id,
            "label": run.label,
            "state": state,
            "unknown": run.unknown,
            "group": run.group_key,
            "teacher": run.teacher_key,
            "student_parameters": run.estimate.student_parameters,
            "memory_bytes": run.estimate.memory_bytes,
            "disk_bytes": run.estimate.kept_bytes,
            "flops": run.estimate.flops,
            "evaluation_flops": run.estimate.evaluation_flops,
            "evaluation_memory_bytes": run.estimate.evaluation_memory_bytes,
            "evaluation_seconds": speed.map(|speed| run.estimate.evaluation_flops / speed),
            "seconds": speed.map(|speed| run.estimate.flops / speed),
        })
    };
    let cost = GroupedCost::of(&plan.runs);
    let cells: Vec<serde_json::Value> = plan
        .cells
        .iter()
        .map(|cell| json!({ "at": cell.at, "run": plan.runs[cell.run].id }))
        .collect();
    let change = |change: &Change| {
        json!({
            "key": change.key,
            "baseline": change.baseline,
            "value": change.value,
        })
    };
    let arm = |arm: &Arm| {
        let changes: Vec<serde_json::Value> = arm.changes.iter().map(change).collect();
        json!({ "name": arm.name, "changes": changes })
    };
    let select = trial.map(|trial| {
        let states = trial_states(trial, layout);
        json!({
            "runs": trial.runs.iter().zip(&states).map(run).collect::<Vec<_>>(),
            "tried": plan.trials.as_ref().map(|trials| &trials.tried),
        })
    });
    json!({
        "name": plan.name,
        "select": select,
        "runs": plan.runs.iter().zip(states).map(run).collect::<Vec<_>>(),
        "groups": cost.groups,
        "saved_flops": cost.saved_flops,
        "cells": cells,
        "arms": plan.arms.iter().map(arm).collect::<Vec<_>>(),
        "notices": plan.notices,
    })
}
