//! `kdpipe plan`: the expanded grid, without running anything.

use serde_json::json;

use super::args::{Common, PlanArguments as Arguments};
use super::{CommandResult, Exit, counted, hub_to_plan, print, spec_options};
use crate::files::size_in_words;
use crate::plan::{Plan, PlannedRun, load};
use crate::record::layout::Layout;
use crate::record::{RunState, run_state};
use crate::runner::{StudyInputs, check_limits, disk_of, training_flops_per_second};

pub fn plan(arguments: &Arguments, common: &Common) -> CommandResult {
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    if let Some(key) = &arguments.explain {
        print(&format!("{}\n", loaded.explain(key)?.trim_end()));
        return Ok(Exit::Good);
    }
    let plan = loaded.resolve(&StudyInputs::to_plan(&hub_to_plan(&loaded, common)?))?;
    let layout = Layout::new(&common.results, &plan.name);
    let states: Vec<&str> = plan.runs.iter().map(|run| state(run, &layout)).collect();
    let speed = training_flops_per_second();
    let text = if common.json {
        format!("{:#}\n", as_json(&plan, &states, speed))
    } else {
        as_text(&plan, &states, speed)
    };
    print(&text);
    let all: Vec<usize> = (0..plan.runs.len()).collect();
    // Planning here for another machine is no mistake: only `run` refuses.
    if let Err(error) = check_limits(&plan, &all, &layout) {
        eprintln!("warning: it does not fit this machine: {error:#}");
    }
    Ok(Exit::Good)
}

/// Where a run stands, in a word.
fn state(run: &PlannedRun, layout: &Layout) -> &'static str {
    match run_state(layout, &run.id) {
        Ok(RunState::Published) => "done",
        Ok(RunState::Diverged(_)) => "diverged",
        Ok(RunState::Absent) if layout.work(&run.id).exists() => "begun",
        Ok(RunState::Absent) => "open",
        Err(_) => "damaged",
    }
}

fn as_json(plan: &Plan, states: &[&str], speed: f64) -> serde_json::Value {
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
            "seconds": run.estimate.flops / speed,
        })
    };
    let (groups, _, saved) = together(&plan.runs.iter().collect::<Vec<_>>());
    let cells: Vec<serde_json::Value> = plan
        .cells
        .iter()
        .map(|cell| json!({ "at": cell.at, "run": plan.runs[cell.run].id }))
        .collect();
    let change = |change: &crate::plan::Change| json!({ "key": change.key, "baseline": change.baseline, "value": change.value });
    let arm = |arm: &crate::plan::Arm| json!({ "name": arm.name, "changes": arm.changes.iter().map(change).collect::<Vec<_>>() });
    json!({
        "name": plan.name,
        "runs": plan.runs.iter().zip(states).map(run).collect::<Vec<_>>(),
        "groups": groups,
        "saved_flops": saved,
        "cells": cells,
        "arms": plan.arms.iter().map(arm).collect::<Vec<_>>(),
        "notices": plan.notices,
    })
}

