//! Facts of the models themselves: sizes and times, layer distances, balance factors, critics,
//! samples of text.

use anyhow::Result;
use serde::Serialize;

use super::contrasts::{ARM, Analysis, TableRow};
use super::data::{RunData, StudyData};
use super::figures::critic_parts;
use super::statistics::mean;
use crate::plan::run::Lipschitz;
use crate::record::evaluation::{LayerDistance, Size};

/// Prompts that are shown.
const MOST_PROMPTS: usize = 4;
/// How far the mean gradient norm of a critic may be from 1 before the report warns.
const TRUSTED: std::ops::RangeInclusive<f64> = 0.9..=1.1;

/// A size of model, the teacher's first; with what was measured of its speed.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    pub label: String,
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub vocabulary: usize,
    pub positions: usize,
    pub parameters: u64,
    pub parameters_without_embeddings: u64,
    pub bytes: u64,
    pub forward_flops_per_token: f64,
    /// Of the first teacher's parameters.
    pub share: Option<f64>,
    /// Tokens per second, means over what was measured.
    pub prefill: Option<f64>,
    pub decode: Option<f64>,
    pub context: Option<usize>,
    pub threads: Option<usize>,
    /// Mean seconds of training.
    pub training_seconds: Option<f64>,
}

pub fn models(data: &StudyData, analysis: &Analysis) -> Vec<Model> {
    // Speed is a matter of the shape, training time of the arm: rows of one shape and arm are one
    // line.
    let several = data.teachers.len() > 1;
    let teachers = data.teachers.iter().enumerate().map(|(number, teacher)| {
        (
            if several {
                format!("teacher {}", number + 1)
            } else {
                "teacher".to_owned()
            },
            vec![teacher],
        )
    });
    let rows = analysis
        .rows
        .iter()
        .map(|row| (row.label.clone(), row.finished(data).collect()));
    let largest = data
        .teachers
        .iter()
        .find_map(|teacher| teacher.evaluation.as_ref())
        .map(|evaluation| evaluation.model.parameters as f64);
    teachers
        .chain(rows)
        .filter_map(|(label, runs)| model(label, &runs, largest))
        .collect()
}

fn model(label: String, runs: &[&RunData], largest: Option<f64>) -> Option<Model> {
    let Size {
        layers,
        width,
        heads,
        vocabulary,
        positions,
        parameters,
        parameters_without_embeddings,
        bytes,
        forward_flops_per_token,
    } = runs
        .iter()
        .find_map(|run| run.evaluation.as_ref())?
        .model
        .clone();
    let average = |value: fn(&RunData) -> Option<f64>| {
        let values: Vec<f64> = runs.iter().filter_map(|run| value(run)).collect();
        (!values.is_empty()).then(|| mean(&values))
    };
    let speed = runs.iter().find_map(|run| run.speed.as_ref());
    Some(Model {
        label,
        layers,
        width,
        heads,
        vocabulary,
        positions,
        parameters,
        parameters_without_embeddings,
        bytes,
        forward_flops_per_token,
        share: largest
            .filter(|&largest| largest > 0.0)
            .map(|largest| parameters as f64 / largest),
        prefill: average(|run| {
            run.speed
                .as_ref()
                .map(|speed| speed.prefill_tokens_per_second)
        }),
        decode: average(|run| {
            run.speed
                .as_ref()
                .map(|speed| speed.decode_tokens_per_second)
        }),
        context: speed.map(|speed| speed.context),
        threads: speed.map(|speed| speed.threads),
        training_seconds: average(|run| run.training_seconds),
    })
}

/// The layers of a row against the teacher's, means over seeds.
#[derive(Debug, Clone, Serialize)]
pub struct Distances {
    pub label: String,
    pub layers: Vec<LayerDistance>,
    /// Means over the layers.
    pub cka: f64,
    pub sliced_w2: Option<f64>,
}

pub fn distances(data: &StudyData, analysis: &Analysis) -> Vec<Distances> {
    let of = |row: &TableRow| {
        let runs: Vec<&[LayerDistance]> = row
            .finished(data)
            .filter_map(|run| Some(run.evaluation.as_ref()?.teacher.as_ref()?.layers.as_slice()))
            .collect();
        let first = runs.first().filter(|layers| !layers.is_empty())?;
        let average = |values: Vec<f64>| (!values.is_empty()).then(|| mean(&values));
        let layers: Vec<LayerDistance> = first
            .iter()
            .enumerate()
            .map(|(place, layer)| LayerDistance {
                cka: mean(
                    &runs
                        .iter()
                        .filter_map(|layers| layers.get(place))
                        .map(|layer| layer.cka)
                        .collect::<Vec<_>>(),
                ),
                sliced_w2: average(
                    runs.iter()
                        .filter_map(|layers| layers.get(place)?.sliced_w2)
                        .collect(),
                ),
                ..*layer
            })
            .collect();
        let cka = mean(&layers.iter().map(|layer| layer.cka).collect::<Vec<_>>());
        let sliced_w2 = average(layers.iter().filter_map(|layer| layer.sliced_w2).collect());
        Some(Distances {
            label: row.label.clone(),
            layers,
            cka,
            sliced_w2,
        })
    };
    analysis.rows.iter().filter_map(of).collect()
}

