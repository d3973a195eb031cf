//! Whether a student's hidden states came closer to its teacher's, in what a hidden loss is about:
//! in value, token by token, and as clouds, whatever the run was trained on.
//!
//! Two samples of windows lie over the whole test split, A and B, of as many tokens each. Clouds
//! are the student's states on A and the teacher's on B, so that a student which is its teacher is
//! as far from it as two samples of one cloud are: the floor, which the teacher's own evaluation
//! has. What is compared token by token is taken on A alone.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::distances::SEED;
use super::states::hidden_states;
use super::watch::EvaluationWatch;
use super::windows::Windows;
use crate::cost::pair_flops;
use crate::model::Gpt2;
use crate::ops::clouds::{linear_cka, sliced_w2};
use crate::ops::transport::{between_clouds, mean_within};
use crate::ops::{Ops, STANDARDIZE_EPSILON};
use crate::plan::Strategy;
use crate::plan::run::{HiddenState, Matching, TokenPairing};
use crate::record::evaluation::{CloudDistances, MeasuredPair, Treatment, finite};

/// Two samples of a text, cut into windows of one length.
struct Samples {
    a: Vec<u32>,
    b: Vec<u32>,
    window: usize,
}

impl Samples {
    /// Windows of at most `context` tokens ([`Windows::length`]), in turn one for each sample,
    /// spread evenly over the text without overlap; at most `tokens` tokens for each. None of a
    /// text too short for two tokens each.
    fn of(text: &[u32], context: usize, tokens: usize) -> Option<Self> {
        let tokens = tokens.min(text.len() / 2);
        let window = Windows::length(context, tokens, text.len() / 2);
        if tokens < 2 || window == 0 {
            return None;
        }
        let windows = Windows::evenly(text.len(), window, 2 * (tokens / window));
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (index, start) in windows.starts.into_iter().enumerate() {
            let sample = if index % 2 == 0 { &mut a } else { &mut b };
            sample.extend_from_slice(&text[start..start + window]);
        }
        Some(Self { a, b, window })
    }
}

/// States by their places, each (tokens, width).
type States = BTreeMap<HiddenState, Vec<f32>>;

/// The pairs of states that are measured: those that the run matched, and those of the maps that
/// other arms of a study usually have, so that they can be held against each other.
pub fn measured_pairs(
    matched: &Matching,
    student: usize,
    teacher: usize,
) -> Vec<(HiddenState, HiddenState)> {
    let tokens = TokenPairing::Paired;
    let maps = [
        Strategy::Uniform { tokens },
        Strategy::Last { tokens },
        Strategy::Reverse { tokens },
    ];
    let of_maps = maps
        .iter()
        // A map that these depths do not have is none.
        .filter_map(|map| map.resolve(student, teacher, 0).ok());
    let all: BTreeSet<(HiddenState, HiddenState)> = of_maps
        .chain([matched.clone()])
        .flat_map(|map| match map {
            Matching::Pairs { pairs, .. } => pairs,
            // Every layer with every layer in turn: the uniform map stands for them.
            Matching::Random { .. }
            | Matching::Attention { .. }
            | Matching::Combine { .. }
            | Matching::Emd { .. } => Vec::new(),
        })
        .collect();
    all.into_iter().collect()
}

/// Measures these pairs on two samples of `tokens` tokens of the text.
pub fn treatment<D: Ops>(
    student: &Gpt2<D>,
    teacher: &Gpt2<D>,
    text: &[u32],
    (context, tokens, directions): (usize, usize, usize),
    pairs: &[(HiddenState, HiddenState)],
    watch: &dyn EvaluationWatch,
) -> Option<Treatment> {
    let samples = Samples::of(text, context, tokens)?;
    let kept = |places: BTreeSet<HiddenState>| places.into_iter().collect::<Vec<_>>();
    let own = kept(pairs.iter().map(|pair| pair.0).collect());
    let other = kept(pairs.iter().map(|pair| pair.1).collect());
    let own = hidden_states(student, &samples.a, samples.window, &own);
    let paired = hidden_states(teacher, &samples.a, samples.window, &other);
    let apart = hidden_states(teacher, &samples.b, samples.window, &other);
    let widths = (student.config.width, teacher.config.width);
    let are_alike = widths.0 == widths.1;
    // Clouds of widths that differ have no distance.
    let clouds = |states: &States| are_alike.then(|| clouds(states, widths.0));
    let (of_own, of_apart) = (clouds(&own), clouds(&apart));
    let wanted = pairs.par_iter().filter(|_| !watch.is_stopped());
    let measured = wanted.map(|&(i, j)| {
        let (x, target) = (&own[&i], &paired[&j]);
        let form = |form: usize| {
            let (a, b) = (&of_own.as_ref()?[&i][form], &of_apart.as_ref()?[&j][form]);
            let target = match form {
                RAW => target.clone(),
                _ => standardized(target, widths.1),
            };
            Some(distances(a, b, Some(&target), widths.0, directions))
        };
        MeasuredPair {
            student_state: i,
            teacher_state: j,
            cka: finite(linear_cka(x, widths.0, target, widths.1, samples.a.len())),
            raw: form(RAW),
            layernorm: form(NORMED),
        }
    });
    let measured = measured.inspect(|_| watch.advance(pair_flops(samples.a.len())));
    Some(Treatment {
        tokens: samples.a.len() as u64,
        pairs: measured.collect(),
    })
}

