//! Squared distances between all vectors of two clouds.

use rayon::prelude::*;

use super::super::matmul::product;
use super::super::product::Product;
use super::super::vector::{dispatched, dot};
use super::{Clouds, means, moved, narrowed};

/// A cloud around the middle of the other: distances are differences of squares, which are exact to
/// the digits of the largest, and what both clouds have in common would only cost digits.
pub(super) struct Centred {
    pub values: Vec<f32>,
    squares: Vec<f32>,
    pub width: usize,
}

impl Centred {
    fn new(cloud: &[f32], middle: &[f64]) -> Self {
        let (values, width) = (narrowed(&moved(cloud, middle)), middle.len());
        let squares = values.chunks_exact(width).map(|row| dot(row, row) as f32);
        Self {
            squares: squares.collect(),
            values,
            width,
        }
    }

    /// Both clouds around the middle of y.
    pub fn both(clouds: Clouds<'_>) -> (Self, Self) {
        let middle = means(clouds.y, clouds.widths[1]);
        (Self::new(clouds.x, &middle), Self::new(clouds.y, &middle))
    }

    pub fn rows(&self) -> usize {
        self.squares.len()
    }

    /// d² between every vector of this cloud, row by row, and every one of the other; at least 0.
    pub fn distances(&self, other: &Self) -> Vec<f32> {
        let (rows, columns) = (self.rows(), other.rows());
        let mut out = vec![0.0; rows * columns];
        let shape = Product::new(rows, self.width, columns)
            .right_transposed()
            .scale(-2.0);
        product(shape, &self.values, &other.values, &mut out);
        out.par_chunks_mut(columns)
            .zip(&self.squares)
            .with_min_len(8)
            .for_each(|(row, &own)| add_squares(row, own, &other.squares));
        out
    }
}

dispatched! {
    /// row = max(row + own + others, 0).
    fn add_squares(row: &mut [f32], own: f32, others: &[f32]) {
        for (d, other) in row.iter_mut().zip(others) {
            let sum = *d + (own + other);
            *d = if sum < 0.0 { 0.0 } else { sum };
        }
    }
}

/// The median; the mean of the middle two of an even number.
pub(super) fn median(values: &[f32]) -> f64 {
    let mut all = values.to_vec();
    let middle = all.len() / 2;
    let (below, &mut upper, _) = all.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = f64::from(upper);
    if values.len() % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    0.5 * (f64::from(lower) + upper)
}

/// Adds `scale`·Σ_j w_ij·(x_i − y_j) to the row of every i; `weights` is (rows of x, rows of
/// y), and `sums` are those of its rows.
pub(super) fn add_pulls(
    gradient: &mut [f32],
    scale: f64,
    weights: &[f32],
    sums: &[f64],
    x: &Centred,
    y: &Centred,
) {
    let shape = Product::new(x.rows(), y.rows(), x.width)
        .scale(-scale as f32)
        .accumulate();
    product(shape, weights, &y.values, gradient);
    let rows = gradient.par_chunks_mut(x.width);
    rows.zip(x.values.par_chunks(x.width))
        .zip(sums)
        .with_min_len(16)
        .for_each(|((gradient, x), sum)| {
            super::super::vector::add_scaled(gradient, x, (scale * sum) as f32);
        });
}
