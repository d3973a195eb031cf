//! The entropy of a document, exactly.

use super::rules::options;
use super::story::size;
use super::symbols::Symbol;
use super::{harmonic, ln_option, ln_rank};

/// H = E[−ln p] of a document in nats, the end of the document included.
///
/// The entropy of a symbol is Σ_i p_i·(−ln p_i + Σ_c H(c)) over its options i and their symbols c,
/// that of a word Σ_r −p_r ln p_r over its ranks. Neither depends on the story (see `rules`), and
/// relative clauses have a depth and events a number that only grow to a bound, so the recursion
/// ends.
pub fn entropy() -> f64 {
    of(Symbol::Story)
}

fn of(symbol: Symbol) -> f64 {
    if let Symbol::Pick(class) = symbol {
        let count = size(class);
        return (0..count)
            .map(|rank| -ln_rank(rank, count) / ((rank + 1) as f64 * harmonic(count)))
            .sum();
    }
    let alternatives = options(symbol);
    let each = alternatives.iter().enumerate().map(|(i, (_, symbols))| {
        let ln = ln_option(alternatives, i);
        ln.exp() * (symbols.iter().map(|&symbol| of(symbol)).sum::<f64>() - ln)
    });
    // An empty sum of floats is −0.
    each.sum::<f64>() + 0.0
}
