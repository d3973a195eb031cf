//! What using a model costs beside its training: text scored, and text written token by token.

use std::time::Instant;

use serde::Serialize;

use super::probe::{product_on, read_bandwidth};
use crate::eval::{Unwatched, measure_speed};
use crate::model::{Gpt2, validation_nll};
use crate::ops::{Ops, Precision, tape};

/// Tokens that are scored at least.
const SCORED: usize = 1024;

/// How fast a model is used; of the teacher, the larger one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Use {
    /// Tokens of perplexity evaluation a second, in windows of the context.
    pub scored_tokens_per_second: f64,
    /// Their counted operations, in units of 10⁹ a second.
    pub scoring_gflops: f64,
    /// The best of a plain product in f32, in which evaluation works whatever a run trains in.
    pub matmul_peak_gflops: f64,
    /// Tokens written one by one with a cache of keys and values, a second.
    pub decoded_tokens_per_second: f64,
    /// Bytes of weights that decoding reads a second: all of a model's but the positions', once a
    /// token.
    pub decoding_bytes_per_second: f64,
    /// Bytes that all cores together, or the card, read a second from a large buffer, in the same
    /// process.
    pub memory_bytes_per_second: f64,
}

/// The speed of a plain product of large matrices, in units of 10⁹ operations a second.
pub(super) fn plain_peak<D: Ops>(device: &D, precision: Precision) -> f64 {
    // What a processor works on for a while is over on a card before it is asked for and waited
    // for, and beside what is done to the result.
    let side = if device.hardware().is_none() {
        1024
    } else {
        4096
    };
    product_on(device, (side, side, side), 8, precision) / 1e9
}

/// Bytes a second that a device reads from a large buffer of its own.
fn bandwidth<D: Ops>(device: &D) -> f64 {
    const SIDE: usize = 8192;
    if device.hardware().is_none() {
        return read_bandwidth();
    }
    let buffer = tape::matrix(device, SIDE, SIDE, vec![0.5; SIDE * SIDE]);
    let once = || {
        let started = Instant::now();
        std::hint::black_box(D::is_finite(&buffer));
        started.elapsed().as_secs_f64()
    };
    let seconds = (0..5).map(|_| once()).fold(f64::INFINITY, f64::min);
    (SIDE * SIDE * size_of::<f32>()) as f64 / seconds
}

/// Measures a model on `tokens`, in windows of `context`.
pub(super) fn measure_use<D: Ops>(model: &Gpt2<D>, tokens: &[u32], context: usize) -> Use {
    let model = model.with_precision(Precision::F32);
    let config = &model.config;
    let text: Vec<u32> = tokens
        .iter()
        .copied()
        .cycle()
        .take(SCORED.next_multiple_of(context) + 1)
        .collect();
    let before = plain_peak(model.device(), Precision::F32);
    validation_nll(&model, &text[..=context], context);
    let started = Instant::now();
    std::hint::black_box(validation_nll(&model, &text, context));
    let scored_tokens_per_second = (text.len() - 1) as f64 / started.elapsed().as_secs_f64();
    // A machine that others use is faster at one moment than at another.
    let matmul_peak_gflops = before.max(plain_peak(model.device(), Precision::F32));
    let speed = measure_speed(&model, tokens, context.min(128), &Unwatched);
    let decoded_tokens_per_second = speed.map_or(0.0, |speed| speed.decode_tokens_per_second);
    let read = size_of::<f32>() as f64
        * (config.parameters() - (config.positions * config.width) as u64) as f64;
    Use {
        scored_tokens_per_second,
        matmul_peak_gflops,
        scoring_gflops: config.shape().forward_flops(context) * scored_tokens_per_second / 1e9,
        decoded_tokens_per_second,
        decoding_bytes_per_second: read * decoded_tokens_per_second,
        memory_bytes_per_second: bandwidth(model.device()),
    }
}
