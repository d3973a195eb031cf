//! Tests of `generate.rs`.

use super::super::symbols::Symbol;
use super::*;

const DRAWS: usize = 100_000;

/// Every outcome is as frequent as its log-probability says, within five standard deviations.
fn assert_frequencies(
    outcomes: usize,
    mut draw: impl FnMut() -> usize,
    ln_probability: impl Fn(usize) -> f64,
) {
    let mut counts = vec![0u32; outcomes];
    (0..DRAWS).for_each(|_| counts[draw()] += 1);
    for (outcome, count) in counts.into_iter().enumerate() {
        let p = ln_probability(outcome).exp();
        let deviation = (DRAWS as f64 * p * (1.0 - p)).sqrt();
        assert!(
            (f64::from(count) - DRAWS as f64 * p).abs() <= 5.0 * deviation,
            "outcome {outcome}: {count} of {DRAWS}, p = {p}"
        );
    }
}

#[test]
fn what_is_drawn_is_as_frequent_as_its_stated_probability() {
    let mut stream = Stream::new(0, "test", 0);
    for count in [2, 7, 31] {
        assert_frequencies(
            count,
            || draw_rank(count, &mut stream),
            |rank| ln_rank(rank, count),
        );
    }
    for symbol in [
        Symbol::Event,
        Symbol::Wish,
        Symbol::Tense,
        Symbol::Relative(0),
        Symbol::Body(5),
    ] {
        let alternatives = options(symbol);
        assert_frequencies(
            alternatives.len(),
            || draw_option(alternatives, &mut stream),
            |chosen| ln_option(alternatives, chosen),
        );
    }
}
