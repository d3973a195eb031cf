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
use super::layout::Layout;
use super::study::{Cell, Look, Study};
use crate::plan::{ARM, SEED, StudySettings, is_at_or_below};

/// Begins the key of what one arm sets.
const ARMS: &str = "arms.";
/// Begins a look in `lock.toml`.
const HEADING: &str = "[[looks]]";

impl Look {
    /// A study as a look at it finds it, `finished` of its runs evaluated.
    pub fn at(study: &Study, finished: usize) -> Self {
        let others = study.axes.iter().filter(|axis| axis.key != SEED);
        let others = others.map(|axis| (axis.key.clone(), axis.values.clone()));
        let tried = study.trials.iter().flat_map(|trials| &trials.axes);
        let tried = tried.map(|axis| (format!("select.{}", axis.key), axis.values.clone()));
        Self {
            seeds: seeds(study),
            finished,
            grid: others.chain(tried).collect(),
            report: judged_by(study),
            settings: BTreeMap::new(),
        }
    }

    /// What the user is told where it is kept.
    pub fn notice(&self) -> String {
        format!(
            "the study is changed after results were seen ({} of its runs were evaluated): \
             lock.toml keeps that, and the report says it; another pipeline.name, or another \
             folder with --results, begins anew",
            self.finished
        )
    }
}

/// The look that has to be kept where `stored`, which lies in `layout`, becomes `now`; none where
/// nothing changes that a look is about, or nothing could be compared yet.
pub fn look_before_change(layout: &Layout, stored: &Study, now: &Study) -> Option<Look> {
    let changed = changed_settings(stored, now);
    let is_same = Look::at(stored, 0) == Look::at(now, 0)
        && settings(stored) == settings(now)
        && changed.is_empty();
    if is_same {
        return None;
    }
    let finished = compared_runs(layout, stored)?;
    Some(Look {
        settings: changed,
        ..Look::at(stored, finished)
    })
}

/// What `stored` set and `now` sets otherwise, with its value of then, where cells became other
/// runs or are evaluated in another way; also where no cell is the same, as seeds are others.
fn changed_settings(stored: &Study, now: &Study) -> BTreeMap<String, String> {
    let (Some(before), Some(after)) = (&stored.settings, &now.settings) else {
        return BTreeMap::new();
    };
    let made = |study: &Study| -> BTreeMap<BTreeMap<String, String>, [String; 3]> {
        let ids = |cell: &Cell| [&cell.run, &cell.evaluation, &cell.teacher].map(String::clone);
        let cells = study.cells.iter();
        cells.map(|cell| (cell.at.clone(), ids(cell))).collect()
    };
    let (old, new) = (made(stored), made(now));
    let mut common = old.iter().filter_map(|(at, ids)| Some((ids, new.get(at)?)));
    let has_common = common.clone().next().is_some();
    if has_common && common.all(|(then, now)| then == now) {
        return BTreeMap::new();
    }
    // What is an axis is told as one; another choice of arms is a change of the grid.
    let axes: Vec<_> = stored.axes.iter().chain(&now.axes).collect();
    let is_varied = |key| axes.iter().any(|axis| is_at_or_below(key, &axis.key));
    let differing = |arm| {
        let mut changed = differing(before, after, arm);
        changed.retain(|key, _| !is_varied(key));
        changed
    };
    let still = arms(now);
    let arms: Vec<&String> = arms(stored)
        .iter()
        .filter(|arm| still.contains(arm))
        .collect();
    let own: Vec<ChangedValues> = arms.iter().map(|arm| differing(Some(arm))).collect();
    let mut for_all = match own.first() {
        None => differing(None),
        Some(first) => first.clone(),
    };
    for_all.retain(|key, values| own.iter().all(|own| own.get(key) == Some(values)));
    let mut changed: BTreeMap<String, String> = BTreeMap::new();
    for (arm, own) in arms.iter().zip(&own) {
        let own = own.iter().filter(|(key, _)| !for_all.contains_key(*key));
        changed.extend(own.map(|(key, [old, _])| (format!("{ARMS}{arm}.{key}"), old.to_string())));
    }
    let shared = for_all.iter();
    changed.extend(shared.map(|(key, [old, _])| (key.to_string(), old.to_string())));
    // An older version may not have known the key.
    changed.retain(|_, old| !old.is_empty() || stored.version == now.version);
    changed
}

/// The arms of the grid.
fn arms(study: &Study) -> &[String] {
    let axis = study.axes.iter().find(|axis| axis.key == ARM);
    axis.map_or(&[], |axis| &axis.values)
}

/// Values of then and of now by key, empty where there is none.
type ChangedValues<'a> = BTreeMap<&'a str, [&'a str; 2]>;

/// What is set otherwise for an arm.
fn differing<'a>(
    before: &'a StudySettings,
    after: &'a StudySettings,
    arm: Option<&str>,
) -> ChangedValues<'a> {
    let (old, new) = (before.of_arm(arm), after.of_arm(arm));
    let keys = old.keys().chain(new.keys()).copied();
    let values = |key| [&old, &new].map(|of| of.get(key).copied().unwrap_or_default());
    let mut changed: ChangedValues = keys
        .map(|key| (key, values(key)))
        .filter(|(key, [old, new])| old != new && !is_beside_results(key))
        .collect();
    // How often is looked follows from the steps, where nothing else is written.
    let steps: Vec<&str> = changed
        .keys()
        .filter_map(|key| key.strip_suffix(".steps"))
        .collect();
    let follows = |key: &str| {
        let table = key.strip_suffix(".evaluate_every");
        table.is_some_and(|table| steps.contains(&table))
    };
    changed.retain(|key, _| !follows(key));
    changed
}

/// Whether a key changes nothing that is compared: seeds have their own words, and how often is
/// saved or looked makes no other model.
fn is_beside_results(key: &str) -> bool {
    let ends = [".checkpoint_every", ".gradients_every"];
    key == SEED || ends.iter().any(|end| key.ends_with(end))
}

/// The arm that a key of [`Look::settings`] is of, where it is one arm's, and the key itself.
pub fn arm_and_key(key: &str) -> (Option<&str>, &str) {
    let of_arm = key.strip_prefix(ARMS).and_then(|rest| rest.split_once('.'));
    of_arm.map_or((None, key), |(arm, key)| (Some(arm), key))
}

impl Study {
    /// What is set now under a key of [`Look::settings`]; empty where nothing is.
    pub fn setting(&self, key: &str) -> &str {
        let Some(settings) = &self.settings else {
            return "";
        };
        let (arm, key) = arm_and_key(key);
        if arm.is_some_and(|arm| !arms(self).iter().any(|known| known == arm)) {
            return "";
        }
        settings.of_arm(arm).get(key).copied().unwrap_or_default()
    }
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
                "arm" => in_words(value),
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

/// How many runs are evaluated, where there is something to compare: different runs in at least two
/// settings.
fn compared_runs(layout: &Layout, study: &Study) -> Option<usize> {
    let mut evaluated: BTreeMap<_, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for cell in &study.cells {
        // In whatever way it was measured, it was seen.
        if has_any_evaluation(&layout.run(&cell.run)) {
            let runs = evaluated.entry(setting(&cell.at)).or_default();
            runs.insert((cell.run.as_str(), cell.evaluation.as_str()));
        }
    }
    let different: BTreeSet<_> = evaluated.values().collect();
    let runs: BTreeSet<_> = evaluated.values().flatten().collect();
    (different.len() > 1).then_some(runs.len())
}
