//! Divergences of two predictions of one token other than KL, over the vocabulary.
//!
//! With p the teacher's and q the student's probabilities, a divergence is D = Σ value(p, q), and
//! s = q·∂D/∂q is its slope. Through the softmax the gradient for a logit is (s − q·Σ
//! s)/τ; what is constant in ∂D/∂q falls out of that and is left out of s. Everything is made
//! of d = log p − log q, a difference of finite numbers: a probability that underflows
//! contributes 0, and never 0·∞.

use super::vector::{add_scaled, dispatched, exp, ln_1p, sum_of, sum_of_three};

/// A divergence, and what its formula takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Divergence {
    /// ½·KL(p ‖ m) + ½·KL(q ‖ m), m = ½·(p + q).
    JensenShannon,
    /// ½·Σ |p − q|; where both are equal, the slope is 0.
    TotalVariation,
    /// KL(p ‖ α·p + (1 − α)·q).
    SkewForward { skew: f32 },
    /// KL(q ‖ α·q + (1 − α)·p).
    SkewReverse { skew: f32 },
}

/// Both models' distributions over the vocabulary: numbers in proportion to the probabilities, what
/// makes them probabilities, and log p − log q.
#[derive(Clone, Copy)]
pub(super) struct Distributions<'a> {
    pub student: &'a [f32],
    pub own_share: f32,
    pub teacher: &'a [f32],
    pub other_share: f32,
    pub gap: &'a [f32],
}

impl Divergence {
    /// D; with a gradient, adds `factor`·(s − q·Σ s). `slopes` is room for s.
    pub fn add(
        self,
        all: Distributions<'_>,
        slopes: &mut [f32],
        gradient: &mut [f32],
        factor: f64,
    ) -> f64 {
        let value = value_of(self, all);
        if !gradient.is_empty() {
            fill_slopes(self, all, slopes);
            add_through_softmax(slopes, all, gradient, factor);
        }
        value
    }
}

/// Adds `factor`·(s − q·Σ s).
fn add_through_softmax(slopes: &[f32], all: Distributions<'_>, gradient: &mut [f32], factor: f64) {
    let along = factor * f64::from(all.own_share) * sum(slopes);
    add_scaled(gradient, slopes, factor as f32);
    add_scaled(gradient, all.student, -along as f32);
}

/// log(e^a + e^b).
#[inline(always)]
fn log_sum_exp(a: f32, b: f32) -> f32 {
    let top = if a > b { a } else { b };
    top + ln_1p(exp(-(a - b).abs()))
}

/// log(q/m) for m = ½·(p + q) by d = log p − log q; of −d it is log(p/m).
#[inline(always)]
fn to_mixture(d: f32) -> f32 {
    std::f32::consts::LN_2 - log_sum_exp(0.0, d)
}

dispatched! {
    fn sum(x: &[f32]) -> f64 {
        sum_of(x, |x| x)
    }
}

dispatched! {
    /// D.
    fn value_of(kind: Divergence, all: Distributions<'_>) -> f64 {
        let Distributions { student, own_share, teacher, other_share, gap } = all;
        match kind {
            Divergence::JensenShannon => sum_of_three(teacher, student, gap, |p, q, d| {
                0.5 * (p * other_share * to_mixture(-d) + q * own_share * to_mixture(d))
            }),
            Divergence::TotalVariation => sum_of_three(teacher, student, gap, |p, q, _| {
                0.5 * (p * other_share - q * own_share).abs()
            }),
            Divergence::SkewForward { skew } => {
                let (own, other) = (skew.ln(), (1.0 - skew).ln());
                sum_of_three(teacher, student, gap, |p, _, d| {
                    p * other_share * -log_sum_exp(own, other - d)
                })
            }
            Divergence::SkewReverse { skew } => {
                let (own, other) = (skew.ln(), (1.0 - skew).ln());
                sum_of_three(teacher, student, gap, |_, q, d| {
                    q * own_share * -log_sum_exp(own, other + d)
                })
            }
        }
    }
}

