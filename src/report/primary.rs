//! The comparison that the spec declares as the one that counts: it is judged apart.

use super::axes::{self, reference, value_label};
use super::frame::Group;
use super::questions::{Asked, Question};
use super::rows::GroupedRows;
use crate::record::study::Study;

/// Marks the comparison that the spec declared beforehand: against the baseline where it names a
/// value of the baseline's axes, and otherwise along its own axis, over the levels of all that it
/// does not fix.
pub fn declare_primary(study: &Study, groups: &[Group], rows: &GroupedRows, asked: &mut [Asked]) {
    let Some(primary) = study
        .report
        .primary
        .as_ref()
        .filter(|keys| !keys.is_empty())
    else {
        return;
    };
    let is_chosen = |row: usize| {
        let at = &groups[rows.first_group[row]].at;
        primary
            .iter()
            .all(|(key, value)| at.get(key) == Some(value))
    };
    let differs =
        |(key, value): (&String, &String)| primary.get(key).is_some_and(|own| own != value);
    let about_the_baseline = study.report.baseline.iter().any(differs);
    let axis = primary.keys().find(|key| {
        let axis = axes::axis(study, key).and_then(|axis| reference(study, axis));
        axis.is_some_and(|reference| primary.get(*key).is_some_and(|value| value != reference))
    });
    let mean = axis.map(|key| (key, value_label(key, &primary[key])));
    let has_mean = !about_the_baseline
        && primary.len() == 1
        && mean.as_ref().is_some_and(|(key, label)| {
            let is_it = |asked: &Asked| {
                asked.question == Question::Main((*key).clone()) && asked.label == *label
            };
            asked.iter().any(is_it)
        });
    for asked in asked {
        asked.is_primary = match &asked.question {
            Question::Baseline => about_the_baseline && asked.row.is_some_and(is_chosen),
            Question::Axis(key) => {
                !about_the_baseline
                    && !has_mean
                    && axis == Some(key)
                    && asked.row.is_some_and(is_chosen)
            }
            Question::Main(key) => {
                has_mean
                    && axis == Some(key)
                    && mean.as_ref().is_some_and(|(_, l)| *l == asked.label)
            }
            Question::Compute
            | Question::Untreated
            | Question::Null
            | Question::Interaction(..) => false,
        };
    }
}
