//! The windows in which a text is scored: what perplexity is measured over.
//!
//! Windows [b, min(b + C, n)) for b = 0, S, 2S … until the end is reached. A window scores the positions p ≥ max(b + 1, end of the one before): a token is predicted from those
//! before it in its window, and no token is scored twice. With S < C every token but the first is scored; with S = C the first token of every window is not.

/// One forward pass of a scoring: tokens `begin` … `end` − 1 go in, and the positions `first_scored` … `end` − 1 are predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoringWindow {
    pub begin: usize,
    pub end: usize,
    /// Position in the stream, after `begin`; its logits are row `first_scored − begin − 1` of the window's.
    pub first_scored: usize,
}

impl ScoringWindow {
    /// Tokens that the window scores.
    pub fn scored(&self) -> usize {
        self.end - self.first_scored
    }
}

/// The windows of `tokens` tokens at a context C ≥ 1 and a stride 1 ≤ S ≤ C (which `spec` has checked). Windows that would score nothing are left out.
pub fn scoring_windows(tokens: usize, context: usize, stride: usize) -> impl Iterator<Item = ScoringWindow> {
    assert!(stride >= 1 && stride <= context, "stride {stride} with context {context}");
    let last = tokens.saturating_sub(context).div_ceil(stride);
    (0..=last)
        .map(move |index| {
            let begin = index * stride;
            let previous_end = if index == 0 { 0 } else { (begin - stride + context).min(tokens) };
            ScoringWindow { begin, end: (begin + context).min(tokens), first_scored: previous_end.max(begin + 1) }
        })
        .filter(|window| window.first_scored < window.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, step by step.
    fn by_definition(tokens: usize, context: usize, stride: usize) -> Vec<(usize, usize, usize)> {
        let mut windows = Vec::new();
        let (mut begin, mut previous_end) = (0, 0);
        loop {
            let end = (begin + context).min(tokens);
            let first = previous_end.max(begin + 1);
            if first < end {
                windows.push((begin, end, first));
            }
            if end == tokens {
                return windows;
            }
            (begin, previous_end) = (begin + stride, end);
        }
    }

    #[test]
    fn the_windows_are_those_of_the_definition() {
        for tokens in 0..60 {
            for context in 1..20 {
                for stride in 1..=context {
                    let found: Vec<_> = scoring_windows(tokens, context, stride).map(|w| (w.begin, w.end, w.first_scored)).collect();
                    assert_eq!(found, by_definition(tokens, context, stride), "n {tokens}, C {context}, S {stride}");
                }
            }
        }
    }

    #[test]
    fn no_token_is_scored_twice_and_only_window_starts_are_left_out() {
        for tokens in [1, 2, 17, 64, 65, 100, 129] {
            for (context, stride) in [(2, 1), (16, 1), (16, 5), (16, 15), (16, 16), (64, 32), (200, 100), (1, 1)] {
                let mut scored = vec![0; tokens];
                for window in scoring_windows(tokens, context, stride) {
                    assert!(window.begin < window.first_scored && window.end <= tokens && window.end - window.begin <= context);
                    scored[window.first_scored..window.end].iter_mut().for_each(|count| *count += 1);
                }
                for (position, count) in scored.into_iter().enumerate() {
                    let expected = usize::from(position > 0 && (stride < context || position % context != 0));
                    assert_eq!(count, expected, "n {tokens}, C {context}, S {stride}, position {position}");
                }
            }
        }
    }

    #[test]
    fn a_stride_of_half_the_context_gives_every_later_token_half_a_window_of_past() {
        let windows: Vec<_> = scoring_windows(10, 4, 2).collect();
        assert_eq!(windows[0], ScoringWindow { begin: 0, end: 4, first_scored: 1 });
        assert_eq!(windows[1], ScoringWindow { begin: 2, end: 6, first_scored: 4 });
        assert_eq!(windows.last(), Some(&ScoringWindow { begin: 6, end: 10, first_scored: 8 }));
        assert_eq!(windows.iter().map(ScoringWindow::scored).sum::<usize>(), 9);
    }
}
