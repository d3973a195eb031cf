//! `kdpipe clean`: what a study's folder holds beside the study.

use std::path::Path;

use serde_json::json;

use super::args::{CleanArguments, Common};
use super::stored::{OtherSpec, other_spec, refuse_another_spec};
use super::{
    CommandResult, Exit, counted, hub_to_plan, print, print_json, remove_each, say, spec_options,
};
use crate::files::size_in_words;
use crate::plan::{Trials, load};
use crate::record::layout::Layout;
use crate::record::study::{Cell, Study};
use crate::record::{Leftover, LeftoverKind, StudyParts, leftovers, read_study, remove_leftover};
use crate::runner::{ResolvedStudy, StudyInputs, resolve_study};

pub fn clean(arguments: &CleanArguments, common: &Common) -> CommandResult {
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    let hub = hub_to_plan(&loaded, common)?;
    let layout = Layout::new(&common.results, loaded.name());
    refuse_another_spec(&layout, &arguments.spec)?;
    let stored = stored(&layout)?;
    let other = stored.as_ref();
    let other = other.and_then(|stored| other_spec(&loaded, stored));
    let study = resolve_study(loaded, &StudyInputs::to_plan(&hub), &layout)?;
    let mut wanted = wanted(&study);
    if let Some(stored) = &stored {
        add_stored(&mut wanted, stored, other.as_ref(), &study);
    }
    if let Some(other) = &other {
        say(&format!("note: {}", other.words));
    }
    if let Some(words) = not_known(&study, stored.as_ref(), other.as_ref(), &arguments.spec) {
        if arguments.remove {
            return Err(anyhow::anyhow!(words).into());
        }
        say(&format!("note: {words}"));
    }
    let mut found = leftovers(&layout, &wanted)?;
    let kept = if arguments.remove {
        remove_each(&mut found, remove_leftover)?
    } else {
        Vec::new()
    };
    if common.json {
        print_json(&json!({
            "folder": layout.root,
            "found": found,
            "bytes": bytes(&found),
            "removed": arguments.remove,
            "kept": kept,
        }))?;
        return Ok(Exit::Good);
    }
    if !common.quiet {
        print(&told(&layout.root, &found, arguments.remove));
    }
    for leftover in &kept {
        say(&format!(
            "note: {} stays: a process is at it by now",
            shown(&layout.root, leftover)
        ));
    }
    Ok(Exit::Good)
}

/// The study that lies in the folder; none where there is none.
fn stored(layout: &Layout) -> anyhow::Result<Option<Study>> {
    let is_there = layout.lock().exists();
    is_there.then(|| read_study(layout)).transpose()
}

/// Why nobody can say which runs the study has, and what helps. A stored study of the same spec
/// names its runs itself, once all was chosen.
fn not_known(
    study: &ResolvedStudy,
    stored: Option<&Study>,
    other: Option<&OtherSpec>,
    spec: &Path,
) -> Option<String> {
    let run = spec.display();
    let of_this_spec = stored.filter(|_| other.is_none());
    let trials = of_this_spec.and_then(|study| study.trials.as_ref());
    if study.awaits_choice() && trials.and_then(Trials::choice).is_none() {
        return Some(format!(
            "[select] has not chosen yet, and so it is not known which runs the study has; \
             `kdpipe run {run}` chooses"
        ));
    }
    if other.is_some_and(|other| !other.is_same_elsewhere) {
        return Some(format!(
            "the stored runs were set otherwise, by --set perhaps, and which of them the study \
             has is for `kdpipe run {run}` to find out"
        ));
    }
    let tried = study.trial.iter().flat_map(|trial| &trial.runs);
    let runs = study.plan.runs.iter().chain(tried);
    let reason = runs.flat_map(|run| &run.unknown).next();
    let reason = reason.filter(|_| stored.is_none())?;
    Some(format!(
        "it is not known which runs the study has: {reason}; `kdpipe run {run}` finds out"
    ))
}

/// What the stored study has of the spec at hand: on this machine, and with the inputs that are
/// here now, ids may be others. Where the spec has other axes, its cells; where it sets something
/// otherwise, nothing.
fn add_stored(
    wanted: &mut StudyParts,
    stored: &Study,
    other: Option<&OtherSpec>,
    study: &ResolvedStudy,
) {
    if other.is_some_and(|other| !other.is_same_elsewhere) {
        return;
    }
    let is_named = |cell: &&Cell| {
        other.is_none() || study.plan.cells.iter().any(|planned| planned.at == cell.at)
    };
    for cell in stored.cells.iter().filter(is_named) {
        wanted.add(
            [&cell.run, &cell.evaluation],
            [&cell.teacher, &cell.teacher_evaluation],
        );
    }
    let tried = stored.trials.iter().flat_map(|trials| &trials.tried);
    for run in tried.flat_map(|tried| &tried.runs) {
        wanted.runs.entry(run.clone()).or_default();
    }
}

fn wanted(study: &ResolvedStudy) -> StudyParts {
    let mut wanted = StudyParts::default();
    let tried = study.trial.iter().flat_map(|trial| &trial.runs);
    for run in study.plan.runs.iter().chain(tried) {
        wanted.add(
            [&run.id, &run.evaluation_key],
            [&run.teacher_key, &run.teacher_evaluation_key],
        );
    }
    wanted
}

fn bytes(found: &[Leftover]) -> u64 {
    found.iter().map(|leftover| leftover.bytes).sum()
}

fn shown(root: &Path, leftover: &Leftover) -> String {
    let path = leftover.path.strip_prefix(root).unwrap_or(&leftover.path);
    path.display().to_string()
}

fn told(root: &Path, found: &[Leftover], removed: bool) -> String {
    let folder = root.display();
    if found.is_empty() {
        return format!("{folder}: nothing is left over\n");
    }
    let mut text = String::new();
    for leftover in found {
        text += &format!(
            "{:>9}  {:<28}  {}\n",
            size_in_words(leftover.bytes),
            shown(root, leftover),
            why(leftover.kind)
        );
    }
    let sum = format!(
        "{folder}: {}, {}",
        counted(found.len(), "item"),
        size_in_words(bytes(found))
    );
    text += &if removed {
        format!("{sum} removed\n")
    } else {
        format!("{sum}; nothing was removed: --remove does it\n")
    };
    text
}

fn why(kind: LeftoverKind) -> &'static str {
    match kind {
        LeftoverKind::Run => "a run that the spec does not name",
        LeftoverKind::Teacher => "a teacher that no run of the spec has",
        LeftoverKind::Evaluation => "an evaluation by other settings than the spec's",
        LeftoverKind::Work => "an unfinished run that the spec does not name",
        LeftoverKind::SetAside => "damaged, and set aside",
    }
}
