//! How fast a model reads a prompt and writes on, on this machine: the only measurement of time
//! here, kept apart from everything that a checksum covers.

use std::time::Instant;

use crate::model::Gpt2;
use crate::ops::Ops;
use crate::record::evaluation::Speed;

use super::decode::TextWriter;
use super::sampling::greedy;
use super::watch::EvaluationWatch;

/// Measurements of each kind, after one that is not counted; the median is taken.
const ROUNDS: usize = 3;
/// Tokens decoded one by one in each measurement.
const DECODED: usize = 32;

/// Times a prompt of `context` tokens (fewer if the model's positions do not leave room for the
/// tokens decoded after it), made of `tokens` over and over. Where `watch` stops it, nothing comes
/// of it.
pub fn measure<D: Ops>(
    model: &Gpt2<D>,
    tokens: &[u32],
    context: usize,
    watch: &dyn EvaluationWatch,
) -> Option<Speed> {
    let config = &model.config;
    let decoded = DECODED.min(config.positions / 2).max(1);
    let context = context.min(config.positions.saturating_sub(decoded)).max(1);
    let prompt: Vec<u32> = tokens
        .iter()
        .copied()
        .chain(std::iter::repeat(0))
        .take(context)
        .collect();
    let writer = TextWriter::new(model);
    let mut reader = writer.reader();
    let (mut prefill, mut decode) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        reader.clear();
        let start = Instant::now();
        let mut token = greedy(reader.read(&prompt));
        let read = start.elapsed().as_secs_f64();
        let start = Instant::now();
        for _ in 0..decoded {
            if watch.is_stopped() {
                return None;
            }
            token = greedy(reader.read(&[token]));
        }
        if round > 0 {
            prefill.push(context as f64 / read.max(1e-9));
            decode.push(decoded as f64 / start.elapsed().as_secs_f64().max(1e-9));
        }
    }
    Some(Speed {
        prefill_tokens_per_second: median(prefill),
        decode_tokens_per_second: median(decode),
        context,
        threads: rayon::current_num_threads(),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
#[path = "speed_tests.rs"]
mod tests;
