//! The 2-Wasserstein distance of two normal distributions with the clouds' means and covariances
//! (Bures).

use super::super::gemm::transposed_product_f64;
use super::super::matmul::product;
use super::super::product::Product;
use super::eigen::Eigen;
use super::{Clouds, ValueAndGradient, means, moved, narrowed};

/// Added to the diagonals of the covariances, which are singular where there are fewer vectors than
/// coordinates, and for layer-normed states.
const RIDGE: f64 = 1e-4;

/// See [`crate::ops::CloudDistance::GaussianW2`]. The gradient for A is I −
/// B^½·(B^½·A·B^½)^(−½)·B^½.
pub(super) fn distance(clouds: Clouds<'_>) -> ValueAndGradient {
    let (rows, width) = (clouds.rows, clouds.widths[0]);
    let (own_mean, other_mean) = (means(clouds.x, width), means(clouds.y, width));
    let x = moved(clouds.x, &own_mean);
    let own = covariance(&x, width);
    let other = covariance(&moved(clouds.y, &other_mean), width);
    let apart: Vec<f64> = own_mean
        .iter()
        .zip(&other_mean)
        .map(|(a, b)| a - b)
        .collect();

    let root = Eigen::of(other.clone(), width).function(|value| value.max(0.0).sqrt());
    // B^½·A·B^½, the same above and below its diagonal to the last digit.
    let half = transposed_product_f64(&own, width, &root, width);
    let mut inner = transposed_product_f64(&root, width, &half, width);
    for i in 0..width {
        for j in 0..i {
            let mean = 0.5 * (inner[i * width + j] + inner[j * width + i]);
            (inner[i * width + j], inner[j * width + i]) = (mean, mean);
        }
    }
    let inner = Eigen::of(inner, width);
    // Both covariances are RIDGE at least, in every direction.
    let least = RIDGE * RIDGE;
    let trace = |matrix: &[f64]| (0..width).map(|i| matrix[i * width + i]).sum::<f64>();
    let shared: f64 = inner
        .values
        .iter()
        .map(|value| at_least(*value, least).sqrt())
        .sum();
    let distance: f64 = apart.iter().map(|x| x * x).sum();
    let value = distance + trace(&own) + trace(&other) - 2.0 * shared;
    if !clouds.gradient {
        return (value, Vec::new());
    }

    let inverse = inner.function(|value| 1.0 / at_least(value, least).sqrt());
    let half = transposed_product_f64(&inverse, width, &root, width);
    let mut slope = transposed_product_f64(&root, width, &half, width);
    slope.iter_mut().for_each(|x| *x = -*x);
    (0..width).for_each(|i| slope[i * width + i] += 1.0);
    let scale = 2.0 / rows as f64;
    let mut gradient = vec![0.0; rows * width];
    for row in gradient.chunks_exact_mut(width) {
        for (gradient, apart) in row.iter_mut().zip(&apart) {
            *gradient = (scale * apart) as f32;
        }
    }
    let shape = Product::new(rows, width, width)
        .scale(scale as f32)
        .accumulate();
    product(shape, &narrowed(&x), &narrowed(&slope), &mut gradient);
    (value, gradient)
}

/// The larger of both; what is not a number stays so.
fn at_least(value: f64, least: f64) -> f64 {
    if value < least { least } else { value }
}

/// xᵀx/N and RIDGE on its diagonal, of a centred cloud.
fn covariance(centred: &[f64], width: usize) -> Vec<f64> {
    let mut all = transposed_product_f64(centred, width, centred, width);
    let rows = (centred.len() / width) as f64;
    all.iter_mut().for_each(|x| *x /= rows);
    (0..width).for_each(|i| all[i * width + i] += RIDGE);
    all
}
