//! Null controls: layer maps that match layers in an order that should not help. A gain counts only
//! over them.

use std::collections::BTreeMap;

use super::axes::{self, STRATEGY, Setting, is_null};
use super::data::StudyData;
use super::frame::Group;
use super::pairing::{both_finished, paired};
use super::statistics::{FEWEST_SEEDS, Paired};
use crate::plan::NULL_CONTROLS;

/// Whether a gain counts over the null controls.
#[derive(Debug, Clone, PartialEq)]
pub struct Nulls {
    /// Better than the baseline and than both controls, each at α; none where that cannot be told.
    pub beats: Option<bool>,
    /// The largest p value of the three comparisons.
    pub p: Option<f64>,
    /// Each control that is there with the mean difference to it.
    pub controls: Vec<(String, f64)>,
    /// Controls that the grid does not have, or that have fewer than three seeds in common.
    pub lacking: Vec<String>,
}

/// One of the three comparisons.
#[derive(Debug, Clone, Copy)]
struct Gain {
    /// Better, at α.
    is_real: bool,
    p: f64,
}

impl Gain {
    /// None of fewer than three seeds.
    fn new(paired: &Paired, alpha: f64) -> Option<Self> {
        let p = paired.p.filter(|_| paired.n() >= FEWEST_SEEDS)?;
        Some(Self {
            is_real: paired.mean < 0.0 && p <= alpha,
            p,
        })
    }
}

/// Compares a group with the null controls of its arm; none where it is a control itself, or the
/// grid has no layer maps, or the map is no part of it. `places` finds a group by its setting.
pub fn nulls(
    data: &StudyData,
    groups: &[Group],
    places: &BTreeMap<&Setting, usize>,
    group: usize,
    against_baseline: Option<&Paired>,
) -> Option<Nulls> {
    let strategy = groups[group].at.get(STRATEGY)?;
    let maps = &axes::axis(&data.study, STRATEGY)?.values;
    if is_null(strategy) || !maps.iter().any(|map| is_null(map)) {
        return None;
    }
    let alpha = data.study.report.alpha;
    let mut gains = vec![against_baseline.and_then(|paired| Gain::new(paired, alpha))];
    let (mut controls, mut lacking) = (Vec::new(), Vec::new());
    for name in NULL_CONTROLS {
        let mut at = groups[group].at.clone();
        at.insert(STRATEGY.to_owned(), name.to_owned());
        let pairs = places
            .get(&at)
            .map(|&control| both_finished(data, &groups[group].cells, &groups[control].cells))
            .unwrap_or_default();
        if pairs.iter().any(|(a, b)| a.id == b.id) {
            // Without a hidden term the map is no part of the run.
            return None;
        }
        let comparison = paired(&pairs);
        match comparison.and_then(|paired| Some((Gain::new(&paired, alpha)?, paired.mean))) {
            Some((gain, difference)) => {
                gains.push(Some(gain));
                controls.push((name.to_owned(), difference));
            }
            None => lacking.push(name.to_owned()),
        }
    }
    let complete: Option<Vec<Gain>> = if lacking.is_empty() {
        gains.iter().copied().collect()
    } else {
        None
    };
    Some(Nulls {
        beats: beats(&gains, complete.as_deref()),
        p: complete.map(|gains| gains.iter().map(|gain| gain.p).fold(0.0, f64::max)),
        controls,
        lacking,
    })
}

/// Whether all three gains are real; one that is not decides, whatever the others say.
fn beats(gains: &[Option<Gain>], complete: Option<&[Gain]>) -> Option<bool> {
    match complete {
        Some(gains) => Some(gains.iter().all(|gain| gain.is_real)),
        None => gains
            .iter()
            .flatten()
            .any(|gain| !gain.is_real)
            .then_some(false),
    }
}
