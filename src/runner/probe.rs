//! How fast this machine is, in a few hundredths of a second: enough to say whether a study takes
//! minutes or days.

use std::time::Instant;

use rayon::prelude::*;

use crate::ops::{Cpu, NoneTape, Ops, Precision, tape};

/// Share of a plain product's speed that a training reaches as a whole, roughly: small models less,
/// large ones more.
const SHARE: f64 = 0.5;

/// Floating-point operations that a training gets done in a second here, roughly.
pub fn training_flops_per_second() -> f64 {
    SHARE * plain_product((512, 256, 1024), 12, Precision::F32)
}

/// Floating-point operations a second of the best of `times` products of a (rows, inner) and an
/// (inner, columns) matrix.
pub fn plain_product(shape: (usize, usize, usize), times: usize, precision: Precision) -> f64 {
    product_on(&Cpu::default(), shape, times, precision)
}

/// The same on a device.
pub(super) fn product_on<D: Ops>(
    device: &D,
    (rows, inner, columns): (usize, usize, usize),
    times: usize,
    precision: Precision,
) -> f64 {
    let filled = |rows, columns| tape::matrix(device, rows, columns, vec![0.5; rows * columns]);
    let (x, weight, bias) = (
        filled(rows, inner),
        filled(inner, columns),
        filled(1, columns),
    );
    let once = || {
        let started = Instant::now();
        let out = D::linear::<NoneTape>(x.clone(), &weight, &bias, precision);
        device.wait();
        std::hint::black_box(out);
        started.elapsed().as_secs_f64()
    };
    // The first is slow: threads start, memory is fresh.
    let seconds = (0..times).map(|_| once()).fold(f64::INFINITY, f64::min);
    2.0 * (rows * inner * columns) as f64 / seconds
}

/// Bytes a second that all cores together read from a buffer that is larger than any cache; the
/// best of several times.
pub(super) fn read_bandwidth() -> f64 {
    const BYTES: usize = 256 << 20;
    let numbers = vec![1u64; BYTES / size_of::<u64>()];
    let once = || {
        let started = Instant::now();
        let sum: u64 = numbers
            .par_chunks(1 << 17)
            .map(|part| part.iter().fold(0u64, |sum, &x| sum.wrapping_add(x)))
            .reduce(|| 0, u64::wrapping_add);
        std::hint::black_box(sum);
        started.elapsed().as_secs_f64()
    };
    BYTES as f64 / (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
}
