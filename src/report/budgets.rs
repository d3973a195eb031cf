//! Arms that compute as much as another, whatever a step of theirs costs.

use crate::record::study::Study;

/// How a budget that names an arm stands in what a study sets, around the name.
const WRITTEN: (&str, &str) = ("\"flops of ", "\"");

/// Each arm whose steps are those that another arm's operations pay for, with that other.
pub fn budgets(study: &Study) -> Vec<(&str, &str)> {
    let Some(settings) = &study.settings else {
        return Vec::new();
    };
    let arms = settings.arms.iter();
    arms.filter_map(|(arm, values)| {
        let written = values.get("train.budget")?;
        let of = written.strip_prefix(WRITTEN.0)?.strip_suffix(WRITTEN.1)?;
        (of != arm).then_some((arm.as_str(), of))
    })
    .collect()
}
