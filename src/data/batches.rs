//! Which windows of the token stream a step sees: a pure function of (data, seed, step).

use std::sync::Mutex;

use crate::random::Stream;

/// The order in which the windows of a split are used.
///
/// A stream of n tokens has ⌊(n − 1)/T⌋ windows; window w holds tokens wT … wT + T, inputs the first T of them, targets the last T. Every epoch is a permutation from (seed, epoch), or the
/// natural order; epochs are concatenated.
#[derive(Debug)]
pub struct Order {
    windows: usize,
    context: usize,
    seed: u64,
    shuffle: bool,
    /// The permutation of the epoch asked for last.
    last: Mutex<Option<(u64, Vec<usize>)>>,
}

/// One micro-batch: sequences of the context's length, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub inputs: Vec<u32>,
    pub targets: Vec<u32>,
    /// The windows they come from.
    pub windows: Vec<usize>,
}

impl Order {
    /// The order of a split of `tokens` tokens.
    ///
    /// # Errors
    /// Fewer tokens than one window and its last target need.
    pub fn new(tokens: usize, context: usize, seed: u64, shuffle: bool) -> anyhow::Result<Self> {
        let windows = tokens.saturating_sub(1) / context;
        if windows == 0 {
            anyhow::bail!(
                "the training split has {tokens} tokens, fewer than one window of {context} and its last target; use more text or a shorter train.context"
            );
        }
        Ok(Self { windows, context, seed, shuffle, last: Mutex::new(None) })
    }

    /// Windows of an epoch.
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// The epoch that `position` lies in.
    pub fn epoch(&self, position: u64) -> u64 {
        position / self.windows as u64
    }

    /// The window at `position`, counted over all epochs.
    pub fn window(&self, position: u64) -> usize {
        let (epoch, within) = (self.epoch(position), (position % self.windows as u64) as usize);
        if !self.shuffle {
            return within;
        }
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*last {
            Some((known, permutation)) if *known == epoch => permutation[within],
            _ => {
                let permutation = Stream::new(self.seed, "data.order", epoch).permutation(self.windows);
                let window = permutation[within];
                *last = Some((epoch, permutation));
                window
            }
        }
    }
}

/// Micro-batch `micro` of step `step`: with B sequences a micro-batch and A of them a step, step k takes positions k·B·A … (k + 1)·B·A − 1.
pub fn batch(tokens: &[u32], order: &Order, sequences: usize, accumulate: usize, step: u64, micro: usize) -> Batch {
    let first = (step * accumulate as u64 + micro as u64) * sequences as u64;
    let context = order.context;
    let windows: Vec<usize> = (first..first + sequences as u64).map(|position| order.window(position)).collect();
    let cut = |shift: usize| windows.iter().flat_map(|&window| &tokens[window * context + shift..][..context]).copied().collect();
    Batch { inputs: cut(0), targets: cut(1), windows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_predicts_every_token_once_and_drops_the_rest() {
        let tokens: Vec<u32> = (0..103).collect();
        let order = Order::new(tokens.len(), 10, 7, true).unwrap();
        assert_eq!(order.windows(), 10);
        let mut seen: Vec<u32> = (0..5).flat_map(|step| batch(&tokens, &order, 2, 1, step, 0).targets).collect();
        seen.sort_unstable();
        assert_eq!(seen, (1..101).collect::<Vec<u32>>());
    }

    #[test]
    fn targets_are_the_next_tokens() {
        let tokens: Vec<u32> = (0..64).map(|i| i * 3).collect();
        let order = Order::new(tokens.len(), 7, 1, true).unwrap();
        let batch = batch(&tokens, &order, 4, 1, 0, 0);
        assert!(batch.inputs.iter().zip(&batch.targets).all(|(input, target)| input + 3 == *target));
    }

    #[test]
    fn accumulation_splits_a_step_without_changing_what_it_sees() {
        let tokens: Vec<u32> = (0..1000).collect();
        let order = Order::new(tokens.len(), 9, 3, true).unwrap();
        for step in [0, 1, 26, 27, 100] {
            let whole = batch(&tokens, &order, 6, 1, step, 0);
            let parts: Vec<u32> = (0..3).flat_map(|micro| batch(&tokens, &order, 2, 3, step, micro).inputs).collect();
            assert_eq!(whole.inputs, parts);
        }
    }

    #[test]
    fn epochs_differ_unless_the_order_is_natural() {
        let shuffled = Order::new(1001, 10, 3, true).unwrap();
        let epoch = |order: &Order, epoch: u64| (0..100).map(|i| order.window(epoch * 100 + i)).collect::<Vec<_>>();
        assert_ne!(epoch(&shuffled, 0), epoch(&shuffled, 1));
        assert_eq!(epoch(&shuffled, 1), epoch(&Order::new(1001, 10, 3, true).unwrap(), 1), "whatever was asked for before");
        assert_ne!(epoch(&shuffled, 0), epoch(&Order::new(1001, 10, 4, true).unwrap(), 0));
        assert_eq!(epoch(&Order::new(1001, 10, 3, false).unwrap(), 5), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_text_without_a_window_is_refused() {
        let error = Order::new(10, 10, 0, true).unwrap_err().to_string();
        assert!(error.starts_with("the training split has 10 tokens, fewer than one window of 10"), "{error}");
    }
}
