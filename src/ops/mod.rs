//! The backend seam: every operation of training and evaluation, over a dfdx device.
//!
//! Matrices are row-major `(rows, columns)`; a batch of B sequences of T tokens is N = B·T rows.
//! Vectors (biases, gains) are `(1, columns)`. An operation takes the tensor that carries the tape
//! first, records its backward there and hands the tape on; the other tensors come without a tape,
//! and gradients find them by their id. With [`NoneTape`] nothing is recorded or kept. The provided
//! methods are composed of dfdx's own operations ([`composed`]) and run on any device; for the CPU
//! they are overridden by fused kernels. Nothing above this module knows which of the two ran.

use dfdx::prelude::*;

/// A matrix on device `D`, with tape `T`.
pub type Mat<D, T = NoneTape> = Tensor<(usize, usize), f32, D, T>;
/// A single number, the value of a loss.
pub type Scalar<D, T = NoneTape> = Tensor<Rank0, f32, D, T>;

mod activation;
mod adamw;
mod attention;
mod bf16;
mod bf16_kernel;
mod bf16_pack;
mod bf16_rows;
pub mod clouds;
pub mod composed;
pub mod composed_losses;
mod critic;
mod critic_net;
mod critic_spectral;
mod critic_term;
mod critic_update;
mod embedding;
mod hidden;
pub mod inference;
mod layer_norm;
mod layers;
#[cfg(test)]
mod layers_tests;
mod linear;
mod logit_rows;
mod logits;
mod losses;
#[cfg(test)]
mod losses_tests;
mod matmul;
mod precision;
pub mod tape;
mod vector;

pub use activation::Activation;
pub use adamw::{AdamW, Moments, adamw, add_assign, sum_of_squares};
pub use critic::{Constraint, Critic, CriticSettings, StateArray};
pub use critic_update::CriticReport;
pub use layers::Layers;
pub use logits::{LogitTerm, SharedLogits, TeacherHead, TokenScore};
pub use losses::Losses;
pub use precision::{Head, Precision};

/// Everything that training and evaluation ask of a device.
#[cfg(not(feature = "cuda"))]
pub trait Ops: Layers + Losses + Send + Sync {}

#[cfg(not(feature = "cuda"))]
impl<D: Layers + Losses + Send + Sync> Ops for D {}

/// Everything that training and evaluation ask of a device.
#[cfg(feature = "cuda")]
pub trait Ops: Layers + Losses {}

#[cfg(feature = "cuda")]
impl<D: Layers + Losses> Ops for D {}

/// Runs work on one of the threads that share an operation: from outside of them, every operation
/// would have to wake one and wait for it.
#[cfg(not(feature = "cuda"))]
pub fn on_a_worker<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// Runs work where it is: dfdx's handle of a GPU belongs to one thread.
#[cfg(feature = "cuda")]
pub fn on_a_worker<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// Runs independent work on every item: over the cores, or, with a GPU, one after the other, since
/// dfdx's handle of it belongs to one thread.
#[cfg(not(feature = "cuda"))]
pub fn side_by_side<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
    use rayon::prelude::*;
    items.par_iter_mut().for_each(work);
}

/// Runs independent work on every item: over the cores, or, with a GPU, one after the other, since
/// dfdx's handle of it belongs to one thread.
#[cfg(feature = "cuda")]
pub fn side_by_side<T>(items: &mut [T], work: impl Fn(&mut T)) {
    items.iter_mut().for_each(work);
}

/// What `work` makes of every item: over the cores, each item on a core of its own if there are
/// enough of them; or, with a GPU, one after the other.
#[cfg(not(feature = "cuda"))]
pub fn in_parts<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    use rayon::prelude::*;
    let apart = items.len() >= rayon::current_num_threads();
    items
        .into_par_iter()
        .with_max_len(1)
        .map(|item| {
            if apart {
                matmul::apart(|| work(item))
            } else {
                work(item)
            }
        })
        .collect()
}

/// What `work` makes of every item: over the cores, each item on a core of its own if there are
/// enough of them; or, with a GPU, one after the other.
#[cfg(feature = "cuda")]
pub fn in_parts<T, R>(items: Vec<T>, work: impl Fn(T) -> R) -> Vec<R> {
    items.into_iter().map(work).collect()
}

/// The device that runs are trained on.
#[cfg(not(feature = "cuda"))]
pub type Native = Cpu;
/// The device that runs are trained on.
#[cfg(feature = "cuda")]
pub type Native = Cuda;

/// That device. Random numbers never come from it.
pub fn native() -> Native {
    Native::default()
}