/// What two samples of one model's states are apart, at every layer: no student can be expected to
/// be closer.
pub fn floor<D: Ops>(
    model: &Gpt2<D>,
    text: &[u32],
    (context, tokens, directions): (usize, usize, usize),
    watch: &dyn EvaluationWatch,
) -> Option<Treatment> {
    let samples = Samples::of(text, context, tokens)?;
    let mut places: Vec<HiddenState> = (1..=model.config.layers).map(HiddenState::Layer).collect();
    places.push(HiddenState::Final);
    let width = model.config.width;
    let of_sample = |tokens: &[u32]| {
        let states = hidden_states(model, tokens, samples.window, &places);
        clouds(&states, width)
    };
    let (a, b) = (of_sample(&samples.a), of_sample(&samples.b));
    let wanted = places.par_iter().filter(|_| !watch.is_stopped());
    let measured = wanted.map(|place| {
        let form = |form: usize| {
            let (a, b) = (&a[place][form], &b[place][form]);
            Some(distances(a, b, None, width, directions))
        };
        MeasuredPair {
            student_state: *place,
            teacher_state: *place,
            cka: None,
            raw: form(RAW),
            layernorm: form(NORMED),
        }
    });
    let measured = measured.inspect(|_| watch.advance(pair_flops(samples.a.len())));
    Some(Treatment {
        tokens: samples.a.len() as u64,
        pairs: measured.collect(),
    })
}

/// The forms of a cloud: as it is, and with every row standardised.
const RAW: usize = 0;
const NORMED: usize = 1;

/// A cloud with what belongs to it alone, whatever it is compared with.
struct MeasuredCloud {
    rows: Vec<f32>,
    /// Mean distance of two different rows.
    within: f64,
}

/// Both forms of every state's cloud.
fn clouds(states: &States, width: usize) -> BTreeMap<HiddenState, [MeasuredCloud; 2]> {
    let measured = |rows: Vec<f32>| MeasuredCloud {
        within: mean_within(&rows, width),
        rows,
    };
    let both = states.par_iter().map(|(&place, states)| {
        let forms = [states.clone(), standardized(states, width)];
        (place, forms.map(measured))
    });
    both.collect()
}

/// How far a cloud is from another; `paired` has the row that belongs to each of `a`'s.
fn distances(
    a: &MeasuredCloud,
    b: &MeasuredCloud,
    paired: Option<&[f32]>,
    width: usize,
    directions: usize,
) -> CloudDistances {
    let rows = a.rows.len() / width;
    let between = between_clouds(&a.rows, &b.rows, width);
    let sliced = sliced_w2(&a.rows, &b.rows, width, rows, directions.max(1), SEED);
    CloudDistances {
        w1: finite(between.wasserstein_1),
        sliced_w2: finite(sliced),
        energy: finite(between.energy([a.within, b.within])),
        mse: paired.and_then(|paired| finite(mean_square(&a.rows, paired))),
    }
}

/// Mean of (x − y)² over all coordinates.
fn mean_square(x: &[f32], y: &[f32]) -> f64 {
    let squares = x.iter().zip(y).map(|(&x, &y)| {
        let difference = f64::from(x) - f64::from(y);
        difference * difference
    });
    squares.sum::<f64>() / x.len() as f64
}

/// Every row minus its mean, over its standard deviation, as `states = "layernorm"` trains on.
fn standardized(states: &[f32], width: usize) -> Vec<f32> {
    let normal = |row: &[f32]| -> Vec<f32> {
        let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / width as f64;
        let centred = |x: f32| f64::from(x) - mean;
        let variance = row.iter().map(|&x| centred(x) * centred(x)).sum::<f64>() / width as f64;
        let scale = 1.0 / (variance + STANDARDIZE_EPSILON).sqrt();
        row.iter().map(|&x| (centred(x) * scale) as f32).collect()
    };
    states.chunks_exact(width).flat_map(normal).collect()
}

#[cfg(test)]
#[path = "treatment_tests.rs"]
mod tests;
