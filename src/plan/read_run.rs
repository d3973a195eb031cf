//! From the merged layers of a cell to the written form of its run, with everything that is wrong
//! in it as far as that can be known without the inputs.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::check::{Checked, check};
use super::diagnostics::{Diagnostic, Place};
use super::findings::{CellFindings, UnusedKeys};
use super::resolve::{Problem, UnusedKey, known_from_spec, resolve};
use super::run::{Budget, Term};
use super::schema;
use super::spec_layers::{Merged, On, Origin, PathStep, dotted, key_path};
use super::written::WrittenRun;

/// Checks a merged run and reads it; none where single values have faults. `cell` is the label of
/// its cell.
pub fn read_run(merged: &Merged, cell: &str, findings: &mut CellFindings) -> Option<WrittenRun> {
    let Checked {
        mut value,
        faults,
        unused,
    } = check(merged, schema::run());
    let faulty = !faults.is_empty();
    findings.mistakes.extend(faults);
    let mut told = Vec::new();
    for (key, diagnostic) in unused {
        told.push(key.clone());
        findings.unused.add(key, true, || diagnostic);
    }
    if faulty {
        return None;
    }
    let disabled = take_disabled_losses(&mut value);
    let run: WrittenRun = deserialize(value, &mut findings.mistakes)?;
    for name in &disabled {
        add_overrides_of_disabled_loss(merged, name, &told, &mut findings.unused);
    }
    if !run.loss.values().any(Term::is_hidden) {
        for table in ["match", "balance"] {
            add_overrides_without_hidden_loss(merged, table, &told, &mut findings.unused);
        }
    }
    add_steps_under_a_budget(merged, &run, &mut findings.unused);
    let resolved = resolve(&run, &known_from_spec(&run));
    for unused in resolved.unused {
        add_unused(merged, &unused, &mut findings.unused);
    }
    for problem in resolved.problems {
        findings.problems.add(located(merged, problem), cell);
    }
    Some(run)
}

/// A mistake of a cell with its place.
pub fn located(merged: &Merged, problem: Problem) -> Diagnostic {
    let place = merged.place(&key_path(&problem.key), problem.on);
    Diagnostic {
        message: problem.message,
        place,
        hint: Some(problem.hint),
    }
}

/// A checked value as its type; a value that passed the check and is refused here is a gap between
/// schema and type, which is said rather than hidden.
pub fn deserialize<T: DeserializeOwned>(value: Json, mistakes: &mut Vec<Diagnostic>) -> Option<T> {
    match T::deserialize(value) {
        Ok(read) => Some(read),
        Err(error) => {
            mistakes.push(Diagnostic::new(format!("the spec cannot be read: {error}")));
            None
        }
    }
}

/// Takes disabled losses, and the switch itself, out of a checked run; gives their names.
fn take_disabled_losses(value: &mut Json) -> Vec<String> {
    let mut disabled = Vec::new();
    if let Some(losses) = value.get_mut("loss").and_then(Json::as_object_mut) {
        losses.retain(|name, term| {
            let enabled = term
                .as_object_mut()
                .and_then(|term| term.remove("enabled"))
                .is_none_or(|enabled| enabled == true);
            if !enabled {
                disabled.push(name.clone());
            }
            enabled
        });
    }
    disabled
}

/// Adds what is set from outside or by an axis of a loss that is not enabled; `told` are keys of
/// this cell that were added before.
fn add_overrides_of_disabled_loss(
    merged: &Merged,
    name: &str,
    told: &[String],
    unused: &mut UnusedKeys,
) {
    let path = [
        PathStep::Key("loss".to_owned()),
        PathStep::Key(name.to_owned()),
    ];
    visit_overrides(merged, &path, &mut |key, place| {
        if !key.ends_with(".enabled") && !told.iter().any(|known| known == key) {
            let reason = format!("{key} has no effect: loss.{name} is not enabled");
            unused.add(key.to_owned(), false, || {
                Diagnostic::new(reason)
                    .at(place)
                    .hint("leave it out, or enable the loss in some cell")
            });
        }
    });
}

/// The same of a table that a run without hidden losses has no use for.
fn add_overrides_without_hidden_loss(
    merged: &Merged,
    table: &str,
    told: &[String],
    unused: &mut UnusedKeys,
) {
    let path = [PathStep::Key(table.to_owned())];
    visit_overrides(merged, &path, &mut |key, place| {
        if !told.iter().any(|known| known == key) {
            let reason = format!("{key} has no effect: no hidden loss is enabled");
            unused.add(key.to_owned(), false, || {
                Diagnostic::new(reason)
                    .at(place)
                    .hint("leave it out, or add a hidden loss")
            });
        }
    });
}

/// Adds the steps in whose place a budget of operations stands, where they were set beside or over
/// it: below it they are what it was set for to replace, and those of an arm that another's budget
/// names count.
fn add_steps_under_a_budget(merged: &Merged, run: &WrittenRun, unused: &mut UnusedKeys) {
    let Some(Budget::Flops(flops)) = run.train.budget else {
        return;
    };
    let [steps, budget] = ["train.steps", "train.budget"].map(key_path);
    if merged.rank(&steps) < merged.rank(&budget) {
        return;
    }
    unused.add("train.steps".to_owned(), true, || {
        Diagnostic::new(format!(
            "train.steps has no effect with train.budget = {flops:e}"
        ))
        .at(merged.place(&steps, On::Key))
        .hint("leave one of them out: the budget says how many steps there are")
    });
}

/// Adds a key that the run has no use for, unless it only is there by default.
fn add_unused(merged: &Merged, key: &UnusedKey, unused: &mut UnusedKeys) {
    let UnusedKey { key, reason } = key;
    let path = key_path(key);
    let is_written = merged
        .origin(&path)
        .is_some_and(|(layer, _)| layer.origin != Origin::Defaults);
    if is_written {
        let place = merged.place(&path, On::Key);
        unused.add(key.clone(), false, || {
            Diagnostic::new(format!("{key} has no effect with {reason}"))
                .at(place)
                .hint("leave it out")
        });
    }
}

/// Calls `visit` on every value below `path` that an axis, the environment or `--set` gives.
fn visit_overrides(merged: &Merged, path: &[PathStep], visit: &mut dyn FnMut(&str, Option<Place>)) {
    let Some(value) = merged.find(path) else {
        return;
    };
    if let figment::value::Value::Dict(_, dict) = value {
        for key in dict.keys() {
            let mut below = path.to_vec();
            below.push(PathStep::Key(key.clone()));
            visit_overrides(merged, &below, visit);
        }
        return;
    }
    let is_override = merged
        .layer_of(value)
        .is_some_and(|layer| layer.origin.is_override());
    if is_override {
        visit(&dotted(path), merged.place(path, On::Value));
    }
}
