//! t-SNE of the final hidden states of teacher and student, embedded together (van der Maaten and
//! Hinton 2008, Barnes–Hut by van der Maaten 2014).
//!
//! The picture is the same for every number of threads and on every call: the fit runs on one
//! thread (its sums are taken in the order of the threads otherwise), the start is drawn from this
//! project's own generator, and the nearest neighbours are searched exactly here, because the tree
//! of the library is built from the system's entropy.

use anyhow::{Context, Result};
use bhtsne::Neighbor;
use rayon::prelude::*;

use super::components::to_common_space;
use crate::random::{Purpose, Seed, Stream};
use crate::record::evaluation::EmbeddingPoint;

/// Largest perplexity of the neighbourhoods; a quarter of the points where there are fewer than
/// 120.
const PERPLEXITY: usize = 30;
/// Accuracy of Barnes–Hut: cells of the tree seen under a smaller angle count as one point.
const THETA: f64 = 0.5;
/// Iterations of the descent, the first 250 of them exaggerated.
const EPOCHS: usize = 1000;
/// Standard deviation of the start.
const START: f64 = 1e-4;
/// Fewer points than this have no neighbourhoods to show.
const FEWEST: usize = 8;

/// The final states of one model: `states` is (tokens, width) row by row, `layers` the model's
/// depth.
#[derive(Debug, Clone, Copy)]
pub struct Cloud<'a> {
    /// "student" or "teacher".
    pub model: &'a str,
    pub states: &'a [f32],
    pub width: usize,
    pub layers: usize,
}

/// Embeds the clouds, all of the same tokens, together into two dimensions. A point's `layer` is
/// the depth of its model: the state is the one after `ln_f`.
///
/// Where the widths of two clouds differ, both are first brought into one space of fewer dimensions
/// (see [`to_common_space`]).
///
/// # Errors
/// No thread can be started.
pub fn embed(clouds: &[Cloud]) -> Result<Vec<EmbeddingPoint>> {
    let spaces = match clouds {
        [a, b] if a.width != b.width => {
            let (a, b, width) = to_common_space((a.states, a.width), (b.states, b.width));
            vec![(a, width), (b, width)]
        }
        _ => clouds
            .iter()
            .map(|cloud| (cloud.states.to_vec(), cloud.width))
            .collect(),
    };
    let rows: Vec<&[f32]> = spaces
        .iter()
        .flat_map(|(states, width)| states.chunks_exact(*width))
        .collect();
    if rows.len() < FEWEST {
        return Ok(Vec::new());
    }
    let coordinates = tsne(&rows)?;
    let owners = clouds
        .iter()
        .flat_map(|cloud| (0..cloud.states.len() / cloud.width).map(move |token| (cloud, token)));
    Ok(owners
        .zip(coordinates.chunks_exact(2))
        .map(|((cloud, token), at)| EmbeddingPoint {
            model: cloud.model.to_owned(),
            token: token as u32,
            text: None,
            layer: cloud.layers as u32,
            x: at[0],
            y: at[1],
        })
        .collect())
}

/// Coordinates x₀, y₀, x₁, y₁, … of at least [`FEWEST`] points.
fn tsne(points: &[&[f32]]) -> Result<Vec<f64>> {
    let count = points.len();
    let perplexity = (count / 4).min(PERPLEXITY);
    let neighbours = nearest_neighbours(points, 3 * perplexity);
    let mut stream = Stream::of(Seed::Measurement(0), Purpose::Tsne, 0);
    let start: Vec<f64> = (0..2 * count).map(|_| stream.normal() * START).collect();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .context("cannot start a thread for the t-SNE")?;
    Ok(pool.install(|| {
        bhtsne::tSNE::<f64, &[f32], 2>::new(points)
            .perplexity(perplexity as f64)
            .epochs(EPOCHS)
            .initial_embedding(start)
            .barnes_hut_with_neighbors(THETA, &neighbours)
            .embedding()
    }))
}

/// The `count` nearest other points of every point with their Euclidean distances, nearest first,
/// of equal ones the first.
fn nearest_neighbours(points: &[&[f32]], count: usize) -> Vec<Vec<Neighbor<f64>>> {
    let distance = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(x, y)| f64::from(x - y).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    (0..points.len())
        .into_par_iter()
        .map(|i| {
            let others = (0..points.len()).filter(|&j| j != i);
            let mut all: Vec<Neighbor<f64>> = others
                .map(|index| Neighbor {
                    index,
                    distance: distance(points[i], points[index]),
                })
                .collect();
            all.sort_unstable_by(|a, b| {
                a.distance
                    .total_cmp(&b.distance)
                    .then(a.index.cmp(&b.index))
            });
            all.truncate(count);
            all
        })
        .collect()
}

#[cfg(test)]
#[path = "embedding_tests.rs"]
mod tests;
