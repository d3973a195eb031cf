//! Every operation of training and evaluation, over a dfdx device.
//!
//! Three kinds of files:
//!
//! - **The seam**, in this folder: what an operation is, as methods of traits. Mathematics is in
//!   [`Layers`] and [`Losses`], the care of buffers and threads in [`Backend`] and `native`.
//!   Nothing above this module knows which code runs behind them.
//! - **[`composed`]**: the mathematics made of dfdx's own operations. These are the provided
//!   methods of the traits, run on any device, and are the reference in tests.
//! - **[`cpu`]**: fused kernels, which override the provided methods there.
//!
//! Matrices are row-major `(rows, columns)`; a batch of B sequences of T tokens is N = B·T rows of
//! C coordinates, V is the size of the vocabulary. Vectors (biases, gains) are `(1, columns)`. An
//! operation takes the tensor that carries the tape first, records its backward there and hands
//! the tape on; the other tensors come without a tape, and gradients find them by their id. With
//! [`dfdx::prelude::NoneTape`] nothing is recorded or kept.

mod activation;
mod backend;
pub mod composed;
pub mod cpu;
mod layers;
mod logit_terms;
mod losses;
mod native;
mod precision;
pub mod tape;
mod tensor;
#[cfg(test)]
mod test_support;

pub use activation::Activation;
pub use backend::Backend;
pub use cpu::critic::{Constraint, Critic, CriticReport, CriticSettings, StateArray};
pub use cpu::{AdamW, Moments, adamw, add_assign, clouds, inference, sum_of_squares};
pub use layers::Layers;
pub use logit_terms::{LogitTerm, SharedLogits, TeacherHead, TokenScore};
pub use losses::Losses;
pub use native::{Native, in_parts, native, on_a_worker, side_by_side};
pub use precision::{Head, Precision};
pub use tensor::{Mat, Scalar};

/// Everything that training and evaluation ask of a device.
pub trait Ops: Backend + Layers + Losses + native::DeviceBounds {}

impl<D: Backend + Layers + Losses + native::DeviceBounds> Ops for D {}
