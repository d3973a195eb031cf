//! The backend's half of the seam: buffers, gradients, and the parts in which work is shared out.
//!
//! What a layer or a loss is stands in [`super::Layers`] and [`super::Losses`]; here is what the
//! loop over them needs of a device. The provided methods run on any device and copy; the CPU reads
//! and writes values where they lie.

use dfdx::prelude::*;

use super::{Mat, tape};

/// A device's buffers, gradients and parallel parts.
pub trait Backend: Device<f32> {
    /// The instructions that compute in [`super::Precision::Bf16`], where this machine has them.
    fn bf16_instructions() -> Option<&'static str> {
        None
    }

    /// Changes the values of `x`, row by row, in place.
    fn update(x: &mut Mat<Self>, change: impl FnOnce(&mut [f32])) {
        let mut values = tape::read(x);
        change(&mut values);
        tape::write(x, &values);
    }

    /// What `work` makes of the values of `x`, row by row.
    fn with_values<R>(x: &Mat<Self>, work: impl FnOnce(&[f32]) -> R) -> R {
        work(&tape::read(x))
    }

    /// The gradient of `x` after a backward pass, row by row, taken away; zeros where none arrived.
    fn take_gradient(gradients: &mut Gradients<f32, Self>, x: &Mat<Self>) -> Vec<f32> {
        gradients
            .get_or_alloc_mut(x)
            .expect("memory for a gradient");
        tape::read(&gradients.get(x))
    }

    /// Rows of a forward pass without a tape that go through a model together, the others beside
    /// them: with a core for each such part no operation waits for all cores. None: all rows.
    fn rows_per_part() -> Option<usize> {
        None
    }

    /// The rows of all parts, one after the other.
    fn stack(parts: &[&Mat<Self>]) -> Mat<Self> {
        let columns = parts[0].shape().1;
        let mut all = Vec::with_capacity(parts.iter().map(|part| tape::len(*part)).sum());
        for part in parts {
            Self::with_values(part, |values| all.extend_from_slice(values));
        }
        tape::matrix(parts[0].device(), all.len() / columns, columns, all)
    }
}
