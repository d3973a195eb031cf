//! Arms that are the same runs: what the spec changes in one of them has no effect.

use std::collections::BTreeMap;

use super::planned::{ARM, PlannedCell};

/// The runs of an arm, by the values of all other axes.
type RunsOfArm<'a> = BTreeMap<Vec<(&'a str, &'a str)>, usize>;

/// A word on every arm that is the same runs as one before it, wherever the grid has both.
pub fn arms_of_the_same_runs(cells: &[PlannedCell]) -> Vec<String> {
    let mut arms: Vec<(&str, RunsOfArm)> = Vec::new();
    for cell in cells {
        let Some(arm) = cell.at.get(ARM) else {
            return Vec::new();
        };
        let others = cell.at.iter().filter(|(axis, _)| *axis != ARM);
        let others = others.map(|(axis, value)| (axis.as_str(), value.as_str()));
        let place = arms.iter().position(|(known, _)| known == arm);
        let place = place.unwrap_or_else(|| {
            arms.push((arm, RunsOfArm::new()));
            arms.len() - 1
        });
        arms[place].1.insert(others.collect(), cell.run);
    }
    let twin = |place: usize| {
        let (name, runs) = &arms[place];
        let (twin, _) = arms[..place]
            .iter()
            .find(|(_, known)| are_same(known, runs))?;
        Some(format!(
            "arms {twin} and {name} are the same runs: nothing that is set in one of them alone \
             has an effect"
        ))
    };
    (0..arms.len()).filter_map(twin).collect()
}

/// Whether two arms have settings in common, and the same run in each of them.
fn are_same(one: &RunsOfArm, other: &RunsOfArm) -> bool {
    let mut common = one
        .iter()
        .filter_map(|(at, run)| Some((run, other.get(at)?)));
    let first = common.next();
    first.is_some_and(|(a, b)| a == b) && common.all(|(a, b)| a == b)
}
