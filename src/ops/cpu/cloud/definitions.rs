//! The distances of clouds by their definitions, in f64; for tests.

use crate::ops::CloudDistance;

pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

fn square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

fn rows(x: &[f64], width: usize) -> Vec<&[f64]> {
    x.chunks_exact(width).collect()
}

/// The mean of f(d²) over all pairs, or those of different rows of one cloud.
fn pair_mean(x: &[&[f64]], y: &[&[f64]], is_one: bool, f: impl Fn(f64) -> f64) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, x) in x.iter().enumerate() {
        for (j, y) in y.iter().enumerate() {
            if !(is_one && i == j) {
                sum += f(square(x, y));
                count += 1.0;
            }
        }
    }
    sum / count
}

fn median_between(x: &[&[f64]], y: &[&[f64]]) -> f64 {
    let mut all: Vec<f64> = x
        .iter()
        .flat_map(|x| y.iter().map(|y| square(x, y)))
        .collect();
    all.sort_by(f64::total_cmp);
    let half = all.len() / 2;
    if all.len() % 2 == 1 {
        all[half]
    } else {
        0.5 * (all[half - 1] + all[half])
    }
}

/// OT of two clouds by plain Sinkhorn steps.
fn transport(x: &[&[f64]], y: &[&[f64]], epsilon: f64) -> f64 {
    let count = x.len() as f64;
    let (mut f, mut g) = (vec![0.0; x.len()], vec![0.0; y.len()]);
    let update = |own: &[&[f64]], others: &[&[f64]], g: &[f64]| -> Vec<f64> {
        let row = |x: &&[f64]| {
            let terms = others
                .iter()
                .zip(g)
                .map(|(y, g)| (g - square(x, y)) / epsilon);
            let terms: Vec<f64> = terms.collect();
            let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = terms.iter().map(|t| (t - top).exp()).sum::<f64>() / count;
            -epsilon * (top + sum.ln())
        };
        own.iter().map(row).collect()
    };
    for _ in 0..3000 {
        f = update(x, y, &g);
        g = update(y, x, &f);
    }
    // ⟨P, C⟩ + ε·KL(P ‖ a⊗b) as it is written, not by its dual.
    let (mut cost, mut divergence) = (0.0, 0.0);
    for (x, f) in x.iter().zip(&f) {
        for (y, g) in y.iter().zip(&g) {
            let ratio = ((f + g - square(x, y)) / epsilon).exp();
            let share = ratio / (count * count);
            cost += share * square(x, y);
            divergence += share * ratio.ln();
        }
    }
    cost + epsilon * divergence
}

/// A distance in f64, what is detached taken at `fixed`, the cloud x as it stands.
pub fn reference(
    distance: CloudDistance,
    x: &[f64],
    fixed: &[f64],
    y: &[f64],
    width: usize,
) -> f64 {
    let (a, b, at) = (rows(x, width), rows(y, width), rows(fixed, width));
    match distance {
        CloudDistance::SlicedWasserstein { directions } => {
            let directions = wide(directions);
            let along = |cloud: &[&[f64]], theta: &[f64]| -> Vec<f64> {
                let inner = |row: &&[f64]| row.iter().zip(theta).map(|(a, b)| a * b).sum();
                let mut all: Vec<f64> = cloud.iter().map(inner).collect();
                all.sort_by(f64::total_cmp);
                all
            };
            let all = directions.chunks_exact(width);
            let mean = |theta: &[f64]| square(&along(&a, theta), &along(&b, theta));
            let count = (directions.len() / width * a.len()) as f64;
            all.map(mean).sum::<f64>() / count
        }
        CloudDistance::Energy => {
            let root = |d: f64| (d + 1e-8).sqrt();
            2.0 * pair_mean(&a, &b, false, root)
                - pair_mean(&a, &a, true, root)
                - pair_mean(&b, &b, true, root)
        }
        CloudDistance::Mmd => {
            let median = median_between(&at, &b);
            let kernel = |d: f64| {
                let scales = [0.25, 0.5, 1.0, 2.0, 4.0];
                scales
                    .iter()
                    .map(|s| (-d / (s * median)).exp())
                    .sum::<f64>()
                    / 5.0
            };
            pair_mean(&a, &a, true, kernel) + pair_mean(&b, &b, true, kernel)
                - 2.0 * pair_mean(&a, &b, false, kernel)
        }
        CloudDistance::Sinkhorn { epsilon, .. } => {
            let epsilon = epsilon * median_between(&at, &b);
            transport(&a, &b, epsilon)
                - 0.5 * transport(&a, &a, epsilon)
                - 0.5 * transport(&b, &b, epsilon)
        }
        CloudDistance::GaussianW2 => gaussian_in_the_plane(&a, &b),
        CloudDistance::Cka => 1.0 - cka(&a, &b),
    }
}

/// Linear CKA by inner products of rows: ‖yᵀx‖² = Σ_ij (x_i·x_j)·(y_i·y_j) of centred
/// clouds.
fn cka(a: &[&[f64]], b: &[&[f64]]) -> f64 {
    let centred = |cloud: &[&[f64]]| -> Vec<Vec<f64>> {
        let mean = |k: usize| cloud.iter().map(|row| row[k]).sum::<f64>() / cloud.len() as f64;
        let means: Vec<f64> = (0..cloud[0].len()).map(mean).collect();
        let row = |row: &&[f64]| row.iter().zip(&means).map(|(x, mean)| x - mean).collect();
        cloud.iter().map(row).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut sums = [0.0; 3];
    for (x, y) in a.iter().zip(&b) {
        for (other_x, other_y) in a.iter().zip(&b) {
            let (of_x, of_y) = (inner(x, other_x), inner(y, other_y));
            sums[0] += of_x * of_y;
            sums[1] += of_x * of_x;
            sums[2] += of_y * of_y;
        }
    }
    sums[0] / (sums[1] * sums[2]).sqrt()
}

/// In the plane tr (B^½AB^½)^½ = √(tr AB + 2·√det AB): the eigenvalues of B^½AB^½ are
/// those of AB.
fn gaussian_in_the_plane(a: &[&[f64]], b: &[&[f64]]) -> f64 {
    let moments = |cloud: &[&[f64]]| {
        let count = cloud.len() as f64;
        let mean = [0, 1].map(|k| cloud.iter().map(|row| row[k]).sum::<f64>() / count);
        let product = |i: usize, j: usize| {
            let all = cloud
                .iter()
                .map(|row| (row[i] - mean[i]) * (row[j] - mean[j]));
            all.sum::<f64>() / count + if i == j { 1e-4 } else { 0.0 }
        };
        (mean, [product(0, 0), product(0, 1), product(1, 1)])
    };
    let ((own, a), (other, b)) = (moments(a), moments(b));
    let trace = a[0] * b[0] + 2.0 * a[1] * b[1] + a[2] * b[2];
    let determinant = (a[0] * a[2] - a[1] * a[1]) * (b[0] * b[2] - b[1] * b[1]);
    square(&own, &other) + a[0] + a[2] + b[0] + b[2]
        - 2.0 * (trace + 2.0 * determinant.sqrt()).sqrt()
}
