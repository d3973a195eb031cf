//! `kdpipe plan`: the expanded grid, without running anything.

use serde_json::json;

use super::args::{Common, PlanArguments};
use super::grouped_cost::GroupedCost;
use super::plan_power::PowerPlan;
use super::plan_text::{as_text, in_a_word, trial_text};
use super::power_text::power_text;
use super::{CommandResult, Exit, hub_to_plan, print, print_json, say, spec_options};
use crate::plan::{Arm, Axis, Change, Loaded, Plan, PlannedRun, SEED, is_at_or_below, load};
use crate::record::layout::Layout;
use crate::runner::{
    Standing, StudyInputs, check_limits, memory_setting, resolve_study, study,
    training_flops_per_second,
};

pub fn plan(arguments: &PlanArguments, common: &Common) -> CommandResult {
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    let hub = hub_to_plan(&loaded, common)?;
    let layout = Layout::new(&common.results, loaded.name());
    let inputs = StudyInputs::to_plan(&hub);
    if let Some(key) = &arguments.explain {
        // Inputs are asked for a choice alone: it is that of the runs which were tried on them.
        let is_near = |a: &str, b: &str| is_at_or_below(a, b) || is_at_or_below(b, a);
        let is_chosen = |axis: &Axis| axis.key != SEED && is_near(&axis.key, key);
        let loaded = if loaded.select_axes().iter().any(is_chosen) {
            resolve_study(loaded, &inputs, &layout)?.loaded
        } else {
            loaded
        };
        return explain(&loaded, key, common);
    }
    let resolved = resolve_study(loaded, &inputs, &layout)?;
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
    let standings = standings(plan, &layout);
    // What a card does in a second is not known where it was not measured.
    let is_here = |run: &PlannedRun| run.spec.train.device.is_cpu();
    let speed = plan
        .runs
        .iter()
        .all(is_here)
        .then(training_flops_per_second);
    let text = if common.json {
        format!("{:#}\n", as_json(plan, trial, &layout, &standings, speed))
    } else {
        trial.map_or_else(String::new, |trial| {
            trial_text(plan, trial, &trial_standings(trial, &layout), speed)
        }) + &as_text(plan, &standings, speed)
    };
    print(&text);
    let all: Vec<usize> = (0..plan.runs.len()).collect();
    // Planning here for another machine is no mistake: only `run` refuses.
    if let Err(error) = memory_setting() {
        say(&format!("warning: {error:#}"));
    } else if let Err(error) = check_limits(plan, &all, &layout) {
        say(&format!("warning: it does not fit this machine: {error:#}"));
    }
    Ok(Exit::Good)
}

/// Says which layer the value of a key comes from.
fn explain(loaded: &Loaded, key: &str, common: &Common) -> CommandResult {
    let explained = loaded.explain(key)?;
    if common.json {
        print_json(&json!({ "key": key, "explained": explained.trim_end() }))?;
    } else {
        print(&format!("{}\n", explained.trim_end()));
    }
    Ok(Exit::Good)
}

/// Where the runs of a plan stand; none where what is stored of one is damaged.
fn standings(plan: &Plan, layout: &Layout) -> Vec<Option<Standing>> {
    let standing = |run: &PlannedRun| Standing::of(run, layout).ok();
    plan.runs.iter().map(standing).collect()
}

/// Where the runs that `[select]` tries stand: they are over when they are trained.
fn trial_standings(trial: &Plan, layout: &Layout) -> Vec<Option<Standing>> {
    let of_a_trial = |standing: Option<Standing>| match standing {
        Some(Standing::Trained | Standing::WithoutWeights) => Some(Standing::Finished),
        other => other,
    };
    let standings = standings(trial, layout).into_iter();
    standings.map(of_a_trial).collect()
}

fn as_json(
    plan: &Plan,
    trial: Option<&Plan>,
    layout: &Layout,
    standings: &[Option<Standing>],
    speed: Option<f64>,
) -> serde_json::Value {
    let run = |(run, standing): (&PlannedRun, &Option<Standing>)| {
        json!({
            "id": run.id,
            "label": run.label,
            "state": in_a_word(standing),
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
        let standings = trial_standings(trial, layout);
        json!({
            "runs": trial.runs.iter().zip(&standings).map(run).collect::<Vec<_>>(),
            "tried": plan.trials.as_ref().map(|trials| &trials.tried),
        })
    });
    json!({
        "name": plan.name,
        "select": select,
        "runs": plan.runs.iter().zip(standings).map(run).collect::<Vec<_>>(),
        "groups": cost.groups,
        "saved_flops": cost.saved_flops,
        "cells": cells,
        "arms": plan.arms.iter().map(arm).collect::<Vec<_>>(),
        "notices": plan.notices,
    })
}
