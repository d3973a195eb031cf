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

use crate::random::Stream;

/// The order in which training visits the windows of a token stream.
#[derive(Debug)]
pub struct Order {
    windows: usize,
    context: usize,
    seed: u64,
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
    pub fn new(tokens: usize, context: usize, seed: u64, shuffle: bool) -> Result<Self> {
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
        let order = Arc::new(Stream::new(self.seed, "order", epoch).permutation(self.windows));
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
    pub(crate) type Entry = (u64, usize, Vec<usize>);

    thread_local! {
        static LOG: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note(step: u64, micro: usize, windows: &[usize]) {
        LOG.with_borrow_mut(|log| log.push((step, micro, windows.to_vec())));
    }

    /// What was asked for since the last call.
    pub(crate) fn take() -> Vec<Entry> {
        LOG.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_its_tokens_and_the_next_ones_as_targets() {
        let tokens: Vec<u32> = (0..23).collect();
        let order = Order::new(23, 5, 0, false).unwrap();
        assert_eq!(order.windows(), 4);
        let first = batch(&tokens, &order, 2, 1, 0, 0);
        assert_eq!(first.windows, [0, 1]);
        assert_eq!(first.inputs, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(first.targets, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let third = batch(&tokens, &order, 3, 1, 1, 0);
        assert_eq!(
            third.windows,
            [3, 0, 1],
            "the second epoch follows the first without a gap"
        );
    }

    #[test]
    fn the_last_token_is_a_target_when_the_stream_fits_exactly() {
        let tokens: Vec<u32> = (0..11).collect();
        let order = Order::new(11, 5, 0, false).unwrap();
        assert_eq!(batch(&tokens, &order, 2, 1, 0, 0).targets.last(), Some(&10));
        assert_eq!(
            Order::new(10, 5, 0, false).unwrap().windows(),
            1,
            "one token short of two windows"
        );
    }

    #[test]
    fn every_epoch_visits_every_window_once_and_epochs_differ() {
        let order = Order::new(1001, 10, 7, true).unwrap();
        let epoch = |e: u64| {
            (0..100)
                .map(|i| order.window(e * 100 + i))
                .collect::<Vec<_>>()
        };
        for e in 0..5 {
            let mut sorted = epoch(e);
            sorted.sort_unstable();
            assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        }
        assert_ne!(epoch(0), epoch(1));
        assert_eq!(
            epoch(3),
            epoch(3),
            "asking again, or out of order, changes nothing"
        );
        assert_ne!(
            epoch(0),
            (0..100)
                .map(|i| Order::new(1001, 10, 8, true).unwrap().window(i))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn every_epoch_predicts_every_token_once_whatever_the_sizes() {
        let mut draws = Stream::new(5, "test.packing", 0);
        for _ in 0..200 {
            let (context, size) = (1 + draws.below(9) as usize, 1 + draws.below(6) as usize);
            let tokens: Vec<u32> = (0..(context as u64 + 1 + draws.below(120)) as u32).collect();
            let order =
                Order::new(tokens.len(), context, draws.bits(), draws.below(2) == 0).unwrap();
            let windows = order.windows();
            // As many steps as make a whole number of epochs.
            let mut predicted = vec![0; tokens.len()];
            for step in 0..windows as u64 {
                let batch = batch(&tokens, &order, size, 1, step, 0);
                for (input, target) in batch.inputs.iter().zip(&batch.targets) {
                    assert_eq!(input + 1, *target, "the target is the next token");
                    predicted[*target as usize] += 1;
                }
            }
            let (covered, rest) = predicted[1..].split_at(windows * context);
            assert!(
                covered.iter().all(|&times| times == size),
                "{windows} windows of {context}: {predicted:?}"
            );
            assert!(
                rest.len() < context && rest.iter().all(|&times| times == 0),
                "only what fills no window is left out"
            );
        }
    }

    #[test]
    fn accumulated_micro_batches_are_the_one_large_batch() {
        let tokens: Vec<u32> = (0..500).collect();
        let order = Order::new(500, 7, 3, true).unwrap();
        for step in [0, 1, 16, 17, 1_000_000] {
            let whole = batch(&tokens, &order, 12, 1, step, 0);
            let parts: Vec<Batch> = (0..3)
                .map(|micro| batch(&tokens, &order, 4, 3, step, micro))
                .collect();
            assert_eq!(
                whole.windows,
                parts
                    .iter()
                    .flat_map(|part| part.windows.clone())
                    .collect::<Vec<_>>()
            );
            assert_eq!(
                whole.inputs,
                parts
                    .iter()
                    .flat_map(|part| part.inputs.clone())
                    .collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_stream_without_one_window_is_an_error_with_both_numbers() {
        let error = Order::new(64, 64, 0, true).unwrap_err().to_string();
        assert!(
            error.contains("64 tokens") && error.contains("the 65 that"),
            "{error}"
        );
        assert!(Order::new(0, 64, 0, true).is_err());
        assert!(Order::new(65, 64, 0, true).is_ok());
    }
}
