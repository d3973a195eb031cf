//! Where the items of tasks come from: files or a dataset of the hub, one of both.

use std::collections::BTreeSet;

use super::super::path::InputPath;
use super::super::run::{EvaluateSpec, TaskSpec};
use super::CellReport;

/// Checks that every task names its items once, and nothing that they have no use for.
pub(super) fn check_tasks(evaluate: &EvaluateSpec, report: &mut CellReport) {
    for (name, task) in &evaluate.tasks {
        let table = format!("evaluate.tasks.{name}");
        let (files, repo, of_repo) = match task {
            TaskSpec::Grammar { items: _ } => continue,
            TaskSpec::Pairs {
                files,
                repo,
                revision,
                configs,
                split,
            }
            | TaskSpec::Cloze {
                files,
                repo,
                revision,
                configs,
                split,
            } => {
                check_configs(&table, configs, report);
                let of_repo = [
                    ("revision", revision.is_some()),
                    ("configs", !configs.is_empty()),
                    ("split", split.is_some()),
                ];
                (files.as_slice(), repo.as_deref(), of_repo)
            }
        };
        check_place(&table, task, files, repo, report);
        if repo.is_none() && !files.is_empty() {
            for (key, _) in of_repo.iter().filter(|(_, is_written)| *is_written) {
                report.unused(format!("{table}.{key}"), format!("{table}.files"));
            }
        }
    }
}

/// Refuses a task without items, and one whose items lie in two places.
fn check_place(
    table: &str,
    task: &TaskSpec,
    files: &[InputPath],
    repo: Option<&str>,
    report: &mut CellReport,
) {
    let (file, dataset) = match task {
        TaskSpec::Cloze { .. } => ("lambada.jsonl", "EleutherAI/lambada_openai"),
        TaskSpec::Grammar { .. } | TaskSpec::Pairs { .. } => ("blimp/*.jsonl", "nyu-mll/blimp"),
    };
    match repo {
        None if files.is_empty() => report.problem(
            table,
            format!("{table} has no items: neither files nor repo is written"),
            format!("write files = [\"{file}\"], or repo = \"{dataset}\" for one of the hub"),
        ),
        Some(repo) if !files.is_empty() => report.problem(
            &format!("{table}.repo"),
            format!("{table}.repo = \"{repo}\" stands beside {table}.files"),
            "leave one of them out; items of both are two tasks",
        ),
        None | Some(_) => {}
    }
}

/// The items of a configuration that is named twice would count twice.
fn check_configs(table: &str, configs: &[String], report: &mut CellReport) {
    let mut seen = BTreeSet::new();
    for (index, config) in configs.iter().enumerate() {
        if !seen.insert(config) {
            report.problem(
                &format!("{table}.configs[{index}]"),
                format!("{table}.configs names \"{config}\" twice"),
                "name it once",
            );
        }
    }
}
