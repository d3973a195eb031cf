//! The two shapes of tensors that cross the seam.

use dfdx::prelude::*;

/// A matrix on device `D`, with tape `T`.
pub type Mat<D, T = NoneTape> = Tensor<(usize, usize), f32, D, T>;
/// A single number, the value of a loss.
pub type Scalar<D, T = NoneTape> = Tensor<Rank0, f32, D, T>;
