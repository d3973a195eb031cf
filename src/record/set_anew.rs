//! What a study set when its results were seen, and sets otherwise now: kept in its looks as far
//! as it was changed, and read back from them.

use std::collections::{BTreeMap, BTreeSet};

use super::study::{Cell, RemovedArm, Study};
use crate::plan::{ARM, Axis, SEED, is_at_or_below};

/// Begins the key of what one arm sets.
const ARMS: &str = "arms.";
/// What is set by key, of one arm.
type Set<'a> = BTreeMap<&'a str, &'a str>;
/// Values of then and of now by key, empty where there is none.
type ChangedValues<'a> = BTreeMap<&'a str, [&'a str; 2]>;

/// What `stored` set and `now` sets otherwise, with its value of then, where cells became other
/// runs or are evaluated in another way; also where no cell is the same, as seeds are others.
pub fn changed_settings(stored: &Study, now: &Study) -> BTreeMap<String, String> {
    let (Some(before), Some(after)) = (&stored.settings, &now.settings) else {
        return BTreeMap::new();
    };
    if is_made_the_same(stored, now) {
        return BTreeMap::new();
    }
    // What is an axis is told as one; another choice of arms is a change of the grid.
    let axes: Vec<&str> = keys(&stored.axes).chain(keys(&now.axes)).collect();
    let differing = |arm| {
        let mut changed = differing(&before.of_arm(arm), &after.of_arm(arm));
        changed.retain(|key, _| !is_varied(key, &axes));
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
        changed.extend(own.map(|(key, [old, _])| (of_arm(arm, key), old.to_string())));
    }
    let shared = for_all.iter();
    changed.extend(shared.map(|(key, [old, _])| (key.to_string(), old.to_string())));
    // An older version may not have known the key.
    changed.retain(|_, old| !old.is_empty() || stored.version == now.version);
    changed
}

/// Whether the cells that both studies have are the same runs, measured in the same way; not where
/// they have none in common.
fn is_made_the_same(stored: &Study, now: &Study) -> bool {
    let made = |study: &Study| -> BTreeMap<BTreeMap<String, String>, [String; 3]> {
        let ids = |cell: &Cell| [&cell.run, &cell.evaluation, &cell.teacher].map(String::clone);
        let cells = study.cells.iter();
        cells.map(|cell| (cell.at.clone(), ids(cell))).collect()
    };
    let (old, new) = (made(stored), made(now));
    let mut common = old.iter().filter_map(|(at, ids)| Some((ids, new.get(at)?)));
    common.clone().next().is_some() && common.all(|(then, now)| then == now)
}

/// The hash of then of every input that is another now though nothing says so: what lies below a
/// path, or at a revision of the hub, was exchanged.
pub fn exchanged_inputs(stored: &Study, now: &Study) -> BTreeMap<String, String> {
    let (Some(before), Some(after)) = (&stored.settings, &now.settings) else {
        return BTreeMap::new();
    };
    let axes: Vec<&str> = keys(&stored.axes).chain(keys(&now.axes)).collect();
    let names = arms(stored).iter().map(Some).chain([None]);
    let set_otherwise: BTreeSet<&str> = names
        .map(|arm| arm.map(String::as_str))
        .flat_map(|arm| differing(&before.of_arm(arm), &after.of_arm(arm)).into_keys())
        .collect();
    let is_told = |role: &str| {
        let is_of_role = |axis: &&str| is_at_or_below(axis, role) || is_at_or_below(role, axis);
        set_otherwise.iter().any(|key| is_at_or_below(key, role)) || axes.iter().any(is_of_role)
    };
    // One that is trained here is another wherever anything is.
    let all = before.of_arm(None);
    let source = all.get("teacher.source").unwrap_or(&TRAIN);
    let is_trained = |role: &str| role == "teacher" && *source == TRAIN;
    let (old, new) = (by_role(stored), by_role(now));
    let both = old
        .iter()
        .filter_map(|(role, hashes)| Some((role, hashes, new.get(role)?)));
    // An arm that came with an input of its own takes nothing away, and another version may count
    // otherwise.
    let is_gone = |then: &[&str], now: &[&str]| then.iter().any(|hash| !now.contains(hash));
    let is_counted_alike = stored.version == now.version;
    both.filter(|(role, then, now)| {
        is_counted_alike && is_gone(then, now) && !is_told(role) && !is_trained(role)
    })
    .map(|(role, then, _)| (role.to_string(), then.join(" and ")))
    .collect()
}

/// The source of a teacher that is trained here, as TOML.
const TRAIN: &str = "\"train\"";
/// So many of a hash are kept.
const DIGITS: usize = 12;

/// The first digits of the hashes of `Study::inputs`, those of one role (`teacher`, `teacher.2`)
/// together.
fn by_role(study: &Study) -> BTreeMap<&str, Vec<&str>> {
    let mut hashes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, hash) in &study.inputs {
        let role = match key.rsplit_once('.') {
            Some((role, number)) if number.parse::<usize>().is_ok() => role,
            _ => key,
        };
        let digits = hash.get(..DIGITS).unwrap_or(hash);
        hashes.entry(role).or_default().push(digits);
    }
    hashes
}

