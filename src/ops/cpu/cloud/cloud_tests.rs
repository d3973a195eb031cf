//! Tests of the distances of clouds: their definitions in f64 with gradients by finite differences,
//! closed forms, and what is easily got wrong. What other libraries compute is in `tests/it`.

use super::*;
use crate::ops::tape::read;
use crate::ops::test_support::{assert_close, gradients, matrix, numeric, of, with_threads};
use crate::ops::{Backend, Losses};

const TIGHT: CloudDistance = CloudDistance::Sinkhorn {
    epsilon: 0.2,
    iterations: 20_000,
};

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// Value and gradient.
fn computed(x: &Mat<Cpu>, y: &Mat<Cpu>, distance: CloudDistance) -> (f64, Vec<f32>) {
    let (loss, value) = Cpu::cloud_distance(x.leaky_trace(), None, y, distance);
    assert_eq!(loss.value(), value as f32);
    (value, gradients(loss, &[x]).remove(0))
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
fn reference(distance: CloudDistance, x: &[f64], fixed: &[f64], y: &[f64], width: usize) -> f64 {
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

/// Linear CKA by inner products of rows: ‖yᵀx‖² = Σ_ij (x_i·x_j)·(y_i·y_j) of centred clouds.
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

/// In the plane tr (B^½AB^½)^½ = √(tr AB + 2·√det AB): the eigenvalues of B^½AB^½ are those of AB.
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

fn unit_directions(count: usize, width: usize) -> Vec<f32> {
    let all = read(&matrix(count, width, 1.0, 77));
    let scaled = all.chunks_exact(width).flat_map(|row| {
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter().map(move |x| x / length)
    });
    scaled.collect()
}

#[test]
fn values_and_gradients_are_those_of_the_definitions_in_f64() {
    for (count, width) in [(9, 3), (12, 2), (2, 2), (17, 5)] {
        let (x, y) = (matrix(count, width, 1.0, 0), matrix(count, width, 1.3, 1));
        let directions = unit_directions(6, width);
        let sliced = CloudDistance::SlicedWasserstein {
            directions: &directions,
        };
        let (at, target) = (read(&x), wide(&read(&y)));
        for distance in [
            sliced,
            CloudDistance::Energy,
            CloudDistance::Mmd,
            CloudDistance::GaussianW2,
            TIGHT,
            CloudDistance::Cka,
        ] {
            if distance == CloudDistance::GaussianW2 && width != 2 {
                continue;
            }
            let (value, gradient) = computed(&x, &y, distance);
            let fixed = wide(&at);
            let expected = reference(distance, &fixed, &fixed, &target, width);
            assert!(
                (value - expected).abs() < 2e-5 * expected.abs().max(0.1),
                "{distance:?} of {count} × {width}: {value} against {expected}"
            );
            let slope = numeric(&at, |x| reference(distance, x, &fixed, &target, width));
            assert_close(&gradient, &slope, 3e-4);
        }
    }
}

#[test]
fn a_shift_has_its_closed_form() {
    let (count, width) = (40, 4);
    let x = matrix(count, width, 1.0, 0);
    let shift = [0.3f32, -0.2, 0.5, 0.1];
    let values = read(&x);
    let moved = values.iter().zip(shift.iter().cycle()).map(|(x, s)| x + s);
    let y = of(count, width, moved.collect());
    let length: f32 = shift.iter().map(|s| s * s).sum();
    let directions = unit_directions(16, width);
    let along = directions.chunks_exact(width).map(|theta| {
        let inner: f32 = theta.iter().zip(&shift).map(|(a, b)| a * b).sum();
        inner * inner
    });
    let mean = along.sum::<f32>() / 16.0;
    let sliced = CloudDistance::SlicedWasserstein {
        directions: &directions,
    };
    // The square, where libraries return its root.
    for (distance, expected) in [(sliced, mean), (CloudDistance::GaussianW2, length)] {
        let (value, _) = computed(&x, &y, distance);
        assert!(
            (value - f64::from(expected)).abs() < 1e-5,
            "{distance:?}: {value}"
        );
    }
    // CKA does not see it.
    assert!(computed(&x, &y, CloudDistance::Cka).0.abs() < 1e-6);
}

#[test]
fn two_points_have_the_squared_distance_as_their_transport_cost() {
    let (x, y) = (of(1, 2, vec![1.0, 2.0]), of(1, 2, vec![4.0, 6.0]));
    let (value, gradient) = computed(&x, &y, TIGHT);
    assert!((value - 25.0).abs() < 1e-4, "{value}");
    assert_close(&gradient, &[-15.0, -20.0], 1e-5);
}

#[test]
fn estimates_without_bias_may_be_negative_and_the_others_are_0_for_one_cloud() {
    let x = matrix(30, 4, 1.0, 0);
    let directions = unit_directions(8, 4);
    let sliced = CloudDistance::SlicedWasserstein {
        directions: &directions,
    };
    for distance in [CloudDistance::Energy, CloudDistance::Mmd] {
        let (value, gradient) = computed(&x, &x, distance);
        assert!(value < -1e-3, "{distance:?}: {value}");
        assert!(gradient.iter().all(|g| g.is_finite()));
    }
    for distance in [sliced, CloudDistance::GaussianW2, TIGHT, CloudDistance::Cka] {
        let (value, gradient) = computed(&x, &x, distance);
        assert!(value.abs() < 2e-5, "{distance:?}: {value}");
        assert!(
            gradient.iter().all(|g| g.abs() < 2e-4),
            "{distance:?}: {gradient:?}"
        );
    }
}

#[test]
fn the_order_of_the_targets_matters_to_cka_alone() {
    let (x, y) = (matrix(20, 3, 1.0, 0), matrix(20, 3, 1.0, 1));
    let reversed: Vec<usize> = (0..20).rev().collect();
    let turned = Cpu::pick_rows(&y, &reversed);
    let directions = unit_directions(8, 3);
    for distance in [
        CloudDistance::SlicedWasserstein {
            directions: &directions,
        },
        CloudDistance::Energy,
        CloudDistance::Mmd,
        CloudDistance::GaussianW2,
        TIGHT,
    ] {
        let (a, b) = (computed(&x, &y, distance), computed(&x, &turned, distance));
        assert!((a.0 - b.0).abs() < 1e-5, "{distance:?}: {} {}", a.0, b.0);
        assert_close(&a.1, &b.1, 1e-4);
    }
    let cka = |y| computed(&x, y, CloudDistance::Cka).0;
    assert!((cka(&y) - cka(&turned)).abs() > 1e-3);
}

#[test]
fn cka_takes_any_width_and_is_near_0_for_few_vectors() {
    // A rotation, a scale and coordinates that repeat others change nothing.
    let x = matrix(50, 2, 1.0, 0);
    let values = read(&x);
    let turned = values.chunks_exact(2).flat_map(|row| {
        let (a, b) = (0.6 * row[0] - 0.8 * row[1], 0.8 * row[0] + 0.6 * row[1]);
        [3.0 * a, 3.0 * b]
    });
    let (value, gradient) = computed(&x, &of(50, 2, turned.collect()), CloudDistance::Cka);
    assert!(value.abs() < 1e-6 && gradient.iter().all(|g| g.abs() < 1e-5));
    let (value, _) = computed(&x, &matrix(50, 7, 1.0, 1), CloudDistance::Cka);
    assert!(value > 0.5, "{value}");
    // Clouds that have nothing in common: with as many coordinates as vectors they look alike.
    let of_few = computed(
        &matrix(16, 16, 1.0, 2),
        &matrix(16, 16, 1.0, 3),
        CloudDistance::Cka,
    );
    let of_many = computed(
        &matrix(800, 16, 1.0, 2),
        &matrix(800, 16, 1.0, 3),
        CloudDistance::Cka,
    );
    assert!(
        of_few.0 < 0.6 && of_many.0 > 0.95,
        "{} {}",
        of_few.0,
        of_many.0
    );
}

#[test]
fn points_that_coincide_and_singular_clouds_stay_finite() {
    let constant = of(8, 3, vec![2.0; 24]);
    let zero = of(8, 3, vec![0.0; 24]);
    let flat = of(
        8,
        3,
        (0..24)
            .map(|i| if i % 3 == 0 { i as f32 } else { 0.0 })
            .collect(),
    );
    let directions = unit_directions(4, 3);
    for distance in [
        CloudDistance::SlicedWasserstein {
            directions: &directions,
        },
        CloudDistance::Energy,
        CloudDistance::Mmd,
        CloudDistance::GaussianW2,
        TIGHT,
        CloudDistance::Cka,
    ] {
        for (x, y) in [
            (&constant, &constant),
            (&constant, &zero),
            (&flat, &flat),
            (&flat, &zero),
            (&constant, &flat),
        ] {
            let (value, gradient) = computed(x, y, distance);
            assert!(value.is_finite(), "{distance:?}: {value}");
            assert!(gradient.iter().all(|g| g.is_finite()), "{distance:?}");
        }
    }
}

#[test]
fn rows_that_are_not_compared_get_no_gradient() {
    let x = matrix(9, 3, 1.0, 0);
    let picked = [1, 4, 5, 8];
    let y = matrix(4, 3, 1.0, 1);
    let few = Cpu::pick_rows(&x, &picked);
    let (value, expected) = computed(&few, &y, CloudDistance::Energy);
    let energy = CloudDistance::Energy;
    let (loss, found) = Cpu::cloud_distance(x.leaky_trace(), Some(&picked), &y, energy);
    assert_eq!(found, value);
    let gradient = gradients(loss, &[&x]).remove(0);
    let rows: Vec<&[f32]> = gradient.chunks_exact(3).collect();
    for (row, gradient) in rows.iter().enumerate() {
        match picked.iter().position(|&one| one == row) {
            Some(place) => assert_eq!(*gradient, &expected[place * 3..place * 3 + 3]),
            None => assert_eq!(*gradient, [0.0; 3]),
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits_with_and_without_a_tape() {
    let (x, y) = (matrix(203, 37, 1.0, 0), matrix(203, 37, 1.0, 1));
    let directions = unit_directions(33, 37);
    for distance in [
        CloudDistance::SlicedWasserstein {
            directions: &directions,
        },
        CloudDistance::Energy,
        CloudDistance::Mmd,
        CloudDistance::GaussianW2,
        CloudDistance::Sinkhorn {
            epsilon: 0.1,
            iterations: 30,
        },
        CloudDistance::Cka,
    ] {
        let [one, two, three] = with_threads(|| computed(&x, &y, distance));
        assert!(one == two && one == three, "{distance:?}");
        let (_, value) = Cpu::cloud_distance(x.clone(), None, &y, distance);
        assert_eq!(value, one.0, "{distance:?}");
    }
}
