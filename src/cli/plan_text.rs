//! The text of `kdpipe plan`: a table of the runs, what they cost together, and what every arm
//! changes.

use std::collections::BTreeSet;

use super::counted;
use super::grouped_cost::{GroupedCost, teacher_flops};
use crate::files::size_in_words;
use crate::plan::{Plan, PlannedRun};
use crate::runner::{Standing, disk_of};

/// The plan in words; `standings` has one for each run, none where what is stored of it is damaged,
/// and `speed` is in floating-point operations a second, where it is known.
pub(super) fn as_text(plan: &Plan, standings: &[Option<Standing>], speed: Option<f64>) -> String {
    let mut text = heading(plan);
    text += &run_table(plan, standings, speed);
    text += &totals(plan, standings, speed);
    text += &of_a_card(plan);
    for reason in unknown_costs(plan) {
        text += &format!("unknown: {reason}\n");
    }
    if plan.arms.len() > 1 {
        text += "\nwhat each arm changes against the baseline\n";
        text += &arm_changes(plan);
    }
    text
}

/// What `[select]` tries before, in words, with what it chose where that is known.
pub(super) fn trial_text(
    plan: &Plan,
    trial: &Plan,
    standings: &[Option<Standing>],
    speed: Option<f64>,
) -> String {
    let mut text = format!(
        "{}: [select] tries {} and measures them on the validation split alone\n\n",
        plan.name,
        counted(trial.runs.len(), "run")
    );
    text += &run_table(trial, standings, speed);
    let chosen = plan.trials.iter();
    let chosen = chosen.flat_map(|trials| trials.tried.iter().map(move |one| (trials, one)));
    let chosen: Vec<String> = chosen
        .filter(|(_, one)| one.is_chosen)
        .map(|(trials, one)| match one.arm_name() {
            "" => format!("chosen: {}\n", trials.in_words(one)),
            arm => format!("chosen for {arm}: {}\n", trials.in_words(one)),
        })
        .collect();
    text.push('\n');
    if chosen.is_empty() {
        text += "nothing is chosen yet: below, the first of all values stand in, and ids are not \
                 final\n";
    }
    text + &chosen.concat() + "\n"
}

/// Where a run stands, in a word.
pub(super) fn in_a_word(standing: &Option<Standing>) -> &'static str {
    standing.as_ref().map_or("damaged", Standing::words)
}

/// Whether training of a run is left to do: what is damaged is made again.
fn is_to_train(standing: &Option<Standing>) -> bool {
    standing.as_ref().is_none_or(Standing::is_to_train)
}

fn heading(plan: &Plan) -> String {
    let mut text = format!(
        "{}: {}, {}\n",
        plan.name,
        counted(plan.cells.len(), "cell"),
        counted(plan.runs.len(), "run")
    );
    if !plan.description.is_empty() {
        text += &format!("{}\n", plan.description);
    }
    for notice in &plan.notices {
        text += &format!("note: {notice}\n");
    }
    text + "\n"
}

fn run_table(plan: &Plan, standings: &[Option<Standing>], speed: Option<f64>) -> String {
    let header = [
        "run",
        "cell",
        "state",
        "parameters",
        "memory",
        "FLOPs",
        "time",
        "disk",
    ];
    let row = |(run, standing): (&PlannedRun, &Option<Standing>)| {
        let id = if run.unknown.is_empty() {
            run.id.clone()
        } else {
            "unknown".to_owned()
        };
        vec![
            id,
            run.label.clone(),
            in_a_word(standing).to_owned(),
            short_number(run.estimate.student_parameters as f64),
            size_or_unknown(run.estimate.memory_bytes),
            short_number(run.estimate.flops),
            duration(run.estimate.flops, speed),
            size_or_unknown(run.estimate.kept_bytes),
        ]
    };
    let rows = plan.runs.iter().zip(standings);
    table(&header, rows.map(row).collect(), 3)
}

/// What all runs cost, what is left of it, and what the groups save.
fn totals(plan: &Plan, standings: &[Option<Standing>], speed: Option<f64>) -> String {
    let teachers = teacher_flops(plan);
    let cost = GroupedCost::of(&plan.runs);
    let mut text = format!(
        "\nin total {} FLOPs of training, {} here, {} on disk",
        short_number(cost.flops),
        duration(cost.flops, speed),
        size_or_unknown(disk_of(plan))
    );
    if teachers > 0.0 {
        text += &format!(
            "; before it, once, the teacher's own: {} FLOPs, {}",
            short_number(teachers),
            duration(teachers, speed)
        );
    }
    text += &left_to_train(plan, standings, speed);
    text += &evaluations(plan, standings, speed);
    text += &format!(
        "\n{} in {}",
        counted(plan.runs.len(), "run"),
        counted(cost.groups, "group")
    );
    if cost.saved_flops > 0.0 {
        let share = 100.0 * cost.saved_flops / (cost.flops + cost.saved_flops);
        text += &format!(
            ": those of a group share each batch and the teacher's forward pass, which saves {} \
             FLOPs ({share:.0} %)",
            short_number(cost.saved_flops)
        );
    }
    text + "\n"
}

