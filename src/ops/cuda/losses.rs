//! Distances of matched hidden states on the card, and what all losses there are recorded by.

use cudarc::driver::CudaSlice;
use dfdx::prelude::*;

use super::api::Address;
use super::buffers::{CardGradient, address, number_address, zero};
use super::card::{CardValue, at, card, double, float, int, size, word};
use crate::ops::{Mat, Scalar};

/// A scalar, Σ factor·value of values that lie one after the other on the card, which carries
/// `tape`; when it goes backward, each matrix gets its gradient times the incoming one. With a tape
/// that records nothing the gradients are dropped.
pub(super) fn precomputed<T: Tape<f32, Cuda>>(
    mut tape: T,
    device: &Cuda,
    (factors, values): (&[f64], Address),
    gradients: Vec<(Mat<Cuda>, CudaSlice<f32>)>,
) -> Scalar<Cuda, T> {
    let (place, loss, _) = number_address(zero(device));
    let on_card = card().upload(factors.to_vec());
    let arguments = [
        int(factors.len()),
        word(at(&on_card)),
        word(values),
        word(place),
    ];
    // SAFETY: there are as many factors and values.
    unsafe { card().launch("total", (1, 1), 32, &arguments) };
    if T::OWNS_TAPE {
        let out = CardGradient::of_number(&loss);
        let gradients: Vec<_> = gradients
            .into_iter()
            .map(|(matrix, gradient)| {
                let count = matrix.shape().0 * matrix.shape().1;
                (CardGradient::of(&matrix), count, gradient)
            })
            .collect();
        tape.add_backward_op(move |all| {
            let incoming = word(out.get(all)?);
            for (place, count, gradient) in gradients {
                let sum = word(place.get(all)?);
                let arguments = [size(count), sum, incoming, word(at(&gradient))];
                // SAFETY: a gradient has the size of its matrix.
                unsafe { card().launch_each("add_scaled", count, &arguments) };
            }
            Ok(())
        });
    }
    loss.put_tape(tape)
}

/// How a row of hidden states is compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Distance {
    Squares,
    Directions,
    Cosine,
}

/// See [`crate::ops::Losses::hidden_mse`] and its kin.
pub(super) fn hidden<T: Tape<f32, Cuda>>(
    x: Mat<Cuda, T>,
    target: &Mat<Cuda>,
    distance: Distance,
) -> (Scalar<Cuda, T>, CardValue) {
    let (rows, columns) = *x.shape();
    assert_eq!(
        *target.shape(),
        (rows, columns),
        "both clouds have the same shape"
    );
    let kind = match distance {
        Distance::Squares => 0,
        Distance::Directions => 1,
        Distance::Cosine => 2,
    };
    let (x, tape) = x.split_tape();
    let slopes = T::OWNS_TAPE.then(|| card().scratch::<f32>(rows * columns));
    let by_row = card().scratch::<f64>(rows);
    let share = 1.0 / rows as f64;
    let arguments = [
        int(columns),
        int(kind),
        double(share),
        word(address(&x)),
        word(address(target)),
        word(slopes.as_ref().map_or(0, at)),
        word(at(&by_row)),
    ];
    let (mut values, place) = card().values(1);
    let mean = [
        int(rows),
        int(1),
        double(share),
        word(at(&by_row)),
        word(place),
    ];
    // SAFETY: the shapes were checked.
    unsafe {
        card().launch("hidden_rows", (rows, 1), 256, &arguments);
        card().launch("sum_values", (1, 1), 256, &mean);
    }
    let gradients = slopes.map_or_else(Vec::new, |slopes| vec![(x, slopes)]);
    let value = values.swap_remove(0);
    let loss = precomputed(tape, target.device(), (&[1.0], place), gradients);
    (loss, value)
}

/// a·x + b·y, of which the second may be left out; gradients go to both.
pub(super) fn combined<T: Tape<f32, Cuda>>(
    a: f32,
    x: Scalar<Cuda, T>,
    y: Option<(f32, Scalar<Cuda>)>,
) -> Scalar<Cuda, T> {
    let device = x.0.device().clone();
    let (left, x, mut tape) = number_address(x);
    let (b, right, y) = match y {
        None => (0.0, 0, None),
        Some((b, y)) => {
            let (right, y, _) = number_address(y);
            (b, right, Some(y))
        }
    };
    let (place, out, _) = number_address(zero(&device));
    let arguments = [word(place), float(a), word(left), float(b), word(right)];
    // SAFETY: a number at each address, or none.
    unsafe { card().launch("combine", (1, 1), 32, &arguments) };
    if T::OWNS_TAPE {
        let incoming = CardGradient::of_number(&out);
        let mut into = vec![(a, CardGradient::of_number(&x))];
        into.extend(y.iter().map(|y| (b, CardGradient::of_number(y))));
        tape.add_backward_op(move |all| {
            let incoming = word(incoming.get(all)?);
            for (factor, place) in &into {
                let arguments = [word(place.get(all)?), float(*factor), incoming];
                // SAFETY: as above.
                unsafe { card().launch("add_number", (1, 1), 32, &arguments) };
            }
            Ok(())
        });
    }
    out.put_tape(tape)
}
