//! How far the student's hidden states are from its teacher's, layer by layer along the uniform
//! map, whatever the run was trained on.
//!
//! Linear CKA (arXiv 1905.00414) compares any two widths; the sliced W2 distance is taken where
//! they are equal, along directions that are the same for every run of a study.

use std::collections::BTreeMap;

use crate::ops::clouds::{linear_cka, sliced_w2};
use crate::record::evaluation::LayerDistance;
use crate::spec::run::State;

/// Seed of the directions: one for all runs.
const SEED: u64 = 0;

/// The teacher's layer for the student's layer i of 1 … L_s: ⌊(2·i·L_t + L_s) / (2·L_s)⌋, i·L_t/L_s
/// rounded.
pub fn uniform(i: usize, student_layers: usize, teacher_layers: usize) -> usize {
    (2 * i * teacher_layers + student_layers) / (2 * student_layers)
}

/// The pairs (student layer, teacher layer) of the uniform map.
pub fn uniform_pairs(student_layers: usize, teacher_layers: usize) -> Vec<(usize, usize)> {
    (1..=student_layers)
        .map(|i| (i, uniform(i, student_layers, teacher_layers)))
        .collect()
}

/// States of one model on the probe, with their width.
#[derive(Debug, Clone, Copy)]
pub struct Probed<'a> {
    pub states: &'a BTreeMap<State, Vec<f32>>,
    pub width: usize,
}

/// Distances of the pairs; both models hold the states of their side.
pub fn layer_distances(
    pairs: &[(usize, usize)],
    student: Probed,
    teacher: Probed,
    directions: usize,
) -> Vec<LayerDistance> {
    pairs
        .iter()
        .map(|&(i, j)| {
            let (s, t) = (
                &student.states[&State::Layer(i)],
                &teacher.states[&State::Layer(j)],
            );
            let rows = s.len() / student.width;
            let cka = linear_cka(s, student.width, t, teacher.width, rows);
            // A cloud without extent has no CKA; eval.json holds numbers only.
            let cka = if cka.is_finite() { cka } else { 0.0 };
            let sliced = (student.width == teacher.width && directions > 0)
                .then(|| sliced_w2(s, t, student.width, rows, directions, SEED));
            LayerDistance {
                student: i,
                teacher: j,
                cka,
                sliced_w2: sliced,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn states(layers: &[usize], width: usize, seed: u64) -> BTreeMap<State, Vec<f32>> {
        let draw = |layer: usize| {
            let mut stream = Stream::new(seed, "test", layer as u64);
            (0..40 * width).map(|_| stream.normal() as f32).collect()
        };
        layers
            .iter()
            .map(|&layer| (State::Layer(layer), draw(layer)))
            .collect()
    }

    #[test]
    fn the_uniform_map_rounds() {
        assert_eq!(
            uniform_pairs(6, 12),
            [(1, 2), (2, 4), (3, 6), (4, 8), (5, 10), (6, 12)]
        );
        assert_eq!(uniform_pairs(4, 6), [(1, 2), (2, 3), (3, 5), (4, 6)]);
        assert_eq!(uniform_pairs(3, 2), [(1, 1), (2, 1), (3, 2)]);
    }

    #[test]
    fn a_model_is_at_no_distance_from_itself() {
        let own = states(&[1, 2], 6, 1);
        let own = Probed {
            states: &own,
            width: 6,
        };
        for distance in layer_distances(&[(1, 1), (2, 2)], own, own, 8) {
            assert!((distance.cka - 1.0).abs() < 1e-9);
            assert_eq!(distance.sliced_w2, Some(0.0));
        }
        assert!(layer_distances(&[(1, 2)], own, own, 8)[0].cka < 0.7);
    }

    #[test]
    fn other_widths_have_cka_alone_and_clouds_without_extent_have_none() {
        let (own, other) = (states(&[1], 6, 1), states(&[3], 8, 1));
        let found = layer_distances(
            &[(1, 3)],
            Probed {
                states: &own,
                width: 6,
            },
            Probed {
                states: &other,
                width: 8,
            },
            8,
        );
        assert_eq!(
            (found[0].student, found[0].teacher, found[0].sliced_w2),
            (1, 3, None)
        );
        assert!(found[0].cka > 0.0 && found[0].cka < 0.7);
        let flat = BTreeMap::from([(State::Layer(3), vec![1.0; 40 * 8])]);
        assert_eq!(
            layer_distances(
                &[(1, 3)],
                Probed {
                    states: &own,
                    width: 6
                },
                Probed {
                    states: &flat,
                    width: 8
                },
                8
            )[0]
            .cka,
            0.0
        );
    }
}
