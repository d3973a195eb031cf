//! How hidden terms were balanced, and how their critics ended.

use serde::Serialize;

use crate::plan::run::{BalanceSpec, Lipschitz};
use crate::recorded;
use crate::report::analysis::Analysis;
use crate::report::axes::ARM;
use crate::report::curves::{self, CriticCurve};
use crate::report::data::{RunData, StudyData};
use crate::report::statistics::{mean, mean_of};

/// How far the mean gradient norm of a critic may be from 1 before the report warns.
const TRUSTED: std::ops::RangeInclusive<f64> = 0.9..=1.1;

/// The factor of a hidden term, which makes its gradient as large as the reference term's.
#[derive(Debug, Clone, Serialize)]
pub struct BalanceFactor {
    pub label: String,
    pub term: String,
    /// By finished seed.
    pub factors: Vec<f64>,
    pub mean: f64,
}

/// Every balanced term of every row.
pub fn balance_factors(data: &StudyData, analysis: &Analysis) -> Vec<BalanceFactor> {
    let mut found = Vec::new();
    for row in &analysis.rows {
        let runs: Vec<&RunData> = row.finished(data).collect();
        let Some(first) = runs.first() else { continue };
        for term in curves::balanced_terms(&first.curves) {
            let factors: Vec<f64> = runs
                .iter()
                .filter_map(|run| curves::balance_factor(&run.curves, term))
                .collect();
            found.push(BalanceFactor {
                label: row.label.clone(),
                term: term.to_owned(),
                mean: mean(&factors),
                factors,
            });
        }
    }
    found
}

/// Whether any run was balanced again while it was trained.
pub fn balanced_again(data: &StudyData) -> bool {
    let mut specs = data.runs.iter().filter_map(|run| run.spec.as_ref());
    specs.any(|spec| matches!(spec.balance, BalanceSpec::Gradient { every: Some(_), .. }))
}

/// The factors of a term in all rows of an arm.
#[derive(Debug, Clone, Serialize)]
pub struct BalanceRange {
    /// The arm; the row where there are no arms.
    pub arm: String,
    pub term: String,
    /// Over rows and seeds.
    pub low: f64,
    pub high: f64,
}

/// The factors by arm and term.
pub fn balance_ranges(analysis: &Analysis, factors: &[BalanceFactor]) -> Vec<BalanceRange> {
    let mut found: Vec<BalanceRange> = Vec::new();
    for factor in factors {
        let arm = arm_of(analysis, &factor.label);
        let Some((low, high)) = range(&factor.factors) else {
            continue;
        };
        match found
            .iter_mut()
            .find(|known| known.arm == arm && known.term == factor.term)
        {
            Some(known) => {
                known.low = known.low.min(low);
                known.high = known.high.max(high);
            }
            None => found.push(BalanceRange {
                arm,
                term: factor.term.clone(),
                low,
                high,
            }),
        }
    }
    found
}

/// The arm of the row with a label; the label where there is none.
fn arm_of(analysis: &Analysis, label: &str) -> String {
    let row = analysis.rows.iter().find(|row| row.label == label);
    row.and_then(|row| row.at.get(ARM))
        .map_or_else(|| label.to_owned(), String::clone)
}

fn range(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    Some((low, values.iter().copied().reduce(f64::max)?))
}

/// How the critics of a term ended in all rows of an arm.
#[derive(Debug, Clone, Serialize)]
pub struct CriticSummary {
    /// The arm; the row where there are no arms.
    pub arm: String,
    pub term: String,
    pub lipschitz: String,
    /// What the estimates may be called.
    pub name: String,
    /// How many critics there are: one of every row and layer.
    pub critics: usize,
    pub estimate_low: Option<f64>,
    pub estimate_high: Option<f64>,
    pub norm_low: Option<f64>,
    pub norm_high: Option<f64>,
    /// On tokens that they were not trained on; none of runs that did not measure it.
    pub held_out_low: Option<f64>,
    pub held_out_high: Option<f64>,
    /// The same after further updates while both models stood.
    pub further_low: Option<f64>,
    pub further_high: Option<f64>,
    /// How many end with a norm that is not within 10 % of 1; none where the norm says nothing.
    pub untrusted: Option<usize>,
}

