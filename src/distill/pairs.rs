//! The pairs of (student, teacher) states that hidden terms compare, at a step.

use crate::plan::layer_runs;
use crate::plan::run::{HiddenState, Matching};
use crate::random::{Purpose, Seed, Stream};

/// What a state of the student is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// A state of the teacher.
    One(HiddenState),
    /// The mean of several.
    Mean(Vec<HiddenState>),
    /// Several, weighted token by token by the softmax of their products with the student's state
    /// (ALP-KD, arXiv 2012.14022).
    Attended(Vec<HiddenState>),
    /// Several, each by itself, as far as the cheapest transport between layers goes that way
    /// (BERT-EMD, arXiv 2010.06133).
    Transported(Vec<HiddenState>),
}

impl Matched {
    /// The teacher's states that it is made of.
    pub fn states(&self) -> &[HiddenState] {
        match self {
            Self::One(state) => std::slice::from_ref(state),
            Self::Mean(states) | Self::Attended(states) | Self::Transported(states) => states,
        }
    }
}

/// The pairs in force at `step` of a run, in the order of the student's layers.
///
/// Fixed maps were resolved by `plan`. The random one (RAIL-KD, arXiv 2109.10164) draws
/// `student_layers` of the teacher's 1 … `teacher_layers` without replacement and sorts them,
/// anew in every epoch or every `redraw` steps; a draw depends on the seed and its own number
/// alone.
pub fn pairs_at(
    matching: &Matching,
    student_layers: usize,
    teacher_layers: usize,
    seed: Seed,
    step: u64,
    epoch: u64,
) -> Vec<(HiddenState, Matched)> {
    let with_all = |matched: fn(Vec<HiddenState>) -> Matched| {
        let all: Vec<HiddenState> = (1..=teacher_layers).map(HiddenState::Layer).collect();
        let of_layer = |layer| (HiddenState::Layer(layer), matched(all.clone()));
        (1..=student_layers).map(of_layer).collect()
    };
    match matching {
        Matching::Pairs { pairs, .. } => {
            let pairs = pairs.iter();
            pairs
                .map(|&(own, other)| (own, Matched::One(other)))
                .collect()
        }
        Matching::Attention { .. } => with_all(Matched::Attended),
        Matching::Emd { .. } => with_all(Matched::Transported),
        Matching::Combine { .. } => layer_runs(student_layers, teacher_layers)
            .into_iter()
            .zip(1..)
            .map(|(run, layer)| {
                let run = run.map(HiddenState::Layer).collect();
                (HiddenState::Layer(layer), Matched::Mean(run))
            })
            .collect(),
        Matching::Random { redraw, .. } => {
            let draw = redraw.map_or(epoch, |every| step / every.max(1));
            let mut layers = Stream::of(seed, Purpose::RandomMap, draw).permutation(teacher_layers);
            layers.truncate(student_layers);
            layers.sort_unstable();
            layers
                .into_iter()
                .enumerate()
                .map(|(i, layer)| {
                    let other = Matched::One(HiddenState::Layer(layer + 1));
                    (HiddenState::Layer(i + 1), other)
                })
                .collect()
        }
    }
}

#[cfg(test)]
#[path = "pairs_tests.rs"]
mod tests;
