//! The student's Wasserstein term on the card: mean f(t) − mean f(x) with the critic fixed, and
//! its gradient for x in the same pass.

use cudarc::driver::CudaSlice;
use dfdx::prelude::*;

use super::batch::{Arrays, Together};
use super::net::{CriticNets, CriticRows};
use super::spectral::CardSpectral;
use super::state::CardCritic;
use super::weights::{addresses, fill_weights, list_of};
use crate::ops::critic::Constraint;
use crate::ops::cuda::card::{CardValue, at, card, int, word};
use crate::ops::cuda::losses::precomputed;
use crate::ops::cuda::operand::CardOperand;
use crate::ops::{Mat, Precision, Scalar};

/// Numbers of one layer's rows that are in memory at a time, unless one row is more. Few in tests,
/// so that they come to several chunks.
const ROW_ELEMENTS: usize = if cfg!(test) { 1 << 6 } else { 1 << 24 };

/// See [`crate::ops::Losses::critic_term`].
pub(in crate::ops::cuda) fn critic_term<T: Tape<f32, Cuda>>(
    x: Mat<Cuda, T>,
    target: &Mat<Cuda>,
    critic: &CardCritic,
) -> (Scalar<Cuda, T>, CardValue) {
    let (rows, columns) = *x.shape();
    assert!(
        columns == critic.settings.input && *target.shape() == (rows, columns),
        "the critic judges vectors of width {}",
        critic.settings.input
    );
    let one = Together(1);
    let nets = CriticNets::new(one, &critic.settings, &critic.layout, critic.precision);
    let places = card().upload(addresses([critic].into_iter()));
    let lists = [0, 3].map(|list| list_of(&places, list, 1));
    let spectral = (critic.settings.constraint == Constraint::Spectral)
        .then(|| CardSpectral::new(one, &critic.layout, critic.settings.width, lists));
    // SAFETY: the addresses are those of the critic.
    unsafe { fill_weights(&nets, lists[0], spectral.as_ref()) };

    let (x, tape) = x.split_tape();
    let gradient = T::OWNS_TAPE.then(|| card().scratch::<f32>(rows * columns));
    let values = card().scratch::<f64>(2 * rows);
    let places = [at(&values), at(&values) + (rows * size_of::<f64>()) as u64];
    // SAFETY: there are so many values, and a gradient of the shape of x.
    unsafe {
        judge(&nets, &x, places[0], gradient.as_ref());
        judge(&nets, target, places[1], None);
    }
    let (mut found, place) = card().values(3);
    let arguments = [
        int(rows),
        word(at(&values)),
        int(0),
        word(0),
        int(0),
        word(place),
    ];
    // SAFETY: there are as many values.
    unsafe { one.blocks("critic_report", &arguments) };
    let gradients = gradient.map_or_else(Vec::new, |gradient| vec![(x, gradient)]);
    let loss = precomputed(tape, target.device(), (&[1.0], place), gradients);
    (loss, found.swap_remove(0))
}

/// f of every row, and the gradient of −mean f where there is room for one.
///
/// # Safety
/// There is a place for every value, and the gradient has the shape of x.
unsafe fn judge(nets: &CriticNets, x: &Mat<Cuda>, values: u64, gradient: Option<&CudaSlice<f32>>) {
    let ((count, input), width) = (*x.shape(), nets.settings.width);
    let operand = CardOperand::of(x, nets.precision);
    let inputs = match nets.precision {
        Precision::F32 | Precision::Tf32 => Arrays::new(operand.address(), 0),
        Precision::Bf16 => Arrays::new(0, 0).rounded_at(operand.address()),
    };
    let chunk = (ROW_ELEMENTS / width).clamp(1, count);
    let mut rows = CriticRows::new(nets, chunk);
    for start in (0..count).step_by(chunk) {
        let part = chunk.min(count - start);
        let rows = rows.of(part);
        let values = values + (start * size_of::<f64>()) as u64;
        // SAFETY: as the caller promised.
        unsafe {
            nets.first_products(inputs.from(start * input), [0, part], rows);
            nets.forward(rows);
            nets.values(rows, [part, part], values, [0, 0]);
            if let Some(gradient) = gradient {
                nets.factors(rows);
                let shape = nets.shape([part, width, input], [false, true]);
                let shape = shape.scale(-1.0 / count as f32);
                let into = Arrays::new(at(gradient), 0).from(start * input);
                nets.critics
                    .product(shape, rows.factors(0), nets.weight(0), into);
            }
        }
    }
}
