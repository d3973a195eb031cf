//! An NVIDIA GPU's side of the seam: operations on dfdx's own tensors and tape, as kernels that are
//! compiled where they run and products of cuBLAS.
//!
//! CUDA's libraries are found when they are asked for (`driver`), so that one program runs on
//! machines with and without a GPU. dfdx's own operations on a card have no kernels here: every
//! method of the seam is its own. Everything is put on one stream, in the order in which it is
//! asked for, and every sum has a fixed order, so that the same card and libraries give the same
//! bits.

mod api;
mod attention;
mod backend;
mod buffers;
mod card;
mod compile;
mod critic;
#[cfg(test)]
mod critic_tests;
#[cfg(test)]
mod cuda_tests;
mod decoding;
#[cfg(test)]
mod decoding_tests;
mod driver;
mod functions;
mod host;
mod linear;
mod logits;
mod losses;
mod operand;
#[cfg(test)]
mod planted_tests;
mod pool;
#[cfg(test)]
mod precision_tests;
mod product;

use dfdx::prelude::Cuda;

pub use compile::KernelStore;

/// Opens the card of this number and makes dfdx's handle of it. A process has one card. Kernels
/// come from the store where it has them.
///
/// # Errors
/// A library that is not there, with where it was looked for and how one comes by it; no such card,
/// or one that cannot be used.
pub fn open(ordinal: usize, store: &dyn KernelStore) -> Result<Cuda, String> {
    let device = card::open_card(ordinal, store)?;
    buffers::check_addresses(&device)?;
    Ok(device)
}
