//! The student's Wasserstein term on the CPU: mean f(t) − mean f(x) with the critic fixed, and its
//! gradient for x in the same pass.

use dfdx::prelude::*;

use super::net::{CHUNK, Net};
use super::state::Critic;
use crate::ops::cpu::matmul::product;
use crate::ops::cpu::tape::{precomputed, values};
use crate::ops::{Mat, Scalar};

/// See [`crate::ops::Losses::critic_term`].
pub fn critic_term<T: Tape<f32, Cpu>>(
    x: Mat<Cpu, T>,
    target: &Mat<Cpu>,
    critic: &Critic,
) -> (Scalar<Cpu, T>, f64) {
    let columns = x.shape().1;
    assert_eq!(
        columns, critic.settings.input,
        "the critic judges vectors of width {}",
        critic.settings.input
    );
    let weights = critic.effective();
    let net = Net::new(critic, &weights);
    let student = values(&x);
    let mut gradient = vec![0.0f32; if T::OWNS_TAPE { student.len() } else { 0 }];
    let real = mean(&net, values(target), &mut [], columns);
    let value = real - mean(&net, student, &mut gradient, columns);
    let (x, tape) = x.split_tape();
    (
        precomputed(tape, target.device(), value, vec![(x, gradient)]),
        value,
    )
}

/// mean f over the rows of `inputs`; fills the gradient of −mean f unless it is empty.
fn mean(net: &Net<'_>, inputs: &[f32], gradient: &mut [f32], columns: usize) -> f64 {
    let rows = inputs.len() / columns;
    let (width, depth) = (net.width, net.layout.layers.len());
    let buffers = || vec![vec![0.0f32; rows.min(CHUNK) * width]; depth];
    let mut activations = buffers();
    let mut factors = if gradient.is_empty() {
        Vec::new()
    } else {
        buffers()
    };
    let mut sum = 0.0;
    for start in (0..rows).step_by(CHUNK) {
        let count = CHUNK.min(rows - start);
        let part = start * columns..(start + count) * columns;
        net.first_products(
            &inputs[part.clone()],
            &mut activations[0][..count * width],
            count,
        );
        net.forward(&mut activations, count);
        sum += net.sum(&activations[depth - 1][..count * width]);
        if !gradient.is_empty() {
            net.factors(&activations, &mut factors, count);
            let shape = net
                .shape(count, width, columns)
                .right_transposed()
                .scale(-1.0 / rows as f32);
            product(
                shape,
                &factors[0][..count * width],
                net.weight(0),
                &mut gradient[part],
            );
        }
    }
    sum / rows as f64
}

#[cfg(test)]
#[path = "term_tests.rs"]
mod tests;
