//! What a study was changed in after results were seen, in sentences: the verdicts hold as if
//! nothing had been.

use std::collections::BTreeSet;

use super::axes::is_null_value;
use crate::plan::{ARM, ReportSettings};
use crate::record::TRIED;
use crate::record::set_anew::{arm_and_key, input, set_anew};
use crate::record::study::{Look, Study};

/// How many seeds of a list are named.
const NAMED_SEEDS: usize = 8;
/// How many settings of the runs are.
const NAMED_SETTINGS: usize = 8;

/// A sentence for everything that was changed; none of a study that is as it was first written.
pub fn sentences(study: &Study) -> Vec<String> {
    let found = study.found.map(|runs| {
        format!(
            "When this study was declared is not known: {runs} of its runs had been evaluated, \
             or had diverged, before its lock.toml was written."
        )
    });
    let mut sentences: Vec<String> = found.into_iter().collect();
    if !study.looks.is_empty() {
        sentences.extend(changes(study));
    }
    sentences
}

/// What a study was changed in at its looks.
fn changes(study: &Study) -> Vec<String> {
    let now = Look::at(study, 0);
    let states: Vec<&Look> = study.looks.iter().chain([&now]).collect();
    let mut changes: Vec<String> = seeds(&states).into_iter().collect();
    changes.extend(judgement(&states));
    changes.extend(grid(&states));
    changes.extend(settings(study));
    changes.extend(inputs(study));
    if changes.is_empty() {
        changes.push("Other cells of the grid were left out after results were seen.".to_owned());
    }
    changes
}

/// When the primary comparison was declared, in words that follow "declared".
pub fn when_declared(study: &Study) -> &'static str {
    let now = Look::at(study, 0);
    let is_other = |keys: &[&str]| {
        let of = |look: &Look| -> Vec<Option<String>> {
            keys.iter()
                .map(|key| look.report.get(*key).cloned())
                .collect()
        };
        study.looks.iter().any(|look| of(look) != of(&now))
    };
    let concerned = primary_arms(study);
    let is_of_it = |arm: &str| concerned.is_empty() || concerned.contains(&arm);
    let set = set_anew(study);
    let of_it = set.keys().map(|key| arm_and_key(key));
    let of_it = of_it
        .filter(|(arm, _)| arm.is_none_or(is_of_it))
        .map(|(_, key)| key);
    // What was exchanged is of every arm.
    let mut anew: Vec<&str> = of_it.collect();
    anew.extend(exchanged(study).into_iter().map(String::as_str));
    // Where it is given says which one it is, and so does over what.
    if is_other(&["primary", "sensitivity", "baseline"]) || is_over_others(study, &now) {
        "after results were seen"
    } else if study.found.is_some() {
        "at a time that is not known"
    } else if anew.iter().any(|key| !is_measurement(key)) {
        "beforehand, of runs that were set anew after results were seen"
    } else if !anew.is_empty() {
        "beforehand, of runs that were measured anew after results were seen"
    } else if is_other(&["margin", "alpha"]) {
        "beforehand, judged by a δ or an α that was set after results were seen"
    } else {
        "beforehand"
    }
}

/// Whether an axis that the primary comparison leaves open had other values when results were seen:
/// it is made at each of them, or is their mean.
fn is_over_others(study: &Study, now: &Look) -> bool {
    let Some(primary) = &study.report.primary else {
        return false;
    };
    let ReportSettings {
        baseline,
        sensitivity,
        ..
    } = &study.report;
    let is_fixed = |key: &str| {
        // What is held against the baseline is so whatever other values its axes have.
        let mut named = baseline.iter();
        let is_about_it =
            named.any(|(key, value)| primary.get(key).is_some_and(|own| !own.has(value)));
        primary.contains_key(key) || (is_about_it && baseline.contains_key(key))
    };
    let keys = study
        .looks
        .iter()
        .chain([now])
        .flat_map(|look| look.grid.keys());
    let mut open = keys
        .filter(|key| !key.starts_with(TRIED) && !is_fixed(key) && !sensitivity.contains_key(*key));
    // A control is no part of it, where it is not named.
    let values = |look: &Look, key: &str| -> Option<Vec<String>> {
        let mut values = look.grid.get(key)?.clone();
        values.retain(|value| !is_null_value(key, value));
        Some(values)
    };
    open.any(|key| {
        let mut looks = study.looks.iter();
        looks.any(|look| values(look, key) != values(now, key))
    })
}

/// Whether a key says how runs are measured, which makes no others of them.
fn is_measurement(key: &str) -> bool {
    key.starts_with("evaluate.")
}

/// The arms that the primary comparison is between; none where it may be all.
fn primary_arms(study: &Study) -> Vec<&str> {
    let of_primary = study.report.primary.as_ref().and_then(|at| at.get(ARM));
    let (Some(primary), Some(baseline)) = (of_primary, study.report.baseline.get(ARM)) else {
        return Vec::new();
    };
    let arms = primary.values().iter().chain([baseline]);
    arms.map(String::as_str).collect()
}

