//! What the tests of the losses share: random matrices, comparisons, numeric gradients, thread
//! pools.

use dfdx::prelude::*;

use super::{Backend, Mat, Scalar, tape};
use crate::random::Stream;

/// Normal numbers times `scale`.
pub fn normals(count: usize, scale: f64, index: u64) -> Vec<f32> {
    let mut stream = Stream::new(11, "loss checks", index);
    (0..count)
        .map(|_| (stream.normal() * scale) as f32)
        .collect()
}

/// A random matrix on the CPU.
pub fn matrix(rows: usize, columns: usize, scale: f64, index: u64) -> Mat<Cpu> {
    tape::matrix(
        &Cpu::default(),
        rows,
        columns,
        normals(rows * columns, scale, index),
    )
}

/// A matrix of the values given, on the CPU.
pub fn of(rows: usize, columns: usize, values: Vec<f32>) -> Mat<Cpu> {
    tape::matrix(&Cpu::default(), rows, columns, values)
}

/// Asserts |a − b| ≤ tolerance·max(0.01, largest |b|) everywhere.
pub fn assert_close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    let size = b.iter().fold(1e-2f32, |size, x| size.max(x.abs()));
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!(
            (x - y).abs() <= tolerance * size,
            "at {i}: {x} against {y}, with values up to {size}"
        );
    }
}

/// The gradients of 2.5·loss for the tensors in `of`.
pub fn gradients(loss: Scalar<Cpu, OwnedTape<f32, Cpu>>, of: &[&Mat<Cpu>]) -> Vec<Vec<f32>> {
    let mut gradients = Cpu::scaled(loss, 2.5).backward();
    of.iter()
        .map(|tensor| Cpu::take_gradient(&mut gradients, tensor))
        .collect()
}

/// The gradient of 2.5·`value` at `at` by central differences in f64.
pub fn numeric(at: &[f32], value: impl Fn(&[f64]) -> f64) -> Vec<f32> {
    let mut point: Vec<f64> = at.iter().map(|&x| f64::from(x)).collect();
    let step = 1e-5;
    let mut slope = |i: usize| {
        let middle = point[i];
        point[i] = middle + step;
        let above = value(&point);
        point[i] = middle - step;
        let below = value(&point);
        point[i] = middle;
        (2.5 * (above - below) / (2.0 * step)) as f32
    };
    (0..at.len()).map(&mut slope).collect()
}

/// What `work` gives with 1, 2 and 3 threads.
pub fn with_threads<R: Send>(work: impl Fn() -> R + Sync) -> [R; 3] {
    [1, 2, 3].map(|threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a thread pool")
            .install(&work)
    })
}
