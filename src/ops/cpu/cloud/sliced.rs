//! The sliced 2-Wasserstein distance.

use rayon::prelude::*;

use super::super::matmul::product;
use super::super::product::Product;
use super::{Clouds, ValueAndGradient};

/// See [`crate::ops::CloudDistance::SlicedWasserstein`].
pub(super) fn distance(clouds: Clouds<'_>, directions: &[f32]) -> ValueAndGradient {
    let (rows, width) = (clouds.rows, clouds.widths[0]);
    let count = directions.len() / width;
    assert!(
        count > 0 && directions.len() == count * width,
        "directions of {width} coordinates"
    );
    // A row for each direction.
    let shape = Product::new(count, width, rows).right_transposed();
    let (mut own, mut other) = (vec![0.0; count * rows], vec![0.0; count * rows]);
    product(shape, directions, clouds.x, &mut own);
    product(shape, directions, clouds.y, &mut other);
    let scale = 2.0 / (count * rows) as f64;
    let sums: Vec<f64> = own
        .par_chunks_mut(rows)
        .zip(other.par_chunks_mut(rows))
        .map(|(own, other)| along_a_direction(own, other, scale))
        .collect();
    let value = sums.iter().sum::<f64>() / (count * rows) as f64;
    if !clouds.gradient {
        return (value, Vec::new());
    }
    let mut gradient = vec![0.0; rows * width];
    let shape = Product::new(rows, count, width).left_transposed();
    product(shape, &own, directions, &mut gradient);
    (value, gradient)
}

/// Σ (sort(x)_i − sort(y)_i)²; every x becomes `scale`·(x − the y of its place). Equal
/// numbers are in the order of their rows.
fn along_a_direction(own: &mut [f32], other: &mut [f32], scale: f64) -> f64 {
    other.sort_unstable_by(f32::total_cmp);
    let mut order: Vec<u64> = own
        .iter()
        .zip(0u32..)
        .map(|(x, row)| u64::from(in_order(*x)) << 32 | u64::from(row))
        .collect();
    order.sort_unstable();
    let mut sum = 0.0;
    for (key, y) in order.into_iter().zip(other) {
        let x = &mut own[key as u32 as usize];
        let difference = f64::from(*x) - f64::from(*y);
        sum += difference * difference;
        *x = (scale * difference) as f32;
    }
    sum
}

/// Bits that are in the order of the numbers.
fn in_order(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}