/// The critics by arm and term.
pub fn critic_summaries(analysis: &Analysis, critics: &[CriticOutcome]) -> Vec<CriticSummary> {
    let mut keys: Vec<(String, &str, &str)> = Vec::new();
    let key = |critic: &CriticOutcome| arm_of(analysis, &critic.label);
    for critic in critics {
        let key = (key(critic), critic.term.as_str(), critic.lipschitz.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let summary = |(arm, term, lipschitz): (String, &str, &str)| {
        let same: Vec<&CriticOutcome> = critics
            .iter()
            .filter(|critic| {
                key(critic) == arm && critic.term == term && critic.lipschitz == lipschitz
            })
            .collect();
        let estimates: Vec<f64> = same.iter().filter_map(|critic| critic.estimate).collect();
        let of = |value: fn(&CriticOutcome) -> Option<f64>| {
            let values: Vec<f64> = same.iter().filter_map(|critic| value(critic)).collect();
            range(&values)
        };
        let (held_out, further) = (of(|critic| critic.held_out), of(|critic| critic.further));
        let norms: Vec<f64> = same
            .iter()
            .filter_map(|critic| critic.gradient_norm)
            .collect();
        let trusts: Vec<bool> = same.iter().filter_map(|critic| critic.is_trusted).collect();
        CriticSummary {
            name: same
                .first()
                .map_or_else(String::new, |critic| critic.name.clone()),
            critics: same.len(),
            estimate_low: range(&estimates).map(|range| range.0),
            estimate_high: range(&estimates).map(|range| range.1),
            norm_low: range(&norms).map(|range| range.0),
            norm_high: range(&norms).map(|range| range.1),
            held_out_low: held_out.map(|range| range.0),
            held_out_high: held_out.map(|range| range.1),
            further_low: further.map(|range| range.0),
            further_high: further.map(|range| range.1),
            untrusted: (!trusts.is_empty())
                .then(|| trusts.iter().filter(|&&is_trusted| !is_trusted).count()),
            term: term.to_owned(),
            lipschitz: lipschitz.to_owned(),
            arm,
        }
    };
    keys.into_iter().map(summary).collect()
}

/// How a critic ended: means over the last tenth of the training and over seeds.
#[derive(Debug, Clone, Serialize)]
pub struct CriticOutcome {
    pub label: String,
    pub term: String,
    /// The student's state.
    pub layer: String,
    /// "gradient-penalty", "spectral" or "clip".
    pub lipschitz: String,
    /// What the estimate may be called.
    pub name: String,
    pub estimate: Option<f64>,
    pub gradient_norm: Option<f64>,
    /// On the validation split after the last step, as it was and after further updates while both
    /// models stood; means over seeds.
    pub held_out: Option<f64>,
    pub further: Option<f64>,
    /// Whether the gradient norm is within 10 % of 1; none where it says nothing (clip).
    pub is_trusted: Option<bool>,
}

/// Every critic of every row.
pub fn critics(data: &StudyData, analysis: &Analysis) -> Vec<CriticOutcome> {
    let mut found = Vec::new();
    for row in &analysis.rows {
        let runs: Vec<&RunData> = row.finished(data).collect();
        let Some(first) = runs.first() else { continue };
        let mut critics: Vec<CriticCurve> = first
            .curves
            .keys()
            .filter_map(|name| CriticCurve::of(name))
            .collect();
        critics.sort_by_key(CriticCurve::order);
        critics.dedup_by_key(|critic| (critic.term, critic.state));
        found.extend(
            critics
                .iter()
                .map(|critic| CriticOutcome::new(&row.label, &runs, first, critic)),
        );
    }
    found
}

impl CriticOutcome {
    /// Of one critic in the runs of a row; `first` is the first of them.
    fn new(label: &str, runs: &[&RunData], first: &RunData, critic: &CriticCurve) -> Self {
        let at_the_end = |value: &str| {
            let name = CriticCurve { value, ..*critic }.name();
            mean_of(
                runs.iter()
                    .filter_map(|run| last_tenth(run.curves.get(&name)?)),
            )
        };
        let lipschitz = lipschitz(first, critic.term);
        let gradient_norm = at_the_end("gradient_norm");
        let is_one_lipschitz = lipschitz.is_none_or(Lipschitz::is_one_lipschitz);
        let name = if is_one_lipschitz {
            "critic estimate"
        } else {
            "K·W1 with K unknown"
        };
        Self {
            label: label.to_owned(),
            term: critic.term.to_owned(),
            layer: critic.state.to_owned(),
            lipschitz: lipschitz.map_or("unknown", Lipschitz::name).to_owned(),
            name: name.to_owned(),
            estimate: at_the_end("estimate"),
            held_out: at_the_end(recorded::HELD_OUT),
            further: at_the_end(recorded::FURTHER),
            is_trusted: gradient_norm
                .filter(|_| is_one_lipschitz)
                .map(|norm| TRUSTED.contains(&norm)),
            gradient_norm,
        }
    }
}

/// How the critic of a term is held to be Lipschitz.
fn lipschitz(run: &RunData, term: &str) -> Option<Lipschitz> {
    let term = run.spec.as_ref()?.loss.get(term)?;
    Some(term.critic()?.lipschitz)
}

/// The mean over the last tenth of a curve.
fn last_tenth(curve: &[(f64, f64)]) -> Option<f64> {
    let tail = &curve[curve.len() - curve.len().div_ceil(10)..];
    mean_of(tail.iter().map(|point| point.1))
}
