//! The tokens that a group is trained on, and the micro-batches that they are read in.

use crate::data::{Batch, Order, batch};
use crate::plan::run::TrainSpec;

/// The tokens that a group trains and validates on.
#[derive(Debug, Clone, Copy)]
pub struct Corpus<'a> {
    pub train: &'a [u32],
    pub validation: &'a [u32],
    pub order: &'a Order,
}

/// The epoch of the first window of a step.
pub(super) fn epoch(order: &Order, train: &TrainSpec, step: u64) -> u64 {
    order.epoch(step * (train.batch * train.accumulate) as u64)
}

/// The `index`-th micro-batch of a step.
pub(super) fn micro_batch(corpus: Corpus, train: &TrainSpec, step: u64, index: usize) -> Batch {
    batch(
        corpus.train,
        corpus.order,
        train.batch,
        train.accumulate,
        step,
        index,
    )
}
