//! The comparisons with the baseline.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::analysis::Analysis;
use crate::report::contrasts::Contrast;
use crate::report::nulls::Nulls;
use crate::report::verdict::FEW_SEEDS;

/// A row against its baseline.
#[derive(Debug, Clone, Serialize)]
pub struct ContrastFacts {
    /// Label of the baseline's row.
    pub baseline: Option<String>,
    pub is_primary: bool,
    pub n: usize,
    /// D, arm minus baseline, in nats per token.
    pub difference: Option<f64>,
    /// By seed.
    pub differences: Vec<f64>,
    /// Standard deviation of the differences.
    pub sd: Option<f64>,
    /// Simultaneous interval.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// The same for text like the test text.
    pub low_text: Option<f64>,
    pub high_text: Option<f64>,
    /// Holm's p value.
    pub p: Option<f64>,
    /// exp(D).
    pub ratio: Option<f64>,
    pub effect: Option<f64>,
    pub wins: usize,
    pub correlation: Option<f64>,
    pub p_better: Option<f64>,
    pub p_equivalent: Option<f64>,
    pub p_worse: Option<f64>,
    /// The fixed words.
    pub verdict: String,
    /// Why the two cannot be compared.
    pub reason: Option<String>,
    pub is_undecided: bool,
    pub more_seeds: Option<usize>,
    pub few_seeds: bool,
    pub verdict_ranked_last: Option<String>,
    /// The p value of exact sign flips, where they disagree with the t test.
    pub sign_flips: Option<f64>,
    pub nulls: Option<NullFacts>,
    pub compute_ratio: Option<f64>,
}

/// Whether a row's gain counts over the null controls.
#[derive(Debug, Clone, Serialize)]
pub struct NullFacts {
    /// "beats the nulls", "does not beat the nulls" or "cannot be told".
    pub words: String,
    pub p: Option<f64>,
    pub lacking: Vec<String>,
    pub controls: Vec<ControlFacts>,
}

/// A null control.
#[derive(Debug, Clone, Serialize)]
pub struct ControlFacts {
    pub name: String,
    /// Mean difference to the control.
    pub difference: f64,
}

impl ContrastFacts {
    /// What a template sees of a contrast.
    pub fn new(contrast: &Contrast, analysis: &Analysis) -> Self {
        let paired = contrast.paired.as_ref();
        let n = paired.map_or(0, |paired| paired.n());
        Self {
            baseline: contrast
                .baseline
                .map(|row| analysis.rows[row].label.clone()),
            is_primary: contrast.is_primary,
            n,
            difference: paired.map(|paired| paired.mean),
            differences: paired
                .map(|paired| paired.differences.clone())
                .unwrap_or_default(),
            sd: paired.and_then(|paired| paired.deviation),
            low: contrast.interval.map(|interval| interval.0),
            high: contrast.interval.map(|interval| interval.1),
            low_text: contrast.interval_text.map(|interval| interval.0),
            high_text: contrast.interval_text.map(|interval| interval.1),
            p: contrast.p,
            ratio: paired.map(|paired| paired.mean.exp()),
            effect: paired.and_then(|paired| paired.effect),
            wins: paired.map_or(0, |paired| paired.wins),
            correlation: paired.and_then(|paired| paired.correlation),
            p_better: contrast.posterior.map(|shares| shares[0]),
            p_equivalent: contrast.posterior.map(|shares| shares[1]),
            p_worse: contrast.posterior.map(|shares| shares[2]),
            verdict: contrast.verdict.to_string(),
            reason: contrast.verdict.reason().map(str::to_owned),
            is_undecided: contrast.verdict.undecided().is_some(),
            more_seeds: contrast.verdict.undecided().flatten(),
            few_seeds: n < FEW_SEEDS,
            verdict_ranked_last: contrast
                .verdict_ranked_last
                .as_ref()
                .map(ToString::to_string),
            sign_flips: contrast.sign_flips_disagree,
            nulls: contrast.nulls.as_ref().map(NullFacts::new),
            compute_ratio: contrast.compute_ratio,
        }
    }
}

impl NullFacts {
    fn new(nulls: &Nulls) -> Self {
        let words = match nulls.beats {
            Some(true) => "beats the nulls",
            Some(false) => "does not beat the nulls",
            None => "cannot be told",
        };
        let controls = nulls
            .controls
            .iter()
            .map(|(name, difference)| ControlFacts {
                name: name.clone(),
                difference: *difference,
            });
        Self {
            words: words.to_owned(),
            p: nulls.p,
            lacking: nulls.lacking.clone(),
            controls: controls.collect(),
        }
    }
}

/// How many comparisons ended so.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictCount {
    pub words: String,
    pub count: usize,
}

/// The verdicts that were reached, from better to worse.
pub fn verdict_counts(analysis: &Analysis) -> Vec<VerdictCount> {
    let mut counts: BTreeMap<usize, VerdictCount> = BTreeMap::new();
    for contrast in &analysis.contrasts {
        let verdict = counts
            .entry(contrast.verdict.rank())
            .or_insert_with(|| VerdictCount {
                words: contrast.verdict.to_string(),
                count: 0,
            });
        verdict.count += 1;
    }
    counts.into_values().collect()
}
