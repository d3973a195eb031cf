//! Two clouds of the same tokens but of different widths, brought into one space, for a picture
//! that shows both.
//!
//! Each cloud is centred and reduced to its k leading principal components, k = min(16, both
//! widths, tokens − 1); the second is then mapped onto the first by the orthogonal matrix that
//! minimises the squared distance of equal tokens (orthogonal Procrustes; Schönemann 1966). A
//! rotation keeps every distance inside a cloud, so nothing is made alike that is not. k is small
//! against the number of tokens, or else the rotation alone could make two unrelated clouds
//! coincide.

use crate::random::{Purpose, Seed, Stream};

/// Most dimensions of the common space.
const DIMENSIONS: usize = 16;
/// Rounds of the subspace iteration; the leading components of hidden states are settled long
/// before.
const ROUNDS: usize = 60;
/// Most sweeps of Jacobi's rotations; one in which nothing is left to rotate ends them earlier.
const SWEEPS: usize = 60;

/// Two clouds (states, width) of equally many tokens → their coordinates (tokens, k) and k.
pub fn to_common_space(
    first: (&[f32], usize),
    second: (&[f32], usize),
) -> (Vec<f32>, Vec<f32>, usize) {
    let tokens = first.0.len() / first.1;
    assert_eq!(
        tokens,
        second.0.len() / second.1,
        "both clouds hold the same tokens"
    );
    let k = DIMENSIONS
        .min(first.1)
        .min(second.1)
        .min(tokens.saturating_sub(1))
        .max(1);
    let a = principal_coordinates(first.0, first.1, k);
    let b = principal_coordinates(second.0, second.1, k);
    // The rotation (or reflection) is U Vᵀ of M = Bᵀ A = U S Vᵀ.
    let mut m = vec![0.0; k * k];
    for (row_a, row_b) in a.chunks_exact(k).zip(b.chunks_exact(k)) {
        for i in 0..k {
            for j in 0..k {
                m[i * k + j] += row_b[i] * row_a[j];
            }
        }
    }
    let rotation = orthogonal_factor(&m, k);
    let rotated = b
        .chunks_exact(k)
        .flat_map(|row| {
            (0..k)
                .map(|j| (0..k).map(|i| row[i] * rotation[i * k + j]).sum::<f64>() as f32)
                .collect::<Vec<_>>()
        })
        .collect();
    (a.iter().map(|&x| x as f32).collect(), rotated, k)
}

/// Coordinates (tokens, k) along the k leading principal components, by subspace iteration on the
/// centred data.
fn principal_coordinates(states: &[f32], width: usize, k: usize) -> Vec<f64> {
    let tokens = states.len() / width;
    let mut mean = vec![0.0; width];
    for row in states.chunks_exact(width) {
        mean.iter_mut()
            .zip(row)
            .for_each(|(m, &x)| *m += f64::from(x) / tokens as f64);
    }
    let centred: Vec<f64> = states
        .chunks_exact(width)
        .flat_map(|row| {
            row.iter()
                .zip(&mean)
                .map(|(&x, m)| f64::from(x) - m)
                .collect::<Vec<_>>()
        })
        .collect();
    let project = |basis: &[Vec<f64>]| -> Vec<f64> {
        centred
            .chunks_exact(width)
            .flat_map(|row| basis.iter().map(|axis| dot(row, axis)).collect::<Vec<_>>())
            .collect()
    };
    let mut stream = Stream::of(Seed::Measurement(0), Purpose::Components, 0);
    let mut basis: Vec<Vec<f64>> = (0..k)
        .map(|_| (0..width).map(|_| stream.normal()).collect())
        .collect();
    orthonormalise(&mut basis);
    for _ in 0..ROUNDS {
        let coordinates = project(&basis);
        for (j, axis) in basis.iter_mut().enumerate() {
            axis.fill(0.0);
            for (row, coordinate) in centred.chunks_exact(width).zip(coordinates.chunks_exact(k)) {
                axis.iter_mut()
                    .zip(row)
                    .for_each(|(a, x)| *a += coordinate[j] * x);
            }
        }
        orthonormalise(&mut basis);
    }
    project(&basis)
}

/// The polar factor U Vᵀ of a k×k matrix, by the rotations of one-sided Jacobi: columns of M V
/// become orthogonal, M V = U S.
fn orthogonal_factor(m: &[f64], k: usize) -> Vec<f64> {
    let mut columns: Vec<Vec<f64>> = (0..k)
        .map(|j| (0..k).map(|i| m[i * k + j]).collect())
        .collect();
    let mut v: Vec<Vec<f64>> = (0..k)
        .map(|j| (0..k).map(|i| if i == j { 1.0 } else { 0.0 }).collect())
        .collect();
    for _ in 0..SWEEPS {
        let mut largest: f64 = 0.0;
        for p in 0..k {
            for q in p + 1..k {
                let (pp, qq, pq) = (
                    dot(&columns[p], &columns[p]),
                    dot(&columns[q], &columns[q]),
                    dot(&columns[p], &columns[q]),
                );
                if pq == 0.0 {
                    continue;
                }
                largest = largest.max(pq.abs() / (pp * qq).sqrt());
                let zeta = (qq - pp) / (2.0 * pq);
                let tangent = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
                for matrix in [&mut columns, &mut v] {
                    for i in 0..k {
                        let (x, y) = (matrix[p][i], matrix[q][i]);
                        matrix[p][i] = cosine * (x - tangent * y);
                        matrix[q][i] = cosine * (y + tangent * x);
                    }
                }
            }
        }
        if largest < 1e-14 {
            break;
        }
    }
    orthonormalise(&mut columns);
    (0..k * k)
        .map(|at| (0..k).map(|c| columns[c][at / k] * v[c][at % k]).sum())
        .collect()
}

/// Gram and Schmidt, twice for accuracy; an axis that depends on those before it is replaced by a
/// coordinate axis that does not.
fn orthonormalise(basis: &mut [Vec<f64>]) {
    let scale = basis
        .iter()
        .map(|axis| dot(axis, axis))
        .fold(0.0, f64::max)
        .sqrt();
    for j in 0..basis.len() {
        let (before, rest) = basis.split_at_mut(j);
        let axis = &mut rest[0];
        let mut next = 0;
        subtract_projections(axis, before);
        while dot(axis, axis).sqrt() <= 1e-12 * scale || dot(axis, axis) == 0.0 {
            axis.fill(0.0);
            axis[next] = scale.max(1.0);
            next += 1;
            subtract_projections(axis, before);
        }
        let length = dot(axis, axis).sqrt();
        axis.iter_mut().for_each(|x| *x /= length);
    }
}

/// Takes out of `axis` its parts along the unit vectors `before`.
fn subtract_projections(axis: &mut [f64], before: &[Vec<f64>]) {
    for _ in 0..2 {
        for other in before {
            let along = dot(axis, other);
            axis.iter_mut()
                .zip(other)
                .for_each(|(x, o)| *x -= along * o);
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
#[path = "components_tests.rs"]
mod tests;
