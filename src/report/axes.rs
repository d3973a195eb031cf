//! The axes of a grid as the report speaks of them: which have a meaning of their own, which vary,
//! and how a setting of them is called.

use std::collections::BTreeMap;

use crate::plan::NULL_CONTROLS;
use crate::record::study::{Axis, Study};

/// Values of axes by key, as text.
pub type Setting = BTreeMap<String, String>;

pub use crate::plan::{ARM, SEED, TEACHER_SEED};

/// The axis of layer maps.
pub const STRATEGY: &str = "match.strategy";
/// The axis of which tokens are compared.
pub const TOKENS: &str = "match.tokens";
/// What the null control of the pairing is called: an arm or an axis may have it.
pub const SHUFFLED_TOKENS: &str = "shuffled tokens";
/// Stands for every value of an axis that makes no difference to the runs.
pub const ANY: &str = "not used";

/// Whether a layer map is a null control: one that should not help.
pub fn is_null(strategy: &str) -> bool {
    is_null_value(STRATEGY, strategy)
}

/// Whether a value of an axis is a null control.
pub fn is_null_value(key: &str, value: &str) -> bool {
    NULL_CONTROLS.contains(&(key, value))
}

/// Whether a setting has a null control's value in any axis.
pub fn is_null_setting(at: &Setting) -> bool {
    at.iter().any(|(key, value)| is_null_value(key, value))
}

/// The null controls among the grid's layer maps.
pub fn null_maps(study: &Study) -> Vec<&'static str> {
    let maps = axis(study, STRATEGY).map_or(&[][..], |axis| &axis.values);
    let of_maps = NULL_CONTROLS
        .into_iter()
        .filter(|(key, _)| *key == STRATEGY);
    let values = of_maps.map(|(_, value)| value);
    values
        .filter(|value| maps.iter().any(|map| map == value))
        .collect()
}

/// The axes that vary, in the order of the spec; the seed is left out, and those that the answer
/// should not depend on.
pub fn varying(study: &Study) -> impl Iterator<Item = &Axis> {
    study
        .axes
        .iter()
        .filter(|axis| axis.values.len() > 1 && is_compared(study, &axis.key))
}

/// Whether tables and comparisons have an axis: not the seed, and none that the answer should not
/// depend on.
pub fn is_compared(study: &Study, axis: &str) -> bool {
    axis != SEED && !study.report.sensitivity.contains_key(axis)
}

/// The axis of a key.
pub fn axis<'a>(study: &'a Study, key: &str) -> Option<&'a Axis> {
    study.axes.iter().find(|axis| axis.key == key)
}

/// `at` without some axes.
pub fn without(at: &Setting, axes: &[&str]) -> Setting {
    at.iter()
        .filter(|(key, _)| !axes.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// A short name of a setting: the arm, then what else varies.
pub fn label(at: &Setting, varying: &[&str]) -> String {
    words_of(at, varying).join(", ")
}

/// The same for sentences, whose own commas nobody must take for one of it: the arm, or else what
/// comes first, and in brackets what else varies.
pub fn name(at: &Setting, varying: &[&str]) -> String {
    let keys = varying.iter().copied();
    let (arm, others): (Vec<&str>, Vec<&str>) = keys.partition(|&key| key == ARM);
    let words = words_of(at, &[arm, others].concat());
    match words.split_first() {
        None => String::new(),
        Some((first, [])) => spoken(first),
        Some((first, others)) => format!("{} ({})", spoken(first), others.join(", ")),
    }
}

/// A name in a sentence: in quotes where the sentence might take it for a word of its own, as in
/// "better than none".
pub fn spoken(name: &str) -> String {
    if ["none", "all", "no", "nothing"].contains(&name) {
        format!("“{name}”")
    } else {
        name.to_owned()
    }
}

/// The words of a label, one for each axis that it tells.
fn words_of(at: &Setting, varying: &[&str]) -> Vec<String> {
    let named = varying.iter().filter_map(|&key| Some((key, at.get(key)?)));
    let named = named.filter(|(_, value)| value.as_str() != ANY);
    let (unsaid, said): (Vec<_>, Vec<_>) =
        named.partition(|(key, value)| goes_without_saying(key, value));
    let in_words = |named: &[(&str, &String)]| -> Vec<String> {
        let words = named.iter().map(|(key, value)| value_label(key, value));
        words.collect()
    };
    match (said.is_empty(), at.get(ARM)) {
        (false, _) => in_words(&said),
        (true, Some(arm)) => vec![arm.clone()],
        (true, None) if !unsaid.is_empty() => in_words(&unsaid),
        (true, None) => vec!["student".to_owned()],
    }
}

/// Whether a label leaves a value out: the only one of an axis of controls that is none.
pub fn goes_without_saying(key: &str, value: &str) -> bool {
    key == TOKENS && value == "paired"
}

/// The value of an axis in words: an arm or a strategy is its own name, a count comes before what
/// it counts, anything else after its key.
pub fn value_label(key: &str, value: &str) -> String {
    let short = key.rsplit('.').next().unwrap_or(key);
    if key == ARM || key == STRATEGY {
        value.to_owned()
    } else if short.ends_with('s') && value.parse::<u64>().is_ok_and(|count| count != 1) {
        format!("{value} {short}")
    } else {
        format!("{short} {value}")
    }
}

/// Axis values as `mse (student.layers = 4)`: with whole keys, for sentences.
pub fn in_words(at: &Setting) -> String {
    let goes_without_all = at
        .iter()
        .all(|(key, value)| goes_without_saying(key, value));
    let told = at
        .iter()
        .filter(|(key, value)| goes_without_all || !goes_without_saying(key, value));
    let (arm, others): (Vec<_>, Vec<_>) = told.partition(|(key, _)| key.as_str() == ARM);
    let words = others.iter().map(|(key, value)| format!("{key} = {value}"));
    let others: Vec<String> = words.collect();
    match (arm.first(), others.is_empty()) {
        (None, _) => others.join(" and "),
        (Some((_, arm)), true) => spoken(arm),
        (Some((_, arm)), false) => format!("{} ({})", spoken(arm), others.join(", ")),
    }
}

/// The name of a mean over the levels of all axes but these, for a sentence.
pub fn over_others(study: &Study, but: &[&str]) -> String {
    let others: Vec<&str> = varying(study)
        .map(|axis| axis.key.as_str())
        .filter(|key| !but.contains(key))
        .collect();
    others.join(", ")
}

/// The value of an axis that its others are compared with: the baseline's, or the first that is no
/// null control.
pub fn reference<'a>(study: &'a Study, axis: &'a Axis) -> Option<&'a str> {
    let fixed = study.report.baseline.get(&axis.key);
    let is_one = |value: &&String| !is_null_value(&axis.key, value);
    fixed
        .or_else(|| axis.values.iter().find(is_one))
        .map(String::as_str)
}