/// The factor of a hidden term, which makes its gradient as large as the reference term's.
#[derive(Debug, Clone, Serialize)]
pub struct BalanceFactor {
    pub label: String,
    pub term: String,
    /// By finished seed.
    pub factors: Vec<f64>,
    pub mean: f64,
}

pub fn balance(data: &StudyData, analysis: &Analysis) -> Vec<BalanceFactor> {
    let mut found = Vec::new();
    for row in &analysis.rows {
        let runs: Vec<&RunData> = row.finished(data).collect();
        let Some(first) = runs.first() else { continue };
        for (name, term) in first
            .curves
            .keys()
            .filter_map(|name| Some((name, name.strip_prefix("balance.")?)))
        {
            let factors: Vec<f64> = runs
                .iter()
                .filter_map(|run| Some(run.curves.get(name)?.first()?.1))
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
    /// Whether the gradient norm is within 10 % of 1; none where it says nothing (clip).
    pub is_trusted: Option<bool>,
}

pub fn critics(data: &StudyData, analysis: &Analysis) -> Vec<CriticOutcome> {
    let mut found = Vec::new();
    for row in &analysis.rows {
        let runs: Vec<&RunData> = row.finished(data).collect();
        let Some(first) = runs.first() else { continue };
        let mut states: Vec<(&str, &str)> = first
            .curves
            .keys()
            .filter_map(|name| critic_parts(name))
            .map(|(term, state, _)| (term, state))
            .collect();
        states.sort_by_key(|&(term, state)| (term, state.parse().unwrap_or(usize::MAX)));
        states.dedup();
        for (term, state) in states {
            let last = |value: &str| {
                let ends: Vec<f64> = runs
                    .iter()
                    .filter_map(|run| {
                        end(run.curves.get(&format!("critic.{term}.{state}.{value}"))?)
                    })
                    .collect();
                (!ends.is_empty()).then(|| mean(&ends))
            };
            let lipschitz = lipschitz(first, term);
            let is_one_lipschitz = lipschitz.is_none_or(Lipschitz::is_one_lipschitz);
            let gradient_norm = last("gradient_norm");
            found.push(CriticOutcome {
                label: row.label.clone(),
                term: term.to_owned(),
                layer: state.to_owned(),
                lipschitz: lipschitz.map_or("unknown", Lipschitz::name).to_owned(),
                name: if is_one_lipschitz {
                    "critic estimate"
                } else {
                    "K·W1 with K unknown"
                }
                .to_owned(),
                estimate: last("estimate"),
                is_trusted: gradient_norm
                    .filter(|_| is_one_lipschitz)
                    .map(|norm| TRUSTED.contains(&norm)),
                gradient_norm,
            });
        }
    }
    found
}

fn lipschitz(run: &RunData, term: &str) -> Option<Lipschitz> {
    let term = run.spec.as_ref()?.loss.get(term)?;
    Some(term.critic()?.lipschitz)
}

/// The mean over the last tenth of a curve.
fn end(curve: &[(f64, f64)]) -> Option<f64> {
    let tail = &curve[curve.len() - curve.len().div_ceil(10)..];
    (!tail.is_empty()).then(|| mean(&tail.iter().map(|point| point.1).collect::<Vec<_>>()))
}

/// One prompt with what every model makes of it.
#[derive(Debug, Clone, Serialize)]
pub struct PromptSamples {
    pub prompt: String,
    pub reference: String,
    pub texts: Vec<SampleText>,
}

#[derive(Debug, Clone, Serialize)]
pub struct SampleText {
    pub label: String,
    pub text: String,
}

/// One row an arm: the first that has samples, by its first finished seed.
pub fn samples(data: &StudyData, analysis: &Analysis) -> Result<Vec<PromptSamples>> {
    let mut arms: Vec<Option<&String>> = Vec::new();
    let mut found: Vec<PromptSamples> = Vec::new();
    for row in &analysis.rows {
        let arm = row.at.get(ARM);
        let Some(run) = row.finished(data).next() else {
            continue;
        };
        if arms.contains(&arm) {
            continue;
        }
        let samples = run.samples()?;
        if samples.is_empty() {
            continue;
        }
        arms.push(arm);
        for sample in samples.into_iter().take(MOST_PROMPTS) {
            let place = found
                .iter()
                .position(|own| own.prompt == sample.prompt)
                .unwrap_or_else(|| {
                    let teacher = sample.teacher.map(|text| SampleText {
                        label: "teacher".to_owned(),
                        text,
                    });
                    found.push(PromptSamples {
                        prompt: sample.prompt.clone(),
                        reference: sample.reference.clone(),
                        texts: teacher.into_iter().collect(),
                    });
                    found.len() - 1
                });
            found[place].texts.push(SampleText {
                label: row.label.clone(),
                text: sample.student,
            });
        }
    }
    Ok(found)
}
