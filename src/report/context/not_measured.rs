//! Hidden losses of which nobody knows whether they did their work, and why.

use super::names::name_of;
use crate::report::analysis::Analysis;
use crate::report::closeness::SettingCloseness;
use crate::report::data::StudyData;
use crate::report::delivery::{Unmeasured, unmeasured};

/// A sentence for each reason why nothing is known of the hidden losses of some settings, which
/// must not read as if they had done their work; controls are not asked. `closeness` is the table
/// that stands below these sentences.
pub fn not_measured(
    data: &StudyData,
    analysis: &Analysis,
    closeness: &[SettingCloseness],
) -> Vec<String> {
    let rows = &analysis.rows;
    let is_known = |label: &str| {
        let mut deliveries = analysis.contrasts.iter().flat_map(|one| &one.deliveries);
        deliveries.any(|delivery| delivery.label == label)
    };
    // With whether the table has the uniform map in the place of one without fixed pairs.
    let reason = |place: usize| {
        let row = &rows[place];
        let is_asked = !row.is_control && !is_known(&row.label);
        let why = is_asked.then(|| unmeasured(data, rows, row)).flatten()?;
        let is_in_table = closeness.iter().any(|one| one.label == row.label);
        Some((why, why == Unmeasured::NoPairs && is_in_table))
    };
    let told = [
        (Unmeasured::OtherPairs, false),
        (Unmeasured::NoPairs, true),
        (Unmeasured::NoPairs, false),
        (Unmeasured::NoQuantity, false),
    ];
    let sentence = |why: (Unmeasured, bool)| {
        let places = 0..rows.len();
        let places: Vec<usize> = places.filter(|&place| reason(place) == Some(why)).collect();
        if places.is_empty() {
            return None;
        }
        let because = match why {
            (Unmeasured::OtherPairs, _) => {
                "the setting without hidden losses, by which they would be judged, is measured on \
                 the pairs of uniform, last and reverse alone"
            }
            (Unmeasured::NoPairs, true) => {
                "their maps match no fixed pairs of layers, and the table below has those of the \
                 uniform map in their place"
            }
            (Unmeasured::NoPairs, false) => "their maps match no fixed pairs of layers",
            (Unmeasured::NoQuantity, _) => "what they are about is not measured pair by pair",
        };
        let names = name_of(rows, &places);
        Some(format!(
            "Whether the hidden losses of {names} did their work was not measured: {because}."
        ))
    };
    told.into_iter().filter_map(sentence).collect()
}

#[cfg(test)]
#[path = "not_measured_tests.rs"]
mod tests;
