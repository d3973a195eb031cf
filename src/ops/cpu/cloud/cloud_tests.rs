//! Tests of the distances of clouds: their definitions in f64 with gradients by finite differences,
//! closed forms, and what is easily got wrong. What other libraries compute is in `tests/it`.

#[path = "definitions.rs"]
mod definitions;

use definitions::{reference, wide};

use super::*;
use crate::ops::tape::read;
use crate::ops::test_support::{assert_close, gradients, matrix, numeric, of, with_threads};
use crate::ops::{Backend, Losses};

const TIGHT: CloudDistance = CloudDistance::Sinkhorn {
    epsilon: 0.2,
    iterations: 20_000,
};

/// Value and gradient.
fn computed(x: &Mat<Cpu>, y: &Mat<Cpu>, distance: CloudDistance) -> (f64, Vec<f32>) {
    let (loss, value) = Cpu::cloud_distance(x.leaky_trace(), None, y, distance);
    assert_eq!(loss.value(), value as f32);
    (value, gradients(loss, &[x]).remove(0))
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
fn transport_of_states_that_have_run_away_comes_to_an_end_and_is_no_number() {
    let (mut x, y) = (read(&matrix(9, 3, 1.0, 0)), matrix(9, 3, 1.0, 1));
    // Its square is beyond f32, and the median of all distances is not.
    x[0] = 1e20;
    let x = crate::ops::tape::matrix(&Cpu::default(), 9, 3, x);
    let (_, value) = Cpu::cloud_distance(x, None, &y, TIGHT);
    assert!(!value.is_finite(), "{value}");
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
