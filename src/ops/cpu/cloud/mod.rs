//! Distances of two clouds of vectors, value and gradient at once, on the CPU.
//!
//! Products of matrices are in f32, or in f64 where a difference of large numbers is what counts
//! (covariances); sums over vectors and values are in f64, in the order of the rows.

use std::borrow::Cow;

use dfdx::prelude::*;

use super::tape::{precomputed, values};
use crate::ops::{CloudDistance, Mat, Scalar};

mod cka;
mod eigen;
mod gaussian;
mod pairwise;
mod sinkhorn;
mod sliced;
mod squares;

/// Two clouds, row i of the one beside row i of the other.
#[derive(Clone, Copy)]
struct Clouds<'a> {
    x: &'a [f32],
    y: &'a [f32],
    rows: usize,
    /// Coordinates of a vector of x and of y.
    widths: [usize; 2],
    /// Whether the gradient is asked for.
    gradient: bool,
}

/// A value, and its gradient for x; empty where it was not asked for.
type ValueAndGradient = (f64, Vec<f32>);

/// See [`crate::ops::Losses::cloud_distance`].
pub fn cloud_distance<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    rows: Option<&[usize]>,
    target: &Mat<Cpu>,
    distance: CloudDistance<'_>,
) -> (Scalar<Cpu, T>, f64) {
    let (all, width) = *x.shape();
    let (count, target_width) = *target.shape();
    assert_eq!(
        rows.map_or(all, <[usize]>::len),
        count,
        "both clouds have as many vectors"
    );
    assert!(
        width == target_width || distance == CloudDistance::Cka,
        "both clouds have one width, {width} or {target_width}"
    );
    let own: Cow<[f32]> = match rows {
        None => values(&x).into(),
        Some(rows) => picked(values(&x), width, rows).into(),
    };
    let clouds = Clouds {
        x: &own,
        y: values(target),
        rows: count,
        widths: [width, target_width],
        gradient: T::OWNS_TAPE,
    };
    let (value, gradient) = match distance {
        CloudDistance::SlicedWasserstein { directions } => sliced::distance(clouds, directions),
        CloudDistance::Energy => pairwise::energy(clouds),
        CloudDistance::Mmd => pairwise::mmd(clouds),
        CloudDistance::GaussianW2 => gaussian::distance(clouds),
        CloudDistance::Sinkhorn {
            epsilon,
            iterations,
        } => sinkhorn::divergence(clouds, epsilon, iterations),
        CloudDistance::Cka => cka::distance(clouds),
    };
    let gradient = match rows {
        Some(rows) if T::OWNS_TAPE => spread(&gradient, width, rows, all),
        _ => gradient,
    };
    let ((x, tape), device) = (x.split_tape(), target.device());
    (precomputed(tape, device, value, vec![(x, gradient)]), value)
}

/// Those rows.
fn picked(all: &[f32], width: usize, rows: &[usize]) -> Vec<f32> {
    rows.iter()
        .flat_map(|&row| &all[row * width..(row + 1) * width])
        .copied()
        .collect()
}

/// The opposite: zeros in all other rows.
fn spread(some: &[f32], width: usize, rows: &[usize], all: usize) -> Vec<f32> {
    let mut out = vec![0.0; all * width];
    for (&row, values) in rows.iter().zip(some.chunks_exact(width)) {
        out[row * width..(row + 1) * width].copy_from_slice(values);
    }
    out
}

/// The means of the columns.
fn means(cloud: &[f32], width: usize) -> Vec<f64> {
    let mut means = vec![0.0; width];
    for row in cloud.chunks_exact(width) {
        for (mean, &x) in means.iter_mut().zip(row) {
            *mean += f64::from(x);
        }
    }
    let rows = (cloud.len() / width) as f64;
    means.iter_mut().for_each(|mean| *mean /= rows);
    means
}

/// The cloud less a vector.
fn moved(cloud: &[f32], by: &[f64]) -> Vec<f64> {
    let rows = cloud.chunks_exact(by.len());
    rows.flat_map(|row| row.iter().zip(by).map(|(&x, by)| f64::from(x) - by))
        .collect()
}

fn narrowed(wide: &[f64]) -> Vec<f32> {
    wide.iter().map(|&x| x as f32).collect()
}

#[cfg(test)]
#[path = "cloud_tests.rs"]
mod tests;
