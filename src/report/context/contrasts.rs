//! The comparisons.

use std::collections::BTreeMap;

use serde::Serialize;

use super::names::in_sentence;
use crate::record::study::{Axis, Study};
use crate::report::analysis::Analysis;
use crate::report::axes::{self, ARM, over_others, reference};
use crate::report::budgets::budgets;
use crate::report::contrasts::Contrast;
use crate::report::delivery::{Delivery, form_in_words};
use crate::report::nulls::Nulls;
use crate::report::questions::{Question, question_axis};
use crate::report::rows::TableRow;
use crate::report::verdict::FEW_SEEDS;

/// A comparison.
#[derive(Debug, Clone, Serialize)]
pub struct ContrastFacts {
    /// What is compared.
    pub label: String,
    /// What it is compared with.
    pub against: Option<String>,
    /// Both as a sentence has them.
    pub name: String,
    pub against_name: Option<String>,
    /// What it is the mean over, in words; none of a single pair of settings.
    pub over: Option<String>,
    pub is_primary: bool,
    pub n: usize,
    /// D, in nats per token; negative is better.
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
    /// Corrected as the interval is.
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
    pub few_seeds: bool,
    pub verdict_ranked_last: Option<String>,
    /// The p value of exact sign flips, where they disagree with the t test.
    pub sign_flips: Option<f64>,
    pub compute_ratio: Option<f64>,
    /// What its verdict hangs on, in words.
    pub hangs_on: Vec<String>,
    /// Of its hidden losses, what became of the states that they match.
    pub deliveries: Vec<DeliveryFacts>,
    /// Whether one of them brought nothing closer to the teacher.
    pub treatment_missed: bool,
}

/// What became of the states that a hidden loss matches.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryFacts {
    /// The setting that has the loss, and the one that it is compared with.
    pub label: String,
    pub against: String,
    pub term: String,
    /// What the loss is about, as it is measured: "MSE" or "W1".
    pub quantity: &'static str,
    /// "raw" or "layer-normed".
    pub states: &'static str,
    /// Mean over the matched pairs and the seeds, and that of the other setting on the same pairs.
    pub value: f64,
    pub compared: f64,
    /// The setting that it is judged by, the same without hidden losses where there is one, and
    /// its distance.
    pub beside: String,
    pub beside_value: f64,
    /// What two samples of the teacher's own states are apart.
    pub floor: Option<f64>,
    /// Of the way from there to the teacher's own, and that of the other setting.
    pub share: Option<f64>,
    pub compared_share: Option<f64>,
    pub is_missed: bool,
    /// Whether the other setting brought it closer still, or as close.
    pub is_behind: bool,
}

impl DeliveryFacts {
    fn new(delivery: &Delivery) -> Self {
        Self {
            label: delivery.label.clone(),
            against: delivery.against.clone(),
            term: delivery.term.clone(),
            quantity: delivery.quantity.name(),
            states: form_in_words(delivery.form),
            value: delivery.value,
            compared: delivery.compared,
            beside: delivery.beside().0.to_owned(),
            beside_value: delivery.beside().1,
            floor: delivery.floor,
            share: delivery.share(),
            compared_share: delivery.compared_share(),
            is_missed: delivery.is_missed(),
            is_behind: delivery.is_behind(),
        }
    }
}

impl ContrastFacts {
    /// What a template sees of a contrast of some rows.
    pub fn new(rows: &[TableRow], contrast: &Contrast) -> Self {
        let paired = contrast.paired.as_ref();
        let n = paired.map_or(0, |paired| paired.n());
        let against = contrast.asked.against.as_ref();
        Self {
            name: in_sentence(rows, &contrast.asked.label),
            against_name: against.map(|against| in_sentence(rows, against)),
            label: contrast.asked.label.clone(),
            against: against.cloned(),
            over: contrast.asked.over.clone(),
            is_primary: contrast.asked.is_primary,
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
            few_seeds: n < FEW_SEEDS,
            verdict_ranked_last: contrast
                .verdict_ranked_last
                .as_ref()
                .map(ToString::to_string),
            sign_flips: contrast.sign_flips_disagree,
            compute_ratio: contrast.compute_ratio,
            hangs_on: contrast.hangs_on.clone(),
            deliveries: contrast.deliveries.iter().map(DeliveryFacts::new).collect(),
            treatment_missed: contrast.is_treatment_missed(),
        }
    }
}

