//! What word frequencies alone know of a text: the reference that every model should beat.

/// Mean negative log-probability, in nats, of the tokens of `test` under the frequencies of `train`
/// with one added to every count (Laplace).
///
/// Every token of the test text counts, the first one too: a unigram model needs nothing before it.
pub fn unigram_nats_per_token(train: &[u32], test: &[u32], vocabulary: usize) -> f64 {
    let mut counts = vec![1u64; vocabulary];
    train.iter().for_each(|&token| counts[token as usize] += 1);
    let total = ((train.len() + vocabulary) as f64).ln();
    let mut seen = vec![0u64; vocabulary];
    test.iter().for_each(|&token| seen[token as usize] += 1);
    let nats: f64 = seen
        .iter()
        .zip(&counts)
        .map(|(&seen, &count)| seen as f64 * (total - (count as f64).ln()))
        .sum();
    nats / test.len() as f64
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
