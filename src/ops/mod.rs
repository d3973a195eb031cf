//! Every operation of training and evaluation, over a dfdx device.
//!
//! Three kinds of files:
//!
//! - **The seam**, in this folder: what an operation is, as methods of traits. Mathematics is
//!   in [`Layers`], [`Losses`] and [`Decoding`], the care of buffers, steps and threads in
//!   [`Backend`]. Nothing above this module knows which code runs behind them, or can call
//!   dfdx's operations.
//! - **A folder for each device**: [`cpu`], and `cuda` where such cards are found.
//! - **[`composed`]**: the mathematics made of dfdx's own operations on the CPU, the reference in
//!   tests.
//!
//! Matrices are row-major `(rows, columns)`; a batch of B sequences of T tokens is N = B·T rows of
//! C coordinates, V is the size of the vocabulary. Vectors (biases, gains) are `(1, columns)`. An
//! operation takes the tensor that carries the tape first, records its backward there and hands
//! the tape on; the other tensors come without a tape, and gradients find them by their id. With
//! [`dfdx::prelude::NoneTape`] nothing is recorded or kept.

mod activation;
mod attention_form;
mod backend;
mod cloud_distance;
pub mod composed;
pub mod cpu;
mod critic;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub mod cuda;
mod decoding;
mod layers;
mod logit_terms;
mod losses;
mod optimizer;
mod precision;
pub mod tape;
#[cfg(test)]
mod test_support;

pub use activation::Activation;
pub use attention_form::AttentionForm;
pub use backend::{Backend, GradientMap, Mat, Scalar};
pub use cloud_distance::CloudDistance;
pub use cpu::critic::Critic;
pub use cpu::flow::cheapest_flow;
pub use cpu::{clouds, inference, transport};
pub use critic::{Constraint, CriticReport, CriticSettings, CriticState, StateArray};
pub use decoding::Decoding;
pub use dfdx::prelude::{Cpu, NoneTape, OwnedTape, Tape};
pub use layers::{Layers, STANDARDIZE_EPSILON};
pub use logit_terms::{Head, LogitTerm, TeacherHead, TokenScore};
pub use losses::{CriticTask, Losses};
pub use optimizer::{AdamW, AdamWStep};
pub use precision::Precision;

/// The instructions of the processor that compute in [`Precision::Bf16`], where it has them.
pub fn bf16_instructions() -> Option<&'static str> {
    cpu::bf16::instructions()
}

/// Everything that training and evaluation ask of a device.
pub trait Ops: Backend + Layers + Losses + Decoding {}

impl<D: Backend + Layers + Losses + Decoding> Ops for D {}