/// `speed` in floating-point operations per second.
fn as_text(plan: &Plan, states: &[&str], speed: f64) -> String {
    let mut text = format!(
        "{}: {}, {}\n",
        plan.name,
        counted(plan.cells.len(), "cell"),
        counted(plan.runs.len(), "run")
    );
    if !plan.description.is_empty() {
        text.push_str(&format!("{}\n", plan.description));
    }
    plan.notices
        .iter()
        .for_each(|notice| text.push_str(&format!("note: {notice}\n")));
    text.push('\n');
    let rows = plan.runs.iter().zip(states).map(|(run, state)| {
        let known = run.unknown.is_empty();
        vec![
            if known {
                run.id.clone()
            } else {
                "unknown".to_owned()
            },
            run.label.clone(),
            (*state).to_owned(),
            count(run.estimate.student_parameters as f64),
            bytes(run.estimate.memory_bytes),
            count(run.estimate.flops),
            about(run.estimate.flops / speed),
            bytes(run.estimate.kept_bytes),
        ]
    });
    text.push_str(&table(
        &[
            "run",
            "cell",
            "state",
            "parameters",
            "memory",
            "FLOPs",
            "time",
            "disk",
        ],
        rows.collect(),
    ));

    let teachers: f64 = distinct_teachers(plan)
        .map(|run| run.estimate.teacher_training_flops)
        .sum();
    let all: Vec<&PlannedRun> = plan.runs.iter().collect();
    let (groups, flops, saved) = together(&all);
    let disk = disk_of(plan);
    text.push_str(&format!(
        "\nin total {} FLOPs of training, {} here, {} on disk",
        count(flops),
        about(flops / speed),
        bytes(disk)
    ));
    if teachers > 0.0 {
        text.push_str(&format!(
            "; before it, once, the teacher's own: {} FLOPs, {}",
            count(teachers),
            about(teachers / speed)
        ));
    }
    let open: Vec<&PlannedRun> = plan
        .runs
        .iter()
        .zip(states)
        .filter(|(_, state)| ["open", "begun"].contains(*state))
        .map(|(run, _)| run)
        .collect();
    if open.len() < plan.runs.len() {
        text.push_str(&format!(
            "\nleft to do: {}, {}",
            counted(open.len(), "run"),
            about(together(&open).1 / speed)
        ));
    }
    text.push_str(&format!(
        "\n{} in {}",
        counted(plan.runs.len(), "run"),
        counted(groups, "group")
    ));
    if saved > 0.0 {
        let share = 100.0 * saved / (flops + saved);
        text.push_str(&format!(
            ": those of a group share each batch and the teacher's forward pass, which saves {} \
             FLOPs ({share:.0} %)",
            count(saved)
        ));
    }
    text.push('\n');

    let mut unknown: Vec<&str> = plan
        .runs
        .iter()
        .flat_map(|run| &run.unknown)
        .map(String::as_str)
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
        .iter()
        .for_each(|reason| text.push_str(&format!("unknown: {reason}\n")));

    if plan.arms.len() > 1 {
        text.push_str("\nwhat each arm changes against the baseline\n");
        for arm in &plan.arms {
            if arm.changes.is_empty() {
                text.push_str(&format!("  {:<14} nothing\n", format!("{}:", arm.name)));
            }
            for (i, change) in arm.changes.iter().enumerate() {
                let name = if i == 0 {
                    format!("{}:", arm.name)
                } else {
                    String::new()
                };
                let show =
                    |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
                text.push_str(&format!(
                    "  {name:<14} {} = {}  (baseline: {})\n",
                    change.key,
                    show(&change.value),
                    show(&change.baseline)
                ));
            }
        }
    }
    text
}

/// Number of groups, the operations of training them, and those that are saved because the runs of
/// a group share the teacher's forward pass, where memory lets them advance together.
fn together(runs: &[&PlannedRun]) -> (usize, f64, f64) {
    let mut passes = std::collections::BTreeMap::<&str, Vec<f64>>::new();
    runs.iter().for_each(|run| {
        passes
            .entry(&run.group_key)
            .or_default()
            .push(run.estimate.teacher_pass_flops)
    });
    let saved: f64 = passes
        .values()
        .map(|all| all.iter().sum::<f64>() - all.iter().copied().fold(0.0, f64::max))
        .sum();
    let all: f64 = runs.iter().map(|run| run.estimate.flops).sum();
    (passes.len(), all - saved, saved)
}

/// The first run of every teacher.
fn distinct_teachers(plan: &Plan) -> impl Iterator<Item = &PlannedRun> {
    let mut seen = std::collections::BTreeSet::new();
    plan.runs
        .iter()
        .filter(move |run| seen.insert(run.teacher_key.clone()))
}

/// Columns as wide as they need to be, the first three to the left, numbers to the right.
fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .chain([header[column].len()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| {
                if column < 3 {
                    format!("{cell:<width$}", width = widths[column])
                } else {
                    format!("{cell:>width$}", width = widths[column])
                }
            })
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let mut text = line(header.to_vec());
    rows.iter()
        .for_each(|row| text.push_str(&line(row.iter().map(String::as_str).collect())));
    text
}

/// `1.2 M`, `3.4e12`.
fn count(number: f64) -> String {
    match number {
        n if n <= 0.0 => "?".to_owned(),
        n if n < 1e3 => format!("{n:.0}"),
        n if n < 1e6 => format!("{:.1} k", n / 1e3),
        n if n < 1e9 => format!("{:.2} M", n / 1e6),
        n => format!("{n:.1e}"),
    }
}

/// `~3 min`: no more than a first idea, from a product of matrices that was just timed.
fn about(seconds: f64) -> String {
    match seconds {
        s if s <= 0.0 => "?".to_owned(),
        s if s < 99.5 => format!("~{s:.0} s"),
        s if s < 5970.0 => format!("~{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("~{:.0} h", s / 3600.0),
        s => format!("~{:.0} days", s / 86_400.0),
    }
}

fn bytes(number: u64) -> String {
    if number == 0 {
        "?".to_owned()
    } else {
        size_in_words(number)
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
