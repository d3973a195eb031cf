//! When a change of a study is a look: results were there to be seen, and then it was made another.
//! Another number of seeds, or another margin, is then no longer one that was fixed beforehand; the
//! study keeps that for ever, and the report says it.
//!
//! Changed are seeds, the other axes of the grid, what `[select]` tries, `[report]` but for its
//! template, and what is set for the runs and their evaluation, where it makes others of them:
//! those were not seen, but who sets an arm anew by what it reached on the test text chose by it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::evaluations::has_any_evaluation;
use super::layout::{Layout, RunFolder};
use super::set_anew::{changed_settings, exchanged_inputs, removed_arms};
use super::study::{Cell, Look, Study};
use crate::plan::{ARM, SEED};

/// Begins the key of what `[select]` tries, in [`Look::grid`].
pub const TRIED: &str = "select.";
/// Begins a look in `lock.toml`.
const HEADING: &str = "[[looks]]";

impl Look {
    /// A study as a look at it finds it, `finished` of its runs evaluated.
    pub fn at(study: &Study, finished: usize) -> Self {
        let others = study.axes.iter().filter(|axis| axis.key != SEED);
        let others = others.map(|axis| (axis.key.clone(), axis.values.clone()));
        let tried = study.trials.iter().flat_map(|trials| &trials.axes);
        let tried = tried.map(|axis| (format!("{TRIED}{}", axis.key), axis.values.clone()));
        Self {
            seeds: seeds(study),
            finished,
            grid: others.chain(tried).collect(),
            report: judged_by(study),
            settings: BTreeMap::new(),
            inputs: BTreeMap::new(),
            removed: BTreeMap::new(),
        }
    }

    /// What the user is told where it is kept.
    pub fn notice(&self) -> String {
        format!(
            "the study is changed after results were seen ({} of its runs were evaluated, \
             or had diverged): lock.toml keeps that, and the report says it; another \
             pipeline.name, or another folder with --results, begins anew",
            self.finished
        )
    }
}

/// Gives `now`, which takes the place of `stored` in `layout`, what is known of results that were
/// seen before it; the look, where the change is one.
pub fn carry_what_was_seen<'a>(
    layout: &Layout,
    stored: &Study,
    now: &'a mut Study,
) -> Option<&'a Look> {
    (now.seen, now.found) = (stored.seen, stored.found);
    if let Some(look) = look_before_change(layout, stored, now) {
        now.looks.push(look);
        return now.looks.last();
    }
    // Other runs though nothing was changed, by another version say: what was seen stays seen.
    let ids = |study: &Study| -> BTreeSet<[String; 2]> {
        let ids = |cell: &Cell| [&cell.run, &cell.evaluation].map(String::clone);
        study.cells.iter().map(ids).collect()
    };
    if ids(stored) != ids(now) {
        now.seen = stored.seen.max(compared_runs(layout, stored));
    }
    None
}

/// Notes in a study that takes the place of none what was there to be seen before it: runs of
/// whatever study, two of which could be compared.
pub fn note_what_was_found(layout: &Layout, now: &mut Study) {
    let runs = std::fs::read_dir(layout.runs()).into_iter().flatten();
    let names = runs.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let seen = names.filter(|name| was_seen(&layout.run(name))).count();
    now.found = (seen > 1).then_some(seen);
}

/// Whether a run had something to be seen of, in whatever way it was measured: also that it
/// diverged.
fn was_seen(run: &RunFolder) -> bool {
    has_any_evaluation(run) || run.failure().exists()
}

/// The look that has to be kept where `stored`, which lies in `layout`, becomes `now`; none where
/// nothing changes that a look is about, or nothing could be compared yet.
pub fn look_before_change(layout: &Layout, stored: &Study, now: &Study) -> Option<Look> {
    let kept = |finished| Look {
        settings: changed_settings(stored, now),
        inputs: exchanged_inputs(stored, now),
        removed: removed_arms(stored, now),
        ..Look::at(stored, finished)
    };
    if kept(0) == Look::at(now, 0) && settings(stored) == settings(now) {
        return None;
    }
    // What was seen once was seen, also where its runs are others by now.
    let before = stored.looks.iter().map(|look| look.finished).max();
    let finished = compared_runs(layout, stored).max(before).max(stored.seen)?;
    Some(kept(finished))
}

/// The looks of `lock.toml`, those of a damaged file too, as far as they can be read.
pub fn read_looks(layout: &Layout) -> Vec<Look> {
    #[derive(Deserialize)]
    struct LooksAlone {
        looks: Vec<Look>,
    }
    let Ok(bytes) = std::fs::read(layout.lock()) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let read = |text: &str| toml::from_str::<LooksAlone>(text).ok();
    if let Some(LooksAlone { looks }) = read(&text) {
        return looks;
    }
    // They stand last: what is damaged in one does not take the others along.
    let parts = text.split(HEADING).skip(1);
    parts
        .filter_map(|part| read(&format!("{HEADING}{part}")))
        .flat_map(|read| read.looks)
        .collect()
}

/// The seeds, as text.
fn seeds(study: &Study) -> Vec<String> {
    let axis = study.axes.iter().find(|axis| axis.key == SEED);
    let single = || study.settings.as_ref()?.shared.get(SEED).cloned();
    match axis {
        Some(axis) => axis.values.clone(),
        None => single().into_iter().collect(),
    }
}

/// Every key of `[report]` but its template, in words; what is none is left out.
fn judged_by(study: &Study) -> BTreeMap<String, String> {
    let value = serde_json::to_value(&study.report).unwrap_or_default();
    let Some(keys) = value.as_object() else {
        return BTreeMap::new();
    };
    keys.iter()
        .filter(|(key, value)| key.as_str() != "template" && !value.is_null())
        .map(|(key, value)| (key.clone(), in_words(value)))
        .collect()
}

/// A value as a sentence has it: `mse, student.layers = 4`.
fn in_words(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(axes) => {
            let words = axes.iter().map(|(key, value)| match key.as_str() {
                ARM => in_words(value),
                _ => format!("{key} = {}", in_words(value)),
            });
            words.collect::<Vec<_>>().join(", ")
        }
        serde_json::Value::Array(values) => {
            let words: Vec<String> = values.iter().map(in_words).collect();
            words.join(" and ")
        }
        other => other.to_string(),
    }
}

/// The settings of all axes but the seed.
fn settings(study: &Study) -> BTreeSet<BTreeMap<&str, &str>> {
    let cells = study.cells.iter();
    cells.map(|cell| setting(&cell.at)).collect()
}

fn setting(at: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    at.iter()
        .filter(|(key, _)| key.as_str() != SEED)
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// How many runs are evaluated, or have diverged, where there is something to compare: different
/// runs in at least two settings.
fn compared_runs(layout: &Layout, study: &Study) -> Option<usize> {
    let mut evaluated: BTreeMap<_, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for cell in &study.cells {
        if was_seen(&layout.run(&cell.run)) {
            let runs = evaluated.entry(setting(&cell.at)).or_default();
            runs.insert((cell.run.as_str(), cell.evaluation.as_str()));
        }
    }
    let different: BTreeSet<_> = evaluated.values().collect();
    let runs: BTreeSet<_> = evaluated.values().flatten().collect();
    (different.len() > 1).then_some(runs.len())
}
