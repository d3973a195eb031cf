//! Numbers as products take them.

use cudarc::driver::CudaSlice;
use dfdx::prelude::Cuda;

use super::api::Address;
use super::buffers::{CardBuffer, address};
use super::card::{at, card, size, word};
use crate::ops::{Mat, Precision};

/// Bytes of a number as a product takes it.
pub(super) fn operand_bytes(precision: Precision) -> usize {
    match precision {
        Precision::F32 | Precision::Tf32 => size_of::<f32>(),
        Precision::Bf16 => size_of::<u16>(),
    }
}

/// Numbers as a product takes them: where they are, or rounded, in a copy of its own or in one that
/// is kept beside a weight.
pub(super) enum CardOperand {
    Own(Mat<Cuda>),
    Rounded(CudaSlice<u16>),
    Kept(CardBuffer),
}

impl CardOperand {
    pub(super) fn of(x: &Mat<Cuda>, precision: Precision) -> Self {
        match precision {
            Precision::F32 | Precision::Tf32 => Self::Own(x.clone()),
            Precision::Bf16 => Self::Rounded(rounded_copy(x)),
        }
    }

    /// The same of a weight, which is rounded once for as long as it stays.
    pub(super) fn of_weight(x: &Mat<Cuda>, precision: Precision) -> Self {
        match precision {
            Precision::F32 | Precision::Tf32 => Self::Own(x.clone()),
            Precision::Bf16 => {
                x.place.keep_rounded(|| rounded_copy(x));
                Self::Kept(x.place.clone())
            }
        }
    }

    pub(super) fn address(&self) -> Address {
        match self {
            Self::Own(x) => address(x),
            Self::Rounded(x) => at(x),
            Self::Kept(place) => place.rounded(),
        }
    }
}

fn rounded_copy(x: &Mat<Cuda>) -> CudaSlice<u16> {
    let count = x.shape().0 * x.shape().1;
    // SAFETY: there are as many.
    unsafe { rounded(count, address(x)) }
}

/// A copy in bfloat16 of `count` numbers.
///
/// # Safety
/// There are as many at the address.
pub(super) unsafe fn rounded(count: usize, x: Address) -> CudaSlice<u16> {
    let out = card().scratch::<u16>(count);
    let arguments = [size(count), word(x), word(at(&out))];
    // SAFETY: as the caller promised.
    unsafe { card().launch_each("round_all", count, &arguments) };
    out
}