/// How much of the training is left, where some of it is done.
fn left_to_train(plan: &Plan, standings: &[Option<Standing>], speed: Option<f64>) -> String {
    let left: Vec<&PlannedRun> = plan
        .runs
        .iter()
        .zip(standings)
        .filter(|(_, standing)| is_to_train(standing))
        .map(|(run, _)| run)
        .collect();
    if left.len() == plan.runs.len() {
        return String::new();
    }
    let mut text = format!("\nleft to do: {}", counted(left.len(), "run"));
    // Where nothing is left its time is none, and not an unknown one.
    if !left.is_empty() {
        text += &format!(", {}", duration(GroupedCost::of(left).flops, speed));
    }
    text
}

/// What evaluating the runs takes, and what of it is left.
fn evaluations(plan: &Plan, standings: &[Option<Standing>], speed: Option<f64>) -> String {
    let runs = plan.runs.iter().zip(standings);
    let left: Vec<&PlannedRun> = runs
        .filter(|(_, standing)| **standing == Some(Standing::Trained) || is_to_train(standing))
        .map(|(run, _)| run)
        .collect();
    let sum = |cost: fn(&PlannedRun) -> f64| left.iter().map(|run| cost(run)).sum::<f64>();
    let memory = left.iter().map(|run| run.estimate.evaluation_memory_bytes);
    let (Some(memory), all) = (memory.max(), sum(|run| run.estimate.evaluation_flops)) else {
        return String::new();
    };
    let treatment = sum(|run| run.estimate.treatment_flops);
    let of_it = if treatment > 0.0 {
        format!(
            ", {} of it for whether the treatment arrived",
            duration(treatment, speed)
        )
    } else {
        String::new()
    };
    format!(
        "\nto be evaluated: {}, {}{of_it}, in {} of memory",
        counted(left.len(), "run"),
        duration(all, speed),
        size_or_unknown(memory)
    )
}

/// What is known, and what is not, of runs on a card.
fn of_a_card(plan: &Plan) -> String {
    let devices: BTreeSet<String> = plan
        .runs
        .iter()
        .map(|run| run.spec.train.device)
        .filter(|device| !device.is_cpu())
        .map(|device| device.to_string())
        .collect();
    if devices.is_empty() {
        return String::new();
    }
    let devices = devices.into_iter().collect::<Vec<_>>().join(" and ");
    format!(
        "on {devices}: memory is the card's, counted from shapes, beside what driver and libraries \
         take; times are not known before `kdpipe bench SPEC --device …` has measured a step \
         there\n"
    )
}

/// Why costs are not known, each reason once.
fn unknown_costs(plan: &Plan) -> BTreeSet<&str> {
    let reasons = plan.runs.iter().flat_map(|run| &run.unknown);
    reasons.map(String::as_str).collect()
}

fn arm_changes(plan: &Plan) -> String {
    let mut text = String::new();
    let value_or_absent = |value: &Option<String>| value.clone().unwrap_or("absent".to_owned());
    for arm in &plan.arms {
        if arm.changes.is_empty() {
            text += &format!("  {:<14} nothing\n", format!("{}:", arm.name));
        }
        for (i, change) in arm.changes.iter().enumerate() {
            let name = if i == 0 {
                format!("{}:", arm.name)
            } else {
                String::new()
            };
            text += &format!(
                "  {name:<14} {} = {}  (baseline: {})\n",
                change.key,
                value_or_absent(&change.value),
                value_or_absent(&change.baseline)
            );
        }
    }
    text
}

/// Columns as wide as they need to be, the first ones to the left, numbers to the right.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>, left: usize) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .chain([header[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| {
                if column < left {
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
fn short_number(number: f64) -> String {
    match number {
        n if n <= 0.0 => "?".to_owned(),
        n if n < 1e3 => format!("{n:.0}"),
        n if n < 1e6 => format!("{:.1} k", n / 1e3),
        n if n < 1e9 => format!("{:.2} M", n / 1e6),
        n => format!("{n:.1e}"),
    }
}

/// How long so many operations take, `?` where the speed is not known.
fn duration(flops: f64, speed: Option<f64>) -> String {
    rough_duration(speed.map_or(0.0, |speed| flops / speed))
}

/// `~3 min`: no more than a first idea, from a product of matrices that was just timed.
pub(super) fn rough_duration(seconds: f64) -> String {
    match seconds {
        s if s <= 0.0 => "?".to_owned(),
        s if s < 99.5 => format!("~{s:.0} s"),
        s if s < 5970.0 => format!("~{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("~{:.0} h", s / 3600.0),
        s => format!("~{:.0} days", s / 86_400.0),
    }
}

/// `?` where the number is not known.
fn size_or_unknown(number: u64) -> String {
    if number == 0 {
        "?".to_owned()
    } else {
        size_in_words(number)
    }
}

#[cfg(test)]
#[path = "plan_text_tests.rs"]
mod tests;
