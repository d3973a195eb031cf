//! Whether a verdict hangs on one seed, what it would be without each of them, or on an axis that
//! it should not depend on.

use super::axes::SEED;
use super::contrasts::Contrast;
use super::data::StudyData;
use super::elsewhere::Elsewhere;
use super::pairing::both_finished;
use super::rows::TableRow;
use super::statistics::{FEWEST_SEEDS, Paired};
use super::verdict::Verdict;

/// A seed without which a comparison would come out otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct HangingSeed {
    pub seed: String,
    /// What the verdict would be.
    pub verdict: Verdict,
}

/// Which way a verdict points; none of one that decides nothing.
fn direction(verdict: &Verdict) -> Option<i8> {
    match verdict {
        Verdict::Better | Verdict::BetterSizeUnsure => Some(-1),
        Verdict::Equivalent => Some(0),
        Verdict::Worse | Verdict::WorseSizeUnsure => Some(1),
        Verdict::NotComparable(_) | Verdict::TooFewSeeds | Verdict::Undecided => None,
    }
}

/// The seeds without which a comparison of two rows would point another way: better, worse or
/// equivalent instead of another of them, or where nothing was decided. A verdict that loses its
/// direction for want of a seed is told too; one that only becomes less sure of the size is not.
pub fn hanging_seeds(data: &StudyData, rows: &[TableRow], contrast: &Contrast) -> Vec<HangingSeed> {
    let Some((a, b)) = contrast.rows() else {
        return Vec::new();
    };
    let Some(paired) = &contrast.paired else {
        return Vec::new();
    };
    if paired.n() <= FEWEST_SEEDS || contrast.verdict.reason().is_some() {
        return Vec::new();
    }
    // In the order of the differences.
    let seeds = rows[a].cells.iter().filter(|&&cell| {
        let own = [cell];
        !both_finished(data, &own, &rows[b].cells).is_empty()
    });
    let names = seeds.map(|&cell| data.study.cells[cell].at.get(SEED).cloned());
    names
        .enumerate()
        .filter_map(|(place, seed)| {
            let mut differences = paired.differences.clone();
            differences.remove(place);
            let without = Paired::of(differences);
            let verdict = Verdict::new(&without, contrast.alpha, data.study.report.margin);
            let differs = direction(&verdict) != direction(&contrast.verdict);
            (differs && verdict.reason().is_none()).then_some(HangingSeed {
                seed: seed?,
                verdict,
            })
        })
        .collect()
}

/// The mean differences without each of the seeds, the least and the greatest; none where a seed
/// less leaves nothing to judge.
pub fn without_each_seed(contrast: &Contrast) -> Option<(f64, f64)> {
    let paired = contrast.paired.as_ref()?;
    let (n, mean) = (paired.n() as f64, paired.mean);
    if paired.n() <= FEWEST_SEEDS {
        return None;
    }
    let without = |own: &f64| (n * mean - own) / (n - 1.0);
    let means: Vec<f64> = paired.differences.iter().map(without).collect();
    let least = means.iter().copied().reduce(f64::min)?;
    Some((least, means.into_iter().reduce(f64::max)?))
}

/// Whether a comparison points another way at another value of an axis; none where nothing can be
/// judged there.
pub fn points_elsewhere(home: &Contrast, other: &Elsewhere) -> Option<bool> {
    let is_judged =
        |verdict: &Verdict| verdict.reason().is_none() && *verdict != Verdict::TooFewSeeds;
    let (own, other) = (&home.verdict, &other.contrast.verdict);
    (is_judged(own) && is_judged(other)).then(|| direction(own) != direction(other))
}

/// All that the verdict of a comparison that the answer tells hangs on, in words; `others` are the
/// same elsewhere.
pub fn hangs_on<'a>(
    data: &StudyData,
    rows: &[TableRow],
    contrast: &Contrast,
    others: impl Iterator<Item = &'a Elsewhere>,
) -> Vec<String> {
    if !contrast.is_told {
        return Vec::new();
    }
    let seeds = hanging_seeds(data, rows, contrast).into_iter();
    let seeds = seeds.map(|one| format!("seed {}", one.seed));
    let others = others.filter(|one| points_elsewhere(contrast, one) == Some(true));
    seeds.chain(others.map(Elsewhere::value_in_words)).collect()
}

#[cfg(test)]
#[path = "sensitivity_tests.rs"]
mod tests;
