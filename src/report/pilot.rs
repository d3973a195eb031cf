//! What is known of a study's spread before it is run as planned: the comparisons that it will
//! make, and from the runs that are there already, how much their differences vary and how long the
//! runs took.

use std::collections::BTreeMap;

use anyhow::Result;

use super::analysis::Analysis;
use super::axes::SEED;
use super::data::{RunData, StudyData};
use crate::record::layout::Layout;
use crate::record::study::Study;

/// A comparison of a study, with the spread of its pilot.
#[derive(Debug, Clone, PartialEq)]
pub struct PilotComparison {
    pub label: String,
    pub against: String,
    /// Tested alone, at the whole α.
    pub is_primary: bool,
    /// Seeds that both finished.
    pub n: usize,
    /// Standard deviation of the differences of a seed; none of fewer than two seeds.
    pub deviation: Option<f64>,
}

/// The comparisons of a study with what is there of its runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Pilot {
    pub comparisons: Vec<PilotComparison>,
    /// Counted operations of training that were done in a second, as far as times are stored.
    pub flops_per_second: Option<f64>,
}

/// Looks at the runs of `study` that lie in `layout`, all of them or none.
///
/// # Errors
/// None that a readable study can cause.
pub fn pilot(layout: &Layout, study: Study) -> Result<Pilot> {
    let data = StudyData::read(layout, study);
    let analysis = Analysis::new(&data)?;
    let comparisons = analysis.contrasts.iter().filter_map(|contrast| {
        let paired = contrast.paired.as_ref();
        Some(PilotComparison {
            label: contrast.asked.label.clone(),
            against: contrast.asked.against.clone()?,
            is_primary: contrast.asked.is_primary,
            n: paired.map_or(0, |paired| paired.n()),
            deviation: paired.and_then(|paired| paired.deviation),
        })
    });
    Ok(Pilot {
        comparisons: comparisons.collect(),
        flops_per_second: flops_per_second(&data),
    })
}

/// Operations over seconds. The runs of a seed and a teacher advance together: they share the
/// teacher's passes, and the slowest of them says how long all took.
fn flops_per_second(data: &StudyData) -> Option<f64> {
    let mut groups: BTreeMap<(Option<&String>, &String), Vec<&RunData>> = BTreeMap::new();
    for (place, cell) in data.study.cells.iter().enumerate() {
        let group = groups
            .entry((cell.at.get(SEED), &cell.teacher))
            .or_default();
        let run = data.run(place);
        if group.iter().all(|known| known.id != run.id) {
            group.push(run);
        }
    }
    let (mut flops, mut seconds) = (0.0, 0.0);
    for group in groups.values() {
        let timed = group.iter().filter_map(|run| {
            let training = run.evaluation.as_ref()?.training.as_ref()?;
            Some((training, run.training_seconds?))
        });
        let (mut shared, mut longest) = (0.0f64, 0.0f64);
        for (training, own) in timed {
            flops += training.student_flops + training.critic_flops;
            shared = shared.max(training.teacher_flops);
            longest = longest.max(own);
        }
        flops += shared;
        seconds += longest;
    }
    (flops > 0.0 && seconds > 0.0).then(|| flops / seconds)
}

#[cfg(test)]
#[path = "pilot_tests.rs"]
mod tests;