/// The arms that `stored` has and `now` has not, with all that was set for them.
pub fn removed_arms(stored: &Study, now: &Study) -> BTreeMap<String, RemovedArm> {
    let Some(settings) = &stored.settings else {
        return BTreeMap::new();
    };
    let still = arms(now);
    let gone = arms(stored).iter().filter(|arm| !still.contains(arm));
    gone.map(|arm| {
        let set = settings.of_arm(Some(arm)).into_iter();
        let removed = RemovedArm {
            version: stored.version.clone(),
            settings: set
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        };
        (arm.clone(), removed)
    })
    .collect()
}

/// What was set otherwise at a look than it is now, with its values from then to now, empty where
/// there is none: by its key, or `arms.<arm>.<key>` where that arm alone had it.
pub fn set_anew(study: &Study) -> BTreeMap<String, Vec<&str>> {
    let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (place, look) in study.looks.iter().enumerate() {
        for (key, then) in &look.settings {
            values.entry(key.clone()).or_default().push(then);
        }
        for (key, then) in added_again_otherwise(study, place) {
            values.entry(key).or_default().push(then);
        }
    }
    for (key, values) in &mut values {
        values.push(setting(study, key));
        values.dedup();
    }
    // An arm that was taken out and came back as it was is none that was changed.
    values.retain(|_, values| values.len() > 1);
    values
}

/// What an arm that was taken out at the look of this place, and is there again, was set to then,
/// where that is not what it is set to now and nothing else tells it.
fn added_again_otherwise(study: &Study, place: usize) -> Vec<(String, &str)> {
    let (look, later) = (&study.looks[place], &study.looks[place + 1..]);
    let Some(settings) = &study.settings else {
        return Vec::new();
    };
    let then = look.grid.keys().map(String::as_str);
    let axes: Vec<&str> = keys(&study.axes).chain(then).collect();
    let later = later.iter().flat_map(|look| look.settings.keys());
    let told: BTreeSet<&str> = later.map(String::as_str).collect();
    let mut found = Vec::new();
    for arm in arms(study) {
        let Some(removed) = look.removed.get(arm) else {
            continue;
        };
        let before: Set = removed
            .settings
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        for (key, [old, _]) in differing(&before, &settings.of_arm(Some(arm))) {
            // A newer version may have brought the key.
            let is_new = old.is_empty() && removed.version != study.version;
            if !is_new && !is_varied(key, &axes) && !told.contains(key) {
                found.push((of_arm(arm, key), old));
            }
        }
    }
    found
}

fn keys(axes: &[Axis]) -> impl Iterator<Item = &str> {
    axes.iter().map(|axis| axis.key.as_str())
}

/// Whether a key is at or below one of these axes.
fn is_varied(key: &str, axes: &[&str]) -> bool {
    axes.iter().any(|axis| is_at_or_below(key, axis))
}

/// The arms of the grid.
fn arms(study: &Study) -> &[String] {
    let axis = study.axes.iter().find(|axis| axis.key == ARM);
    axis.map_or(&[], |axis| &axis.values)
}

/// What is set otherwise.
fn differing<'a>(old: &Set<'a>, new: &Set<'a>) -> ChangedValues<'a> {
    let keys = old.keys().chain(new.keys()).copied();
    let values = |key| [old, new].map(|of| of.get(key).copied().unwrap_or_default());
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

/// A key that is of one arm.
fn of_arm(arm: &str, key: &str) -> String {
    format!("{ARMS}{arm}.{key}")
}

/// The arm that a key of [`set_anew`] is of, where it is one arm's, and the key itself.
pub fn arm_and_key(key: &str) -> (Option<&str>, &str) {
    let of_arm = key.strip_prefix(ARMS).and_then(|rest| rest.split_once('.'));
    of_arm.map_or((None, key), |(arm, key)| (Some(arm), key))
}

/// What is set now under a key of [`set_anew`]; empty where nothing is.
fn setting<'a>(study: &'a Study, key: &str) -> &'a str {
    let Some(settings) = &study.settings else {
        return "";
    };
    let (arm, key) = arm_and_key(key);
    if arm.is_some_and(|arm| !arms(study).iter().any(|known| known == arm)) {
        return "";
    }
    settings.of_arm(arm).get(key).copied().unwrap_or_default()
}

/// The hash of an input now that a look keeps, as [`exchanged_inputs`] has it; empty where there is
/// none.
pub fn input(study: &Study, role: &str) -> String {
    by_role(study)
        .get(role)
        .map_or_else(String::new, |hashes| hashes.join(" and "))
}