/// Whether a row's layer map is better than the senseless ones.
#[derive(Debug, Clone, Serialize)]
pub struct NullFacts {
    /// "beats the nulls", "better than the nulls, not shown to be better than the baseline" (or
    /// than the same without hidden losses, or either), "not shown to beat the nulls" or "cannot be
    /// told".
    pub words: String,
    pub p: Option<f64>,
    pub lacking: Vec<String>,
    /// Those of them that were not run with this setting at all.
    pub not_run: Vec<String>,
    pub controls: Vec<ControlFacts>,
}

/// A null control.
#[derive(Debug, Clone, Serialize)]
pub struct ControlFacts {
    pub name: String,
    /// Mean difference to the control.
    pub difference: f64,
    /// Simultaneous interval.
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl NullFacts {
    pub fn new(nulls: &Nulls) -> Self {
        let words = match (nulls.beats, nulls.beats_controls) {
            (Some(true), _) => "beats the nulls".to_owned(),
            (Some(false), Some(true)) => format!(
                "better than the nulls, not shown to be better than {}",
                nulls.not_beaten.join(" or ")
            ),
            (Some(false), _) => "not shown to beat the nulls".to_owned(),
            (None, _) => "cannot be told".to_owned(),
        };
        let controls = nulls.controls.iter().map(|control| ControlFacts {
            name: control.name.clone(),
            difference: control.difference,
            low: control.interval.map(|interval| interval.0),
            high: control.interval.map(|interval| interval.1),
        });
        Self {
            words,
            p: nulls.p,
            lacking: nulls.lacking.clone(),
            not_run: nulls.not_run.clone(),
            controls: controls.collect(),
        }
    }
}

/// What is asked about an axis.
#[derive(Debug, Clone, Serialize)]
pub struct AxisFacts {
    pub key: String,
    pub values: Vec<String>,
    /// The value that the others are compared with.
    pub reference: Option<String>,
    /// Whether the study asks about it before all others.
    pub is_question: bool,
    /// The other axes that vary, in words; empty where there are none.
    pub others: String,
    /// Each value against the reference, at every setting of the other axes.
    pub comparisons: Vec<ContrastFacts>,
    /// The same as the mean over those settings.
    pub means: Vec<ContrastFacts>,
    /// Whether the effect of the question's axis depends on this one.
    pub interactions: Vec<ContrastFacts>,
}

/// Every axis that varies with what was asked about it; what the baseline answers is left to the
/// rows.
pub fn axis_questions(study: &Study, analysis: &Analysis) -> Vec<AxisFacts> {
    let facts = |axis: &Axis| {
        let of = |asks: &dyn Fn(&Question) -> bool| -> Vec<ContrastFacts> {
            let contrasts = analysis.contrasts.iter();
            contrasts
                .filter(|contrast| asks(&contrast.asked.question))
                .map(|contrast| ContrastFacts::new(&analysis.rows, contrast))
                .collect()
        };
        AxisFacts {
            key: axis.key.clone(),
            values: axis.values.clone(),
            reference: reference(study, axis).map(str::to_owned),
            is_question: question_axis(study) == Some(&axis.key),
            others: over_others(study, &[&axis.key]),
            comparisons: of(
                &|question| matches!(question, Question::Axis(key) if *key == axis.key),
            ),
            means: of(&|question| matches!(question, Question::Main(key) if *key == axis.key)),
            interactions: of(
                &|question| matches!(question, Question::Interaction(_, key) if *key == axis.key),
            ),
        }
    };
    axes::varying(study).map(facts).collect()
}

/// The comparisons of arms that compute as much: one with what pays for its steps, and two with
/// each other that the same pays for. A budget is a wish: steps are whole, and what was counted
/// decides. Where nothing was, because runs are not finished, nobody can tell.
pub(super) fn at_equal_compute<'a>(study: &Study, analysis: &'a Analysis) -> Vec<&'a Contrast> {
    let mut found = with_one_budget(study, analysis);
    found.retain(|contrast| contrast.compute_ratio.is_some());
    found
}

