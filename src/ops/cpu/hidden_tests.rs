//! Tests of `hidden.rs`.

use super::*;
use crate::ops::Losses;
use crate::ops::composed::losses as composed;
use crate::ops::tape::read;
use crate::ops::test_support::{assert_close, gradients, matrix, numeric, of, with_threads};

/// The three distances.
const KINDS: [&str; 3] = ["mse", "normalized mse", "cosine"];

fn fused<T: Tape<f32, Cpu>>(
    kind: &str,
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
) -> (Scalar<Cpu, T>, f64) {
    match kind {
        "cosine" => Cpu::hidden_cosine(x, target),
        _ => Cpu::hidden_mse(x, target, kind == "normalized mse"),
    }
}

fn composed<T: Tape<f32, Cpu>>(
    kind: &str,
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
) -> (Scalar<Cpu, T>, f64) {
    match kind {
        "cosine" => composed::hidden_cosine(x, target),
        _ => composed::hidden_mse(x, target, kind == "normalized mse"),
    }
}

/// The definitions in f64.
fn reference(kind: &str, x: &[f64], target: &[f32], columns: usize) -> f64 {
    let target: Vec<f64> = target.iter().map(|&t| f64::from(t)).collect();
    let norm = |row: &[f64]| (row.iter().map(|x| x * x).sum::<f64>() + 1e-12).sqrt();
    let row = |(x, t): (&[f64], &[f64])| {
        let (nx, nt) = (norm(x), norm(t));
        let pairs = x.iter().zip(t);
        match kind {
            "mse" => pairs.map(|(x, t)| (x - t).powi(2)).sum::<f64>() / columns as f64,
            "cosine" => 1.0 - pairs.map(|(x, t)| x * t).sum::<f64>() / (nx * nt),
            _ => pairs.map(|(x, t)| (x / nx - t / nt).powi(2)).sum(),
        }
    };
    x.chunks_exact(columns)
        .zip(target.chunks_exact(columns))
        .map(row)
        .sum::<f64>()
        / (x.len() / columns) as f64
}

#[test]
fn values_and_gradients_are_those_of_the_definitions_and_of_dfdx_s_own_operations() {
    for kind in KINDS {
        for (rows, columns) in [(7, 13), (1, 1), (3, 8)] {
            let (x, target) = (matrix(rows, columns, 2.0, 0), matrix(rows, columns, 1.0, 1));
            let (values, targets) = (read(&x), read(&target));
            let (loss, value) = fused(kind, x.leaky_trace(), &target);
            let point: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
            let expected = reference(kind, &point, &targets, columns);
            assert!(
                (value - expected).abs() < 1e-6 * expected.max(1.0),
                "{kind}: {value} against {expected}"
            );
            assert_eq!(loss.value(), value as f32);
            let found = gradients(loss, &[&x]);
            assert_close(
                &found[0],
                &numeric(&values, |x| reference(kind, x, &targets, columns)),
                1e-4,
            );
            let (loss, value) = composed(kind, x.leaky_trace(), &target);
            assert!(
                (value - expected).abs() < 1e-5 * expected.max(1.0),
                "{kind}: {value} against {expected}"
            );
            assert_close(&found[0], &gradients(loss, &[&x])[0], 1e-4);
        }
    }
}

#[test]
fn identical_constant_and_zero_rows_stay_finite() {
    let x = of(
        4,
        3,
        vec![1.0, 2.0, 3.0, 5.0, 5.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    );
    let target = of(
        4,
        3,
        vec![1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
    );
    for kind in KINDS {
        for form in [fused::<OwnedTape<f32, Cpu>>, composed] {
            let (loss, value) = form(kind, x.leaky_trace(), &target);
            assert!(value.is_finite(), "{kind}: {value}");
            assert!(
                gradients(loss, &[&x])[0].iter().all(|g| g.is_finite()),
                "{kind}"
            );
        }
        let (loss, value) = fused(kind, target.leaky_trace(), &target);
        // A zero row has no direction, so its cosine with itself is 0; equal rows are at
        // distance 0 otherwise.
        assert!(
            (value - if kind == "cosine" { 0.5 } else { 0.0 }).abs() < 1e-7,
            "{kind}: {value}"
        );
        assert!(
            gradients(loss, &[&target])[0]
                .iter()
                .all(|g| g.abs() < 1e-6),
            "{kind}"
        );
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits_with_and_without_a_tape() {
    let (x, target) = (matrix(203, 37, 1.0, 0), matrix(203, 37, 1.0, 1));
    for kind in KINDS {
        let [one, two, three] = with_threads(|| {
            let (loss, value) = fused(kind, x.leaky_trace(), &target);
            (value, gradients(loss, &[&x]))
        });
        assert!(one == two && one == three);
        assert_eq!(fused(kind, x.clone(), &target).1, one.0);
    }
}
