//! Which tokens a training step reads: a pure function of (data, seed, step).
//!
//! The stream of n tokens is cut into ⌊(n − 1)/T⌋ windows; window w holds tokens wT … wT + T, its
//! inputs are the first T and its targets the last T; the rest of the stream is dropped. Every
//! epoch is a permutation of the windows from (seed, epoch), or the natural order; epochs are
//! concatenated, and step k takes the positions k·B·A … (k + 1)·B·A − 1 of that endless sequence, B
//! sequences a micro-batch and A micro-batches a step. Nothing here has a state that a resume would
//! have to restore.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};

use crate::random::{Purpose, Seed, Stream};

/// The order in which training visits the windows of a token stream.
#[derive(Debug)]
pub struct Order {
    windows: usize,
    context: usize,
    seed: Seed,
    shuffle: bool,
    /// Permutations of the epochs used last: a batch may reach from one epoch into the next. A
    /// cache only; what it holds never changes an answer.
    recent: Mutex<Vec<(u64, Arc<Vec<usize>>)>>,
}

/// Permutations kept at a time.
const RECENT: usize = 2;

impl Order {
    /// The order over a stream of `tokens` tokens cut into windows of `context`.
    ///
    /// # Errors
    /// Where the stream does not hold a single window (`context` + 1 tokens).
    pub fn new(tokens: usize, context: usize, seed: Seed, shuffle: bool) -> Result<Self> {
        ensure!(
            context > 0,
            "train.context is 0; a sequence needs at least one token"
        );
        let windows = tokens.saturating_sub(1) / context;
        ensure!(
            windows > 0,
            "the training split has {tokens} tokens, fewer than the {} that one sequence of \
             train.context = {context} needs; give it more text or write a smaller context",
            context + 1
        );
        Ok(Self {
            windows,
            context,
            seed,
            shuffle,
            recent: Mutex::new(Vec::new()),
        })
    }

    /// Windows of one epoch, ⌊(n − 1)/T⌋.
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// Tokens of a window's input, T.
    pub fn context(&self) -> usize {
        self.context
    }

    /// The epoch (from 0) that a position of the concatenated epochs lies in.
    pub fn epoch(&self, position: u64) -> u64 {
        position / self.windows as u64
    }

    /// The window at a position of the concatenated epochs.
    pub fn window(&self, position: u64) -> usize {
        let place = (position % self.windows as u64) as usize;
        if self.shuffle {
            self.permutation(self.epoch(position))[place]
        } else {
            place
        }
    }

    fn permutation(&self, epoch: u64) -> Arc<Vec<usize>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, order)) = recent.iter().find(|(known, _)| *known == epoch) {
            return Arc::clone(order);
        }
        let order =
            Arc::new(Stream::of(self.seed, Purpose::WindowOrder, epoch).permutation(self.windows));
        if recent.len() == RECENT {
            recent.remove(0);
        }
        recent.push((epoch, Arc::clone(&order)));
        order
    }
}

/// B sequences of T tokens, as matrices (B, T) in row order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub inputs: Vec<u32>,
    /// The token after each input.
    pub targets: Vec<u32>,
    /// The window of each sequence.
    pub windows: Vec<usize>,
}

/// Micro-batch `micro` (from 0, below `accumulate`) of step `step` (from 0): `batch` sequences of
/// `tokens` in the given order.
pub fn batch(
    tokens: &[u32],
    order: &Order,
    batch: usize,
    accumulate: usize,
    step: u64,
    micro: usize,
) -> Batch {
    assert!(micro < accumulate, "micro-batch {micro} of {accumulate}");
    let context = order.context;
    assert!(
        tokens.len() > order.windows * context,
        "the order is of a longer stream"
    );
    let first = (step * accumulate as u64 + micro as u64) * batch as u64;
    let windows: Vec<usize> = (0..batch as u64).map(|i| order.window(first + i)).collect();
    let mut inputs = Vec::with_capacity(batch * context);
    let mut targets = Vec::with_capacity(batch * context);
    for window in &windows {
        let begin = window * context;
        inputs.extend_from_slice(&tokens[begin..begin + context]);
        targets.extend_from_slice(&tokens[begin + 1..begin + context + 1]);
    }
    #[cfg(test)]
    consumed::note(step, micro, &windows);
    Batch {
        inputs,
        targets,
        windows,
    }
}

/// For tests: the windows that this thread asked for, in order.
#[cfg(test)]
pub(crate) mod consumed {
    use std::cell::RefCell;

    /// Step, micro-batch, windows.
    pub(crate) type BatchRecord = (u64, usize, Vec<usize>);

    thread_local! {
        static LOG: RefCell<Vec<BatchRecord>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note(step: u64, micro: usize, windows: &[usize]) {
        LOG.with_borrow_mut(|log| log.push((step, micro, windows.to_vec())));
    }

    /// What was asked for since the last call.
    pub(crate) fn take() -> Vec<BatchRecord> {
        LOG.take()
    }
}

#[cfg(test)]
#[path = "batches_tests.rs"]
mod tests;
