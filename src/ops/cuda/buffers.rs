//! The buffers of tensors on the card: their addresses, and gradients on the tape.
//!
//! dfdx has no function that tells where a tensor's numbers are. What it has is `Debug`, which
//! begins with the buffer's address and length; [`check_addresses`] holds that on every start.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use cudarc::driver::CudaSlice;
use dfdx::prelude::*;

use super::api::Address;
use super::card::{at, card, fail, float, word};
use super::functions::without_zeros;
use crate::ops::{GradientMap, Mat, Scalar};

/// Where a matrix's numbers are. Shared by all copies of a matrix, so that whoever writes knows
/// whether it is the only one.
#[derive(Debug, Clone)]
pub struct CardBuffer(Arc<CardPlace>);

#[derive(Debug)]
struct CardPlace {
    address: Address,
    /// The same numbers in bfloat16, since a product asked for them so. Numbers change where AdamW
    /// steps, which rounds them anew, and where others are written, which makes a new place.
    rounded: OnceLock<CudaSlice<u16>>,
}

impl CardBuffer {
    /// Whether no other matrix has the same buffer.
    pub(super) fn is_only_one(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Keeps what `round` makes of the numbers, unless they are rounded already.
    pub(super) fn keep_rounded(&self, round: impl FnOnce() -> CudaSlice<u16>) {
        let _kept = self.0.rounded.get_or_init(round);
    }

    /// Where the rounded numbers are that are kept; 0 where there are none.
    pub(super) fn rounded(&self) -> Address {
        self.0.rounded.get().map_or(0, at)
    }
}

/// Takes the beginning of a text and refuses the rest, so that the formatter stops.
struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.push_str(text);
        if self.0.len() < 160 {
            Ok(())
        } else {
            Err(std::fmt::Error)
        }
    }
}

/// The address and the number of elements of a tensor's buffer, if dfdx shows them as version
/// 0.13.0 does.
fn shown<S: Shape>(x: &Tensor<S, f32, Cuda>) -> Option<(Address, u64)> {
    let mut text = Beginning(String::with_capacity(256));
    // It ends in the error that ends the formatter.
    let _ = write!(text, "{x:?}");
    let number = |name: &str| -> Option<u64> {
        let rest = text.0.split_once(name)?.1;
        rest[..rest.find(|c: char| !c.is_ascii_digit())?]
            .parse()
            .ok()
    };
    Some((number("cu_device_ptr: ")?, number("len: ")?))
}

/// See [`crate::ops::Backend::place`].
pub(super) fn place(x: &Tensor<(usize, usize), f32, Cuda>) -> CardBuffer {
    let (rows, columns) = *x.shape();
    match shown(x) {
        Some((address, length)) if length == (rows * columns) as u64 => {
            CardBuffer(Arc::new(CardPlace {
                address,
                rounded: OnceLock::new(),
            }))
        }
        _ => panic!("dfdx shows a tensor in another way than version 0.13.0"),
    }
}

/// The address of a matrix, whose rows lie one after the other. The matrix keeps its memory; work
/// that was put on the stream before the matrix is dropped still finds it, since it is freed in the
/// stream's order.
pub(super) fn address<T>(x: &Mat<Cuda, T>) -> Address {
    x.place.0.address
}

fn scalar_address(x: &Scalar<Cuda>) -> Address {
    shown(&x.0).expect("addresses were checked at the start").0
}

/// Whether addresses are what they are taken for: a kernel doubles a number there.
///
/// # Errors
/// They are not.
pub(super) fn check_addresses(device: &Cuda) -> Result<(), String> {
    let fault = || "dfdx does not show where its tensors are".to_owned();
    let x: Tensor<Rank0, f32, Cuda> = device.try_tensor(21.0).map_err(|error| error.to_string())?;
    let (address, length) = shown(&x).ok_or_else(fault)?;
    if length != 1 {
        return Err(fault());
    }
    // SAFETY: an address that dfdx shows, of one number.
    unsafe {
        let arguments = [
            word(address),
            float(2.0),
            word(address),
            float(0.0),
            word(0),
        ];
        card().launch("combine", (1, 1), 32, &arguments);
    }
    if x.as_vec()[0] == 42.0 {
        Ok(())
    } else {
        Err(fault())
    }
}

