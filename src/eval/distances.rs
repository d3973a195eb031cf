//! How far the student's hidden states are from its teacher's, layer by layer along the uniform
//! map, whatever the run was trained on.
//!
//! Linear CKA (arXiv 1905.00414) compares any two widths; the sliced W2 distance is taken where
//! they are equal, along directions that are the same for every run of a study.

use crate::ops::clouds::{linear_cka, sliced_w2};
use crate::plan::run::HiddenState;
use crate::plan::uniform_map;
use crate::record::evaluation::{LayerDistance, finite};

use super::states::ProbeStates;

/// Seed of the directions: one for all runs.
pub(super) const SEED: u64 = 0;

/// The pairs (student layer, teacher layer) of the uniform map.
pub fn uniform_pairs(student_layers: usize, teacher_layers: usize) -> Vec<(usize, usize)> {
    (1..)
        .zip(uniform_map(student_layers, teacher_layers))
        .collect()
}

/// Distances of the pairs; both models hold the states of their side.
pub fn layer_distances(
    pairs: &[(usize, usize)],
    student: &ProbeStates,
    teacher: &ProbeStates,
    directions: usize,
) -> Vec<LayerDistance> {
    pairs
        .iter()
        .map(|&(i, j)| {
            let (s, t) = (
                &student.states[&HiddenState::Layer(i)],
                &teacher.states[&HiddenState::Layer(j)],
            );
            let rows = s.len() / student.width;
            let cka = linear_cka(s, student.width, t, teacher.width, rows);
            let sliced = (student.width == teacher.width && directions > 0)
                .then(|| sliced_w2(s, t, student.width, rows, directions, SEED))
                .and_then(finite);
            LayerDistance {
                student: i,
                teacher: j,
                // A cloud without extent has none.
                cka: finite(cka),
                sliced_w2: sliced,
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "distances_tests.rs"]
mod tests;
