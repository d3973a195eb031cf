//! `kdpipe clean`: what a study's folder holds beside the study.

use std::path::Path;

use serde_json::json;

use super::args::{CleanArguments, Common};
use super::{CommandResult, Exit, counted, hub_to_plan, print, print_json, say, spec_options};
use crate::files::size_in_words;
use crate::plan::load;
use crate::record::layout::Layout;
use crate::record::{Leftover, LeftoverKind, StudyParts, leftovers, remove_leftover};
use crate::runner::{ResolvedStudy, StudyInputs, resolve_study};

pub fn clean(arguments: &CleanArguments, common: &Common) -> CommandResult {
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    let hub = hub_to_plan(&loaded, common)?;
    let layout = Layout::new(&common.results, loaded.name());
    let study = resolve_study(loaded, &StudyInputs::to_plan(&hub), &layout)?;
    if study.awaits_choice() {
        let words = format!(
            "[select] has not chosen yet, and so it is not known which runs the study has; \
             `kdpipe run {}` chooses",
            arguments.spec.display()
        );
        if arguments.remove {
            return Err(anyhow::anyhow!(words).into());
        }
        say(&format!("note: {words}"));
    }
    let found = leftovers(&layout, &wanted(&study))?;
    let mut kept = Vec::new();
    if arguments.remove {
        for leftover in &found {
            if !remove_leftover(leftover)? {
                kept.push(leftover);
            }
        }
    }
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
    for leftover in kept {
        say(&format!(
            "note: {} stays: a process is at it by now",
            shown(&layout.root, leftover)
        ));
    }
    Ok(Exit::Good)
}

fn wanted(study: &ResolvedStudy) -> StudyParts {
    let mut wanted = StudyParts::default();
    let tried = study.trial.iter().flat_map(|trial| &trial.runs);
    for run in study.plan.runs.iter().chain(tried) {
        let evaluations = wanted.runs.entry(run.id.clone()).or_default();
        evaluations.insert(run.evaluation_key.clone());
        let evaluations = wanted.teachers.entry(run.teacher_key.clone()).or_default();
        evaluations.insert(run.teacher_evaluation_key.clone());
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
