//! Differences of log-probabilities over a vocabulary, from logits and not from probabilities.

use super::vector::{BLOCK, LANES, dispatched};

/// A difference of log-probabilities as a function of the two logits.
#[derive(Clone, Copy)]
pub(super) struct LogProbabilityGap {
    pub scale: f32,
    pub top: f32,
    pub teacher_top: f32,
    pub offset: f32,
}

impl LogProbabilityGap {
    #[inline(always)]
    fn at(self, student: f32, teacher: f32) -> f32 {
        ((teacher - self.teacher_top) - (student - self.top)) * self.scale + self.offset
    }
}

dispatched! {
    /// Σ weight·difference, in lanes of a block.
    pub(super) fn weighted_sum(
        weights: &[f32],
        student: &[f32],
        teacher: &[f32],
        difference: LogProbabilityGap,
    ) -> f64 {
        let mut total = 0.0;
        let blocks = weights
            .chunks(BLOCK)
            .zip(student.chunks(BLOCK))
            .zip(teacher.chunks(BLOCK));
        for ((weights, student), teacher) in blocks {
            let mut sums = [0.0f32; LANES];
            let whole = weights.len() / LANES * LANES;
            for at in (0..whole).step_by(LANES) {
                let lanes = at..at + LANES;
                let w = &weights[lanes.clone()];
                let (s, t) = (&student[lanes.clone()], &teacher[lanes]);
                for lane in 0..LANES {
                    sums[lane] += w[lane] * difference.at(s[lane], t[lane]);
                }
            }
            let rest: f64 = (whole..weights.len())
                .map(|i| f64::from(weights[i] * difference.at(student[i], teacher[i])))
                .sum();
            total += sums.iter().map(|&sum| f64::from(sum)).sum::<f64>() + rest;
        }
        total
    }
}

dispatched! {
    /// out = log p_t − log p_s.
    pub(super) fn fill_gap(
        out: &mut [f32],
        student: &[f32],
        teacher: &[f32],
        gap: LogProbabilityGap
    ) {
        for (out, (&s, &t)) in out.iter_mut().zip(student.iter().zip(teacher)) {
            *out = gap.at(s, t);
        }
    }
}

dispatched! {
    /// sums += own·student − other·teacher.
    pub(super) fn add_difference(
        sums: &mut [f32],
        student: &[f32],
        own: f32,
        teacher: &[f32],
        other: f32
    ) {
        for ((sum, p), q) in sums.iter_mut().zip(student).zip(teacher) {
            *sum += own * p - other * q;
        }
    }
}

dispatched! {
    /// sums −= scale·weight·difference.
    pub(super) fn subtract_weighted(
        sums: &mut [f32],
        weights: &[f32],
        scale: f32,
        student: &[f32],
        teacher: &[f32],
        difference: LogProbabilityGap,
    ) {
        for (((sum, w), &s), &t) in sums.iter_mut().zip(weights).zip(student).zip(teacher) {
            *sum -= scale * w * difference.at(s, t);
        }
    }
}