/// s over the vocabulary, of one formula.
#[inline(always)]
fn fill(slopes: &mut [f32], all: Distributions<'_>, f: impl Fn(f32, f32, f32) -> f32) {
    let pairs = all.teacher.iter().zip(all.student).zip(all.gap);
    for (slope, ((p, q), d)) in slopes.iter_mut().zip(pairs) {
        *slope = f(p * all.other_share, q * all.own_share, *d);
    }
}

dispatched! {
    /// s over the vocabulary.
    fn fill_slopes(kind: Divergence, all: Distributions<'_>, slopes: &mut [f32]) {
        match kind {
            // ∂D/∂q = ½·log(q/m).
            Divergence::JensenShannon => fill(slopes, all, |_, q, d| {
                0.5 * q * to_mixture(d)
            }),
            Divergence::TotalVariation => fill(slopes, all, |p, q, _| {
                let sign = if q > p {
                    0.5
                } else if q < p {
                    -0.5
                } else {
                    0.0
                };
                sign * q
            }),
            // ∂D/∂q = −(1 − α)·p/m.
            Divergence::SkewForward { skew } => {
                let (own, other) = (skew.ln(), (1.0 - skew).ln());
                fill(slopes, all, |p, _, d| {
                    -p * exp(other - d - log_sum_exp(own, other - d))
                });
            }
            // ∂D/∂q = log(q/m) + 1 − α·q/m.
            Divergence::SkewReverse { skew } => {
                let (own, other) = (skew.ln(), (1.0 - skew).ln());
                fill(slopes, all, |_, q, d| {
                    let mixture = log_sum_exp(own, other + d);
                    q * (-mixture - exp(own - mixture))
                });
            }
        }
    }
}

/// Room for the sorted probabilities of both models.
#[derive(Debug, Default)]
pub(super) struct SortedRoom {
    /// The student's, each above its place in the vocabulary.
    own: Vec<u64>,
    other: Vec<u32>,
}

/// Σ |p↓ − q↓| of the probabilities in falling order (ULD, arXiv 2402.12030), whichever
/// tokens they are of; with a gradient, adds `factor`·(s − q·Σ s) with the order fixed, and
/// the slope 0 where both are equal. Equal probabilities are in the order of the vocabulary.
pub(super) fn sorted_distance(
    all: Distributions<'_>,
    room: &mut SortedRoom,
    slopes: &mut [f32],
    gradient: &mut [f32],
    factor: f64,
) -> f64 {
    // The bits of numbers that are not negative are in the order of the numbers.
    let own = all.student.iter().zip(0u32..);
    room.own.clear();
    room.own
        .extend(own.map(|(q, place)| u64::from(q.to_bits()) << 32 | u64::from(!place)));
    room.own.sort_unstable_by(|a, b| b.cmp(a));
    room.other.clear();
    room.other.extend(all.teacher.iter().map(|p| p.to_bits()));
    room.other.sort_unstable_by(|a, b| b.cmp(a));
    let mut value = 0.0;
    for (own, other) in room.own.iter().zip(&room.other) {
        let place = !(*own as u32) as usize;
        let q = all.student[place] * all.own_share;
        let p = f32::from_bits(*other) * all.other_share;
        value += f64::from((q - p).abs());
        let sign = if q > p {
            1.0
        } else if q < p {
            -1.0
        } else {
            0.0
        };
        slopes[place] = sign * q;
    }
    if !gradient.is_empty() {
        add_through_softmax(slopes, all, gradient, factor);
    }
    value
}

dispatched! {
    /// Σ (z_s − z_t)² / V over the logits; with a gradient, adds `factor`·2·(z_s − z_t)/V.
    pub(super) fn squared_distance(
        student: &[f32],
        teacher: &[f32],
        gradient: &mut [f32],
        factor: f64,
    ) -> f64 {
        let vocabulary = student.len() as f64;
        let scale = (2.0 * factor / vocabulary) as f32;
        for (gradient, (s, t)) in gradient.iter_mut().zip(student.iter().zip(teacher)) {
            *gradient += scale * (s - t);
        }
        sum_of_three(student, teacher, teacher, |s, t, _| (s - t) * (s - t)) / vocabulary
    }
}

#[cfg(test)]
#[path = "divergence_tests.rs"]
mod tests;