/// A matrix that a kernel writes all of before anybody reads it.
pub(super) fn empty(device: &Cuda, rows: usize, columns: usize) -> Mat<Cuda> {
    match without_zeros(|| device.try_zeros_like(&(rows, columns))) {
        Ok(tensor) => Mat::new(tensor),
        Err(error) => {
            // Says how much is free, where that is the reason.
            drop(card().scratch::<f32>(rows * columns));
            fail("memory", &error.to_string())
        }
    }
}

/// The number 0.
pub(super) fn zero(device: &Cuda) -> Scalar<Cuda> {
    match device.try_zeros() {
        Ok(number) => Scalar(number),
        Err(error) => fail("memory", &error.to_string()),
    }
}

/// The address of a number.
pub(super) fn number_address<T: Tape<f32, Cuda>>(x: Scalar<Cuda, T>) -> (Address, Scalar<Cuda>, T) {
    let (x, tape) = x.split_tape();
    (scalar_address(&x), x, tape)
}

/// A gradient on the card.
pub(super) type Slice = <Cuda as Storage<f32>>::Vec;

/// How a tensor's gradient is reached.
type Reached = dyn for<'a> Fn(&'a mut Gradients<f32, Cuda>) -> Result<&'a mut Slice, CudaError>;

/// Where the gradient of a tensor is found, without keeping the tensor itself in memory.
pub(super) struct CardGradient {
    reach: Box<Reached>,
    device: Cuda,
}

impl CardGradient {
    pub fn of<T>(x: &Mat<Cuda, T>) -> Self {
        let ghost = x.tensor.ghost();
        Self {
            reach: Box::new(move |gradients| gradients.get_or_alloc_mut(&ghost)),
            device: x.device().clone(),
        }
    }

    pub fn of_number(x: &Scalar<Cuda>) -> Self {
        let ghost = x.0.ghost();
        Self {
            reach: Box::new(move |gradients| gradients.get_or_alloc_mut(&ghost)),
            device: x.0.device().clone(),
        }
    }

    /// Where what has arrived so far is, to add to; zeros at first.
    pub fn get(&self, gradients: &mut Gradients<f32, Cuda>) -> Result<Address, CudaError> {
        Ok(at((self.reach)(gradients)?))
    }

    /// What has arrived, taken away so that its memory is free again.
    pub fn take(&self, gradients: &mut Gradients<f32, Cuda>) -> Result<Slice, CudaError> {
        // A card gives no memory of size 0.
        let nothing = without_zeros(|| self.device.try_alloc_len(1))?;
        Ok(std::mem::replace((self.reach)(gradients)?, nothing))
    }
}

/// Hands the values on with the tape, on which `backward` is recorded. `backward` gets the
/// gradients and the incoming gradient of the output, and adds what it finds to its inputs' own.
///
/// Callers look at `T::OWNS_TAPE` first, to keep nothing for a backward pass that never comes.
pub(super) fn record<T: Tape<f32, Cuda>>(
    mut tape: T,
    out: Mat<Cuda>,
    backward: impl 'static + FnOnce(&mut Gradients<f32, Cuda>, Slice) -> Result<(), CudaError>,
) -> Mat<Cuda, T> {
    if T::OWNS_TAPE {
        let place = CardGradient::of(&out);
        tape.add_backward_op(move |gradients| {
            let incoming = place.take(gradients)?;
            backward(gradients, incoming)
        });
    }
    out.put_tape(tape)
}

/// See [`crate::ops::Backend::take_gradient`].
pub(super) fn take_gradient(gradients: &mut GradientMap<Cuda>, x: &Mat<Cuda>) -> Slice {
    let taken = CardGradient::of(x).take(&mut gradients.0);
    taken.unwrap_or_else(|error| fail("memory", &error.to_string()))
}

#[cfg(test)]
#[path = "buffers_tests.rs"]
mod tests;
