//! The pairs of (student, teacher) states that hidden terms compare, at a step.

use crate::random::Stream;
use crate::spec::run::{Matching, State};

/// The pairs in force at `step` of a run, in the order of the student's layers.
///
/// Fixed maps were resolved by `spec`. The random one (RAIL-KD, arXiv 2109.10164) draws
/// `student_layers` of the teacher's 1 … `teacher_layers` without replacement and sorts them, anew
/// in every epoch or every `redraw` steps; a draw depends on the seed and its own number alone.
pub fn pairs_at(
    matching: &Matching,
    student_layers: usize,
    teacher_layers: usize,
    seed: u64,
    step: u64,
    epoch: u64,
) -> Vec<(State, State)> {
    match matching {
        Matching::Pairs { pairs } => pairs.clone(),
        Matching::Random { redraw } => {
            let draw = redraw.map_or(epoch, |every| step / every.max(1));
            let mut layers = Stream::new(seed, "match.random", draw).permutation(teacher_layers);
            layers.truncate(student_layers);
            layers.sort_unstable();
            layers
                .into_iter()
                .enumerate()
                .map(|(i, layer)| (State::Layer(i + 1), State::Layer(layer + 1)))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teachers(matching: &Matching, step: u64, epoch: u64) -> Vec<usize> {
        let layer = |state| {
            if let State::Layer(layer) = state {
                layer
            } else {
                unreachable!("only layers are drawn")
            }
        };
        pairs_at(matching, 3, 6, 7, step, epoch)
            .into_iter()
            .map(|(_, teacher)| layer(teacher))
            .collect()
    }

    #[test]
    fn random_pairs_are_sorted_layers_redrawn_every_epoch() {
        let matching = Matching::Random { redraw: None };
        let draws: Vec<Vec<usize>> = (0..20)
            .map(|epoch| teachers(&matching, 1000, epoch))
            .collect();
        for draw in &draws {
            assert!(draw.windows(2).all(|pair| pair[0] < pair[1]), "{draw:?}");
            assert!(draw[0] >= 1 && draw[2] <= 6, "{draw:?}");
        }
        assert!(draws.iter().any(|draw| draw != &draws[0]));
        assert_eq!(
            draws[4],
            teachers(&matching, 2000, 4),
            "within an epoch the draw stays"
        );
    }

    #[test]
    fn random_pairs_are_redrawn_every_so_many_steps() {
        let matching = Matching::Random { redraw: Some(10) };
        assert_eq!(teachers(&matching, 10, 0), teachers(&matching, 19, 3));
        assert!((0..20).any(|draw| teachers(&matching, 10 * draw, 0) != teachers(&matching, 0, 0)));
    }
}
