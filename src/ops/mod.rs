//! The backend seam: every operation of training and evaluation, over a dfdx device.
//!
//! Matrices are row-major `(rows, columns)`; a batch of B sequences of T tokens is N = B·T rows. Vectors (biases, gains) are `(1, columns)`. An operation takes the tensor that
//! carries the tape first, records its backward there and hands the tape on; the other tensors come without a tape, and gradients find them by their id. With [`NoneTape`] nothing is
//! recorded or kept. The provided methods are composed of dfdx's own operations ([`composed`]) and run on any device; for the CPU they are overridden by fused kernels. Nothing
//! above this module knows which of the two ran.

use dfdx::prelude::*;

/// A matrix on device `D`, with tape `T`.
pub type Mat<D, T = NoneTape> = Tensor<(usize, usize), f32, D, T>;
/// A single number, the value of a loss.
pub type Scalar<D, T = NoneTape> = Tensor<Rank0, f32, D, T>;

pub mod clouds;
pub mod composed_losses;
pub mod critic;
mod critic_net;
mod critic_spectral;
mod critic_term;
mod critic_update;
mod elementwise;
mod hidden;
mod logit_rows;
mod logits;
#[cfg(test)]
mod loss_checks;
mod losses;
mod precomputed;
mod product;

pub use critic::{Constraint, Critic, CriticFlops, CriticSettings, StateArray, critic_flops};
pub use critic_update::CriticReport;
pub use logits::{LogitTerm, TeacherHead, TokenScore};
pub use losses::Losses;
