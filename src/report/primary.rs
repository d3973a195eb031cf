//! The comparisons that the spec declares as those that count: they are judged apart.

use std::collections::{BTreeMap, BTreeSet};

use super::axes::{self, is_null_value, reference, value_label};
use super::frame::Group;
use super::questions::{Asked, Question};
use super::rows::GroupedRows;
use crate::plan::AxisChoice;
use crate::record::study::Study;

/// What the spec declares, by axis. Of an axis that the answer should not depend on it says where
/// the answer is given, and no more.
fn declared(study: &Study) -> BTreeMap<&str, &AxisChoice> {
    let keys = study.report.primary.iter().flatten();
    let keys = keys.filter(|(key, _)| axes::is_compared(study, key));
    keys.map(|(key, own)| (key.as_str(), own)).collect()
}

/// Whether the spec names a setting as one side of the comparison that counts.
pub fn is_declared(study: &Study, group: &Group) -> bool {
    let primary = declared(study);
    let mut named = primary.iter();
    // A null control is one where it is named, and not by all that else it is.
    let mut values = group.at.iter();
    let has_own_controls = values.all(|(key, value)| {
        !is_null_value(key, value)
            || primary.contains_key(key.as_str())
            || study.report.baseline.get(key) == Some(value)
    });
    !primary.is_empty()
        && has_own_controls
        && named.all(|(key, chosen)| group.at.get(*key).is_some_and(|own| chosen.has(own)))
}

/// Marks the comparisons that the spec declared beforehand: against the baseline where it names a
/// value of the baseline's axes, and otherwise along its own axis, over the levels of all that it
/// does not fix.
pub fn declare_primary(study: &Study, groups: &[Group], rows: &GroupedRows, asked: &mut [Asked]) {
    let primary = declared(study);
    if primary.is_empty() {
        return;
    }
    // A row may be several settings that are the same runs.
    let settings = groups.iter().zip(&rows.row_of_group);
    let chosen = settings.filter(|(group, _)| is_declared(study, group));
    let chosen: BTreeSet<usize> = chosen.map(|(_, &row)| row).collect();
    let is_chosen = |row: usize| chosen.contains(&row);
    let differs = |(key, value): (&String, &String)| {
        primary.get(key.as_str()).is_some_and(|own| !own.has(value))
    };
    let about_the_baseline = study.report.baseline.iter().any(differs);
    let axis = primary.keys().copied().find(|key| {
        let axis = axes::axis(study, key).and_then(|axis| reference(study, axis));
        axis.is_some_and(|reference| !primary[key].has(reference))
    });
    let means = axis.map(|key| {
        let values = primary[key].values().iter();
        let labels = values.map(|value| value_label(key, value));
        (key, labels.collect::<Vec<String>>())
    });
    let has_mean = !about_the_baseline
        && primary.len() == 1
        && means.as_ref().is_some_and(|(key, labels)| {
            let is_it = |asked: &Asked| {
                asked.question == Question::Main((*key).to_owned()) && labels.contains(&asked.label)
            };
            asked.iter().any(is_it)
        });
    for asked in asked {
        asked.is_primary = match &asked.question {
            Question::Baseline => about_the_baseline && asked.row.is_some_and(is_chosen),
            Question::Axis(key) => {
                !about_the_baseline
                    && !has_mean
                    && axis == Some(key.as_str())
                    && asked.row.is_some_and(is_chosen)
            }
            Question::Main(key) => {
                has_mean
                    && axis == Some(key.as_str())
                    && means
                        .as_ref()
                        .is_some_and(|(_, labels)| labels.contains(&asked.label))
            }
            Question::Compute
            | Question::Untreated
            | Question::Null
            | Question::Interaction(..) => false,
        };
    }
}
