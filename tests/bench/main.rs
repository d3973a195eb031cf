//! The operations of a training step: each is held against its composed form, values and gradients,

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests make their files as they like, and say why they skip"
)]
//! and only then timed against it and against a plain matrix product.
//!
//! `cargo bench` runs all, `cargo bench -- attention` those whose name holds the word.

mod cases;

use std::time::Instant;

use kdpipe::ops::Precision;
use kdpipe::runner::plain_product;

/// One operation in both forms. A form runs forward and backward once, and returns the value and
/// every gradient.
pub struct Case {
    pub name: &'static str,
    pub shape: String,
    /// Floating-point operations of forward and backward, a multiply-add counted as two; 0 where
    /// nothing is multiplied to speak of.
    pub flops: f64,
    pub fused: Box<dyn Fn() -> Vec<Vec<f32>>>,
    pub composed: Box<dyn Fn() -> Vec<Vec<f32>>>,
}

/// Largest difference between the forms, relative to the largest number of the array in question.
const TOLERANCE: f32 = 2e-4;
/// Seconds that each form is timed at least.
const SECONDS: f64 = 0.5;
/// Runs that are timed at least.
const RUNS: usize = 5;

fn main() {
    // `cargo bench` hands `--bench` on.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let peak = plain_product((1024, 1024, 1024), 10, Precision::F32) / 1e9;
    println!(
        "plain product of 1024×1024 matrices: {peak:.1} GFLOP/s, {} threads\n",
        rayon::current_num_threads()
    );
    println!(
        "{:<18} {:<34} {:>9} {:>9} {:>7} {:>9} {:>8}",
        "operation", "shape", "fused ms", "composed", "ratio", "GFLOP/s", "of peak"
    );
    for case in cases::all().iter().filter(|case| {
        words.is_empty() || words.iter().any(|word| case.name.contains(word.as_str()))
    }) {
        verify(case);
        let (fused, composed) = (time(&case.fused), time(&case.composed));
        let rate = case.flops / fused / 1e9;
        let (rate, share) = if case.flops > 0.0 {
            (
                format!("{rate:.1}"),
                format!("{:.0} %", 100.0 * rate / peak),
            )
        } else {
            ("–".into(), "–".into())
        };
        println!(
            "{:<18} {:<34} {:>9.2} {:>9.2} {:>6.1}× {rate:>9} {share:>8}",
            case.name,
            case.shape,
            1e3 * fused,
            1e3 * composed,
            composed / fused
        );
    }
}

/// Asserts that both forms give the same values and gradients.
fn verify(case: &Case) {
    let (fused, composed) = ((case.fused)(), (case.composed)());
    assert_eq!(fused.len(), composed.len(), "{}", case.name);
    for (index, (found, expected)) in fused.iter().zip(&composed).enumerate() {
        assert_eq!(found.len(), expected.len(), "{}: array {index}", case.name);
        let largest = expected.iter().fold(0.0f32, |top, x| top.max(x.abs()));
        let difference = found
            .iter()
            .zip(expected)
            .fold(0.0f32, |top, (a, b)| top.max((a - b).abs()));
        assert!(
            difference <= TOLERANCE * largest && largest > 0.0,
            "{}: array {index} differs by {difference} of {largest}",
            case.name
        );
    }
}

/// The median of several runs, in seconds, after one that is not counted.
fn time(form: &dyn Fn() -> Vec<Vec<f32>>) -> f64 {
    form();
    let mut seconds = Vec::new();
    while seconds.len() < RUNS || seconds.iter().sum::<f64>() < SECONDS {
        let started = Instant::now();
        std::hint::black_box(form());
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_unstable_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
