//! Training on NVIDIA hardware with dfdx's own kernels: every operation is the composed one.
//!
//! dfdx's handle of a GPU belongs to one thread, so independent work runs one item after the other.

pub use dfdx::prelude::Cuda as Native;

use crate::ops::{Backend, Layers, Losses};

/// What a device must be beside its operations: nothing, since it stays on its thread.
pub trait OneThread {}

impl<D> OneThread for D {}

impl Backend for Native {}

impl Layers for Native {}

impl Losses for Native {}

/// Runs work where it is.
pub fn on_a_worker<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// Runs independent work on every item, one after the other.
pub fn side_by_side<T>(items: &mut [T], work: impl Fn(&mut T)) {
    items.iter_mut().for_each(work);
}

/// What `work` makes of every item, one after the other.
pub fn in_parts<T, R>(items: Vec<T>, work: impl Fn(T) -> R) -> Vec<R> {
    items.into_iter().map(work).collect()
}