/// Seeds that were added, or exchanged.
fn seeds(states: &[&Look]) -> Option<String> {
    let lists = distinct(states.iter().map(|look| &look.seeds));
    if lists.len() < 2 {
        return None;
    }
    let has_grown = lists
        .windows(2)
        .all(|pair| pair[0].iter().all(|seed| pair[1].contains(seed)));
    let named: Vec<String> = lists.iter().map(|seeds| seeds_in_words(seeds)).collect();
    Some(if has_grown {
        format!(
            "Seeds were added after results were seen: first {}. Intervals and p values assume a \
             number that was fixed beforehand, so their true error is larger than α: who adds \
             seeds until a difference shows, from 3 up to 10, finds one in 17 % of the studies \
             that have none, instead of in 5 %.",
            named.join(", then ")
        )
    } else {
        format!(
            "Seeds were changed after results were seen: first {}. Intervals and p values assume \
             that they were fixed beforehand: a choice among seeds can make a difference of \
             nothing.",
            named.join(", then ")
        )
    })
}

/// `3 seeds (0, 1, 2)`.
fn seeds_in_words(seeds: &[String]) -> String {
    let noun = if seeds.len() == 1 { "seed" } else { "seeds" };
    let list = match seeds.split_last() {
        None => "of which nothing is stored".to_owned(),
        Some((last, others)) if others.len() >= NAMED_SEEDS => {
            format!("{}, …, {last}", others[..NAMED_SEEDS - 2].join(", "))
        }
        Some(_) => seeds.join(", "),
    };
    format!("{} {noun} ({list})", seeds.len())
}

/// What `[report]` judges by.
fn judgement(states: &[&Look]) -> Vec<String> {
    let mut keys: Vec<&String> = states.iter().flat_map(|look| look.report.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let sentence = |key: &String| {
        let values = distinct(states.iter().map(|look| look.report.get(key)));
        if values.len() < 2 {
            return None;
        }
        let name = match key.as_str() {
            "margin" => "δ".to_owned(),
            "alpha" => "α".to_owned(),
            "baseline" => "The baseline".to_owned(),
            "primary" => "The primary comparison".to_owned(),
            other => format!("report.{other}"),
        };
        let values: Vec<&str> = values
            .into_iter()
            .map(|value| value.map(String::as_str).filter(|value| !value.is_empty()))
            .map(|value| value.unwrap_or("nothing"))
            .collect();
        Some(changed(&name, &values))
    };
    keys.into_iter().filter_map(sentence).collect()
}

/// Axes but the seed.
fn grid(states: &[&Look]) -> Vec<String> {
    let mut axes: Vec<&String> = states.iter().flat_map(|look| look.grid.keys()).collect();
    axes.sort_unstable();
    axes.dedup();
    let sentence = |axis: &String| {
        let values = distinct(states.iter().map(|look| look.grid.get(axis)));
        let values: Vec<String> = values
            .into_iter()
            .map(|values| match values {
                Some(values) => format!("[{}]", values.join(", ")),
                None => "nothing".to_owned(),
            })
            .collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        (values.len() > 1).then(|| changed(&format!("The grid's {axis}"), &values))
    };
    axes.into_iter().filter_map(sentence).collect()
}

/// What is set for the runs and their evaluation.
fn settings(study: &Study) -> Option<String> {
    let set_anew = set_anew(study);
    let in_words = |(key, values): (&String, &Vec<&str>)| {
        let values = values.iter();
        let values: Vec<&str> = values
            .map(|value| if value.is_empty() { "nothing" } else { value })
            .collect();
        format!("{key} ({})", values.join(", then "))
    };
    let mut changes: Vec<String> = set_anew.iter().map(in_words).collect();
    let more = changes.len().saturating_sub(NAMED_SETTINGS);
    changes.truncate(NAMED_SETTINGS);
    if more > 0 {
        changes.push(format!("{more} more"));
    }
    let are_others = set_anew
        .keys()
        .any(|key| !is_measurement(arm_and_key(key).1));
    let consequence = if are_others {
        "What is set anew by what runs reached on a test text is chosen by it."
    } else {
        "The runs are the same, measured in another way."
    };
    (!changes.is_empty()).then(|| {
        format!(
            "What is set for the runs was changed after results were seen: {}. {consequence}",
            changes.join("; ")
        )
    })
}

/// The inputs that were exchanged, by what they are.
fn exchanged(study: &Study) -> BTreeSet<&String> {
    let looks = study.looks.iter();
    looks.flat_map(|look| look.inputs.keys()).collect()
}

/// What the spec names as before, and is another.
fn inputs(study: &Study) -> Option<String> {
    let roles = exchanged(study);
    let changes = roles.iter().map(|role| {
        let then = study.looks.iter().filter_map(|look| look.inputs.get(*role));
        let hashes = then.cloned().chain([input(study, role)]);
        format!("{role} ({})", distinct(hashes).join(", then "))
    });
    let changes: Vec<String> = changes.collect();
    let consequence = if roles.iter().any(|role| !is_measurement(role)) {
        "Runs of then and of now are not made from the same, and what was exchanged was chosen \
         with results at hand."
    } else {
        "The runs are the same, measured on something else."
    };
    (!changes.is_empty()).then(|| {
        format!(
            "What the spec names as before was exchanged after results were seen: {}. \
             {consequence}",
            changes.join("; ")
        )
    })
}

/// `δ was changed from 0.005 to 0.01 after results were seen.`
fn changed(name: &str, values: &[&str]) -> String {
    match values {
        [before, now] => {
            format!("{name} was changed from {before} to {now} after results were seen.")
        }
        _ => format!(
            "{name} was changed after results were seen: {}.",
            values.join(", then ")
        ),
    }
}

/// What follows on each other, where it is not the same.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found: Vec<T> = values.collect();
    found.dedup();
    found
}

#[cfg(test)]
#[path = "looks_tests.rs"]
mod tests;
