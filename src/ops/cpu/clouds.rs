//! Distances between two clouds of vectors as measures of a finished model: on the host, in f64,
//! row i of one cloud beside row i of the other. Nothing here has a gradient.

use rayon::prelude::*;

use super::gemm::transposed_product_f64;
use crate::random::{Purpose, Seed, Stream};

/// Linear CKA (Kornblith et al., arXiv 1905.00414): ‖YᵀX‖² / (‖XᵀX‖·‖YᵀY‖) in Frobenius norms, of
/// centred columns. 1 for clouds that are equal up to rotation, scale and shift, 0 where no linear
/// map of one helps to predict the other; NaN if all rows of a cloud are equal.
///
/// `a` is (rows, a_width) and `b` (rows, b_width), row-major.
pub fn linear_cka(a: &[f32], a_width: usize, b: &[f32], b_width: usize, rows: usize) -> f64 {
    assert!(
        a.len() == rows * a_width && b.len() == rows * b_width,
        "clouds of {rows} rows"
    );
    let (a, b) = (centred(a, a_width), centred(b, b_width));
    let cross = square_of_product(&a, a_width, &b, b_width);
    let own =
        square_of_product(&a, a_width, &a, a_width) * square_of_product(&b, b_width, &b, b_width);
    cross / own.sqrt()
}

/// Sliced 2-Wasserstein distance: √ of the mean over random directions of the squared W2 between
/// the projections, which pairs them in sorted order. In units of the vectors.
///
/// `a` and `b` are (rows, width). The directions are normal vectors of length 1 and depend on
/// `seed`, `width` and their number alone.
pub fn sliced_w2(
    a: &[f32],
    b: &[f32],
    width: usize,
    rows: usize,
    directions: usize,
    seed: u64,
) -> f64 {
    assert!(
        a.len() == rows * width && b.len() == rows * width && rows > 0 && directions > 0,
        "clouds of {rows} rows of width {width}"
    );
    let squares: Vec<f64> = (0..directions)
        .into_par_iter()
        .map(|index| {
            let direction = direction(width, seed, index as u64);
            let (a, b) = (projected(a, &direction), projected(b, &direction));
            a.iter()
                .zip(&b)
                .map(|(a, b)| (a - b) * (a - b))
                .sum::<f64>()
                / rows as f64
        })
        .collect();
    (squares.iter().sum::<f64>() / directions as f64).sqrt()
}

/// A uniform direction: a normal vector, scaled to length 1.
fn direction(width: usize, seed: u64, index: u64) -> Vec<f64> {
    let mut stream = Stream::of(Seed::Measurement(seed), Purpose::Directions, index);
    let mut direction: Vec<f64> = (0..width).map(|_| stream.normal()).collect();
    let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
    direction.iter_mut().for_each(|x| *x /= length);
    direction
}

/// The rows' coordinates along `direction`, sorted.
fn projected(cloud: &[f32], direction: &[f64]) -> Vec<f64> {
    let mut along: Vec<f64> = cloud
        .chunks_exact(direction.len())
        .map(|row| dot(row, direction))
        .collect();
    along.sort_unstable_by(f64::total_cmp);
    along
}

/// Σ row·direction, in four interleaved sums.
fn dot(row: &[f32], direction: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (mut left, mut right) = (row.chunks_exact(4), direction.chunks_exact(4));
    for (x, d) in (&mut left).zip(&mut right) {
        for lane in 0..4 {
            sums[lane] += f64::from(x[lane]) * d[lane];
        }
    }
    let rest: f64 = left
        .remainder()
        .iter()
        .zip(right.remainder())
        .map(|(&x, d)| f64::from(x) * d)
        .sum();
    sums.iter().sum::<f64>() + rest
}

/// The cloud in f64, every column minus its mean.
fn centred(cloud: &[f32], width: usize) -> Vec<f64> {
    let rows = (cloud.len() / width) as f64;
    let mut means = vec![0.0; width];
    for row in cloud.chunks_exact(width) {
        means
            .iter_mut()
            .zip(row)
            .for_each(|(mean, &x)| *mean += f64::from(x));
    }
    means.iter_mut().for_each(|mean| *mean /= rows);
    cloud
        .chunks_exact(width)
        .flat_map(|row| row.iter().zip(&means).map(|(&x, mean)| f64::from(x) - mean))
        .collect()
}

/// ‖aᵀb‖² in Frobenius norm.
fn square_of_product(a: &[f64], a_width: usize, b: &[f64], b_width: usize) -> f64 {
    transposed_product_f64(a, a_width, b, b_width)
        .iter()
        .map(|x| x * x)
        .sum()
}

#[cfg(test)]
#[path = "clouds_tests.rs"]
mod tests;
