//! The optimizer of a critic.

use rayon::prelude::*;

use super::state::Critic;
use crate::ops::cpu::vector::dispatched;
use crate::ops::critic::CriticSettings;

/// Adam's epsilon.
const ADAM_EPSILON: f64 = 1e-8;
/// Parameters that one task of Adam works on.
const ADAM_CHUNK: usize = 1 << 14;

/// The numbers of one step of Adam, the same on every device: m ← β₁m + (1 − β₁)g;
/// v ← β₂v + (1 − β₂)g²; p ← p − `rate`·m/(√v·`root` + ε).
#[derive(Debug, Clone, Copy)]
pub(in crate::ops) struct AdamStep {
    /// β₁ and β₂.
    pub keep: [f32; 2],
    /// 1 − β.
    pub add: [f32; 2],
    /// lr/(1 − β₁ᵏ).
    pub rate: f32,
    /// 1/√(1 − β₂ᵏ).
    pub root: f32,
    pub epsilon: f32,
}

impl AdamStep {
    /// The numbers of step k, from 1.
    pub fn new(settings: &CriticSettings, step: u64) -> Self {
        let [beta1, beta2] = settings.betas;
        let exponent = i32::try_from(step).unwrap_or(i32::MAX);
        Self {
            keep: settings.betas.map(|beta| beta as f32),
            add: settings.betas.map(|beta| (1.0 - beta) as f32),
            rate: (settings.lr / (1.0 - beta1.powi(exponent))) as f32,
            root: (1.0 / (1.0 - beta2.powi(exponent)).sqrt()) as f32,
            epsilon: ADAM_EPSILON as f32,
        }
    }
}

/// One step of Adam (arXiv 1412.6980) with bias correction as in PyTorch, no decay.
pub(super) fn adam(critic: &mut Critic, gradient: &[f32]) {
    critic.step += 1;
    let step = AdamStep::new(&critic.settings, critic.step);
    let moments = critic
        .first
        .par_chunks_mut(ADAM_CHUNK)
        .zip(critic.second.par_chunks_mut(ADAM_CHUNK));
    critic
        .parameters
        .par_chunks_mut(ADAM_CHUNK)
        .zip(moments)
        .zip(gradient.par_chunks(ADAM_CHUNK))
        .for_each(|((parameters, (first, second)), gradient)| {
            adam_step(parameters, first, second, gradient, &step);
        });
}

dispatched! {
    fn adam_step(
        parameters: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
        gradient: &[f32],
        step: &AdamStep,
    ) {
        let &AdamStep { keep: [keep1, keep2], add: [add1, add2], rate, root, epsilon } = step;
        for (((p, m), v), &g) in parameters.iter_mut().zip(first).zip(second).zip(gradient) {
            *m = keep1 * *m + add1 * g;
            *v = keep2 * *v + add2 * g * g;
            *p -= rate * *m / (v.sqrt() * root + epsilon);
        }
    }
}