/// The same with those of which nothing was counted yet: they are in the grid all the same.
pub(super) fn with_one_budget<'a>(study: &Study, analysis: &'a Analysis) -> Vec<&'a Contrast> {
    let budgets = budgets(study);
    let arm = |row: usize| analysis.rows[row].at.get(ARM).map(String::as_str);
    let is_one = |contrast: &&Contrast| {
        contrast.rows().is_some_and(|(a, b)| {
            // What pays for an arm's steps; itself for the one that pays.
            let pays = |row: usize| {
                let own = arm(row)?;
                let paid = budgets.iter().find(|&&(paid, _)| paid == own);
                Some(paid.map_or(own, |&(_, dear)| dear))
            };
            arm(a) != arm(b) && pays(a).is_some() && pays(a) == pays(b)
        }) && contrast.other_operations().is_none()
    };
    analysis.contrasts.iter().filter(is_one).collect()
}

/// The same, as a template sees them.
pub fn equal_compute(study: &Study, analysis: &Analysis) -> Vec<ContrastFacts> {
    let contrasts = at_equal_compute(study, analysis).into_iter();
    contrasts
        .map(|contrast| ContrastFacts::new(&analysis.rows, contrast))
        .collect()
}

/// The settings with hidden losses against the same without them, whatever question led to it; none
/// where the differences to the baseline are all of them already, the same way round.
pub fn what_hidden_losses_add(analysis: &Analysis) -> Vec<ContrastFacts> {
    let rows = &analysis.rows;
    let is_without = |a: usize, b: usize| !rows[a].is_control && rows[a].untreated == Some(b);
    let with_way = |contrast: &Contrast| {
        let (a, b) = contrast.rows()?;
        if is_without(a, b) {
            let is_there = contrast.asked.question == Question::Baseline;
            Some((is_there, ContrastFacts::new(rows, contrast)))
        } else {
            is_without(b, a).then(|| (false, ContrastFacts::new(rows, &contrast.turned())))
        }
    };
    let found: Vec<(bool, ContrastFacts)> =
        analysis.contrasts.iter().filter_map(with_way).collect();
    if found.iter().all(|(is_there, _)| *is_there) {
        return Vec::new();
    }
    found.into_iter().map(|(_, facts)| facts).collect()
}

/// What became of the states that hidden losses match, each beside what it is judged by once.
pub fn treatments(analysis: &Analysis) -> Vec<DeliveryFacts> {
    let mut found: Vec<DeliveryFacts> = Vec::new();
    for delivery in analysis.contrasts.iter().flat_map(|one| &one.deliveries) {
        let facts = DeliveryFacts::new(delivery);
        let is_same = |other: &DeliveryFacts| {
            other.label == facts.label && other.term == facts.term && other.beside == facts.beside
        };
        if !found.iter().any(is_same) {
            found.push(facts);
        }
    }
    found
}

/// How many comparisons ended so.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictCount {
    pub words: String,
    pub count: usize,
}

/// The verdicts that were reached against the baseline, from better to worse.
pub fn verdict_counts(analysis: &Analysis) -> Vec<VerdictCount> {
    let mut counts: BTreeMap<usize, VerdictCount> = BTreeMap::new();
    let contrasts = analysis.contrasts.iter();
    for contrast in contrasts.filter(|contrast| contrast.asked.question == Question::Baseline) {
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

#[cfg(test)]
#[path = "contrasts_tests.rs"]
mod tests;
