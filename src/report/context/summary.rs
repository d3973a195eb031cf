//! What a terminal shows at the end of a study.

use super::Context;
use super::contrasts::ContrastFacts;
use super::rows::RowFacts;
use crate::report::format::{fixed, interval, signed, significant};

/// Comparisons, or rows, that a summary names.
const MOST: usize = 6;

impl Context {
    /// What a terminal shows at the end of a study.
    pub fn summary(&self) -> String {
        let counts = &self.counts;
        let mut lines = vec![format!(
            "{} of {} runs finished{}{}{}",
            counts.finished,
            counts.runs,
            and_so_many(counts.diverged, "diverged"),
            and_so_many(counts.in_work, "in work"),
            and_so_many(counts.missing, "missing")
        )];
        lines.push(self.answer.clone());
        lines.extend(self.cautions.iter().map(|words| format!("note: {words}")));
        let compared: Vec<&ContrastFacts> = self
            .rows
            .iter()
            .filter_map(|row| row.contrast.as_ref())
            .collect();
        // A single comparison is the answer itself.
        if compared.len() > 1 {
            lines.extend(compared.iter().take(MOST).map(|one| comparison(one)));
        }
        if compared.len() > MOST {
            lines.push(format!(
                "… and {} more comparisons in the report",
                compared.len() - MOST
            ));
        }
        if compared.is_empty() && self.rows.len() > 1 {
            lines.extend(self.rows.iter().filter_map(loss).take(MOST));
        }
        lines.join("\n")
    }
}

fn and_so_many(count: usize, what: &str) -> String {
    if count == 0 {
        String::new()
    } else {
        format!(", {count} {what}")
    }
}

/// `wasserstein against mse: undecided (−0.0010 nats per token, −0.0110 to +0.0090, n = 3)`.
fn comparison(contrast: &ContrastFacts) -> String {
    let against = contrast.against_name.as_ref();
    let against = against.map_or_else(String::new, |against| format!(" against {against}"));
    let ends = contrast.low.zip(contrast.high);
    let ends = ends.map_or_else(String::new, |(low, high)| {
        format!(", {}", interval(low, high, 4))
    });
    let difference = contrast.difference.map_or_else(String::new, |difference| {
        format!(
            " ({} nats per token{ends}, n = {})",
            signed(difference, 4),
            contrast.n
        )
    });
    let declared = if contrast.is_primary { ", primary" } else { "" };
    format!(
        "{}{against}: {}{declared}{difference}",
        contrast.name, contrast.verdict
    )
}

/// The loss of a row that has one.
fn loss(row: &RowFacts) -> Option<String> {
    Some(format!(
        "{}: NLL {} nats per token, perplexity {}",
        row.name,
        fixed(row.nll?, 4),
        significant(row.perplexity?, 4)
    ))
}
