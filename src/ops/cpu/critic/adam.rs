//! The optimizer of a critic.

use rayon::prelude::*;

use super::state::Critic;
use crate::ops::cpu::vector::dispatched;

/// Adam's epsilon.
const ADAM_EPSILON: f64 = 1e-8;
/// Parameters that one task of Adam works on.
const ADAM_CHUNK: usize = 1 << 14;

/// One step of Adam (arXiv 1412.6980) with bias correction as in PyTorch, no decay.
pub(super) fn adam(critic: &mut Critic, gradient: &[f32]) {
    critic.step += 1;
    let [beta1, beta2] = critic.settings.betas;
    let exponent = i32::try_from(critic.step).unwrap_or(i32::MAX);
    let rate = (critic.settings.lr / (1.0 - beta1.powi(exponent))) as f32;
    let root = (1.0 / (1.0 - beta2.powi(exponent)).sqrt()) as f32;
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
            adam_step(
                parameters,
                first,
                second,
                gradient,
                [beta1, beta2],
                rate,
                root,
            );
        });
}

dispatched! {
    fn adam_step(
        parameters: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
        gradient: &[f32],
        betas: [f64; 2],
        rate: f32,
        root: f32,
    ) {
        let [keep1, keep2] = betas.map(|beta| beta as f32);
        let [add1, add2] = betas.map(|beta| (1.0 - beta) as f32);
        let epsilon = ADAM_EPSILON as f32;
        for (((p, m), v), &g) in parameters.iter_mut().zip(first).zip(second).zip(gradient) {
            *m = keep1 * *m + add1 * g;
            *v = keep2 * *v + add2 * g * g;
            *p -= rate * *m / (v.sqrt() * root + epsilon);
        }
    }
}
