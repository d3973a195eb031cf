//! The pairs of (student, teacher) states that hidden terms compare, at a step.

use crate::plan::run::{HiddenState, Matching};
use crate::random::{Purpose, Seed, Stream};

/// The pairs in force at `step` of a run, in the order of the student's layers.
///
/// Fixed maps were resolved by `plan`. The random one (RAIL-KD, arXiv 2109.10164) draws
/// `student_layers` of the teacher's 1 … `teacher_layers` without replacement and sorts them, anew
/// in every epoch or every `redraw` steps; a draw depends on the seed and its own number alone.
pub fn pairs_at(
    matching: &Matching,
    student_layers: usize,
    teacher_layers: usize,
    seed: Seed,
    step: u64,
    epoch: u64,
) -> Vec<(HiddenState, HiddenState)> {
    match matching {
        Matching::Pairs { pairs } => pairs.clone(),
        Matching::Random { redraw } => {
            let draw = redraw.map_or(epoch, |every| step / every.max(1));
            let mut layers = Stream::of(seed, Purpose::RandomMap, draw).permutation(teacher_layers);
            layers.truncate(student_layers);
            layers.sort_unstable();
            layers
                .into_iter()
                .enumerate()
                .map(|(i, layer)| (HiddenState::Layer(i + 1), HiddenState::Layer(layer + 1)))
                .collect()
        }
    }
}

#[cfg(test)]
#[path = "pairs_tests.rs"]
mod tests;
