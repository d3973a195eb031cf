//! The learning rate of a step.

use crate::plan::run::{Decay, LearningRate};

/// The rate at step k (from 0) of `total`: peak·(k + 1)/W during the W steps of warm-up, then from
/// the peak to floor·peak at the last step.
///
/// With x = (k − W + 1)/(total − W), `cosine` is floor + (1 − floor)·(1 + cos πx)/2 of the peak,
/// `linear` floor + (1 − floor)·(1 − x), `constant` the peak. W is rounded to whole steps.
pub fn learning_rate(rate: &LearningRate, step: u64, total: u64) -> f64 {
    let warmup = rate.warmup.steps(total).round() as u64;
    if step < warmup {
        return rate.peak * (step + 1) as f64 / warmup as f64;
    }
    let x = (step - warmup + 1) as f64 / (total.saturating_sub(warmup)).max(1) as f64;
    let above_floor = match rate.decay {
        Decay::Cosine => (1.0 + (std::f64::consts::PI * x).cos()) / 2.0,
        Decay::Linear => 1.0 - x,
        Decay::Constant => 1.0,
    };
    let floor = rate.floor.share();
    rate.peak * (floor + (1.0 - floor) * above_floor)
}

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
