//! What every setting minimises, and how its student is trained, in words.

use serde::Serialize;

use super::names::{grouped, name_of};
use crate::plan::run::{Decay, Direction, Keep, LearningRate, PrecisionSpec, RunSpec};
use crate::plan::run::{StateForm, Term, TrainSpec};
use crate::plan::schedule::{Schedule, Span};
use crate::report::analysis::Analysis;
use crate::report::data::StudyData;
use crate::report::format::{count, plain};

/// Rows that say the same of something.
#[derive(Debug, Clone, Serialize)]
pub struct WordsOfRows {
    /// Their names, for a sentence.
    pub label: String,
    pub words: String,
}

/// The sum of loss terms of every row, those with the same one together.
pub fn objectives(data: &StudyData, analysis: &Analysis) -> Vec<WordsOfRows> {
    by_words(data, analysis, |spec| {
        let terms = spec
            .loss
            .iter()
            .map(|(name, term)| term_in_words(name, term));
        terms.collect::<Vec<_>>().join(" + ")
    })
}

/// How the students are trained, rows trained alike together.
pub fn schedules(data: &StudyData, analysis: &Analysis) -> Vec<WordsOfRows> {
    by_words(data, analysis, |spec| train_in_words(&spec.train))
}

fn by_words(
    data: &StudyData,
    analysis: &Analysis,
    words: impl Fn(&RunSpec) -> String,
) -> Vec<WordsOfRows> {
    let facts = analysis.rows.iter().enumerate().filter_map(|(place, row)| {
        let mut specs = row
            .cells
            .iter()
            .filter_map(|&cell| data.run(cell).spec.as_ref());
        Some((place, words(specs.next()?)))
    });
    grouped(facts)
        .into_iter()
        .map(|(places, words)| WordsOfRows {
            label: name_of(&analysis.rows, &places),
            words,
        })
        .collect()
}

/// `0.5 kl (τ = 2)`: weight, name, and what the name does not say. The function is long because
/// every kind has words of its own.
fn term_in_words(name: &str, term: &Term) -> String {
    let with_states = |kind: &'static str, states: &StateForm| {
        let mut details = vec![kind.to_owned()];
        match states {
            StateForm::Raw => {}
            StateForm::Layernorm => details.push("layer-normed".to_owned()),
        }
        details
    };
    let at_temperature = |kind: &str, temperature: &Schedule| {
        let temperature = format!("τ = {}", schedule_in_words(temperature));
        vec![kind.to_owned(), temperature]
    };
    let of_tokens = |mut details: Vec<String>, tokens: usize| {
        details.push(format!("{} tokens", count(tokens as f64)));
        details
    };
    let (weight, details) = match term {
        Term::Lm { weight } => (weight, Vec::new()),
        Term::LogitsKl {
            weight,
            temperature,
            direction,
            skew,
        } => {
            let mut details = vec![format!("τ = {}", schedule_in_words(temperature))];
            match direction {
                Direction::Forward => {}
                Direction::Reverse => details.push("reverse".to_owned()),
            }
            if *skew != 0.0 {
                details.push(format!("skew {}", plain(*skew)));
            }
            (weight, details)
        }
        Term::LogitsJs {
            weight,
            temperature,
        } => (weight, at_temperature("Jensen–Shannon", temperature)),
        Term::LogitsTv {
            weight,
            temperature,
        } => (weight, at_temperature("total variation", temperature)),
        Term::LogitsMse { weight } => (weight, vec!["MSE of logits".to_owned()]),
        Term::LogitsWasserstein {
            weight,
            temperature,
        } => (weight, at_temperature("sorted probabilities", temperature)),
        Term::LogitsLens {
            weight,
            temperature,
        } => (weight, at_temperature("logit lens", temperature)),
        Term::HiddenMse {
            weight,
            states,
            normalize,
        } => {
            let mut details = with_states("MSE", states);
            if *normalize {
                details.push("of unit vectors".to_owned());
            }
            (weight, details)
        }
        Term::HiddenCosine { weight, states } => (weight, with_states("cosine", states)),
        Term::HiddenWasserstein { weight, states, .. } => {
            (weight, with_states("Wasserstein", states))
        }
        Term::HiddenSlicedWasserstein {
            weight,
            states,
            directions,
        } => {
            let mut details = with_states("sliced W2²", states);
            details.push(format!("{directions} directions"));
            (weight, details)
        }
        Term::HiddenEnergy {
            weight,
            states,
            tokens,
        } => (weight, of_tokens(with_states("energy", states), *tokens)),
        Term::HiddenMmd {
            weight,
            states,
            tokens,
        } => (weight, of_tokens(with_states("MMD²", states), *tokens)),
        Term::HiddenGaussianW2 { weight, states } => (weight, with_states("Gaussian W2²", states)),
        Term::HiddenSinkhorn {
            weight,
            states,
            tokens,
            epsilon,
            iterations: _,
        } => {
            let mut details = with_states("Sinkhorn", states);
            details.push(format!("ε = {} of the median", plain(*epsilon)));
            (weight, of_tokens(details, *tokens))
        }
        Term::HiddenCka { weight, states } => (weight, with_states("1 − CKA", states)),
        Term::AttentionKl { weight } => (weight, vec!["KL of attention".to_owned()]),
    };
    let details = if details.is_empty() {
        String::new()
    } else {
        format!(" ({})", details.join(", "))
    };
    format!("{} {name}{details}", schedule_in_words(weight))
}

/// `0.5`, or `[1 to 0, linear over 20 %]`.
fn schedule_in_words(schedule: &Schedule) -> String {
    let moving = |from: &f64, to: &f64, shape: &str, over: &Span| {
        format!(
            "[{} to {}, {shape} {}]",
            plain(*from),
            plain(*to),
            span_in_words(over)
        )
    };
    match schedule {
        Schedule::Constant(value) => plain(*value),
        Schedule::Linear { from, to, over } => moving(from, to, "linear over", over),
        Schedule::Cosine { from, to, over } => moving(from, to, "cosine over", over),
        Schedule::Exponential { from, to, over } => moving(from, to, "exponential over", over),
        Schedule::Step { from, to, over } => moving(from, to, "at", over),
        Schedule::Piecewise { points } => {
            let point = |(span, value): &(Span, f64)| {
                format!("{} at {}", plain(*value), span_in_words(span))
            };
            format!(
                "[{}]",
                points.iter().map(point).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn span_in_words(span: &Span) -> String {
    match span {
        Span::Steps(1) => "1 step".to_owned(),
        Span::Steps(steps) => format!("{} steps", count(*steps as f64)),
        Span::Percent(percent) => format!("{} %", plain(*percent)),
    }
}

/// `300 steps of 16 × 64 tokens (307,200 in all); AdamW, learning rate 0.003 after a warm-up over
/// 5 %, cosine to 10 % of it`.
fn train_in_words(train: &TrainSpec) -> String {
    let a_step = train.batch * train.accumulate;
    let tokens = train.steps as f64 * (a_step * train.context) as f64;
    let LearningRate {
        peak,
        warmup,
        decay,
        floor,
    } = &train.lr;
    let decay = match decay {
        Decay::Cosine => format!(", cosine to {} of it", span_in_words(floor)),
        Decay::Linear => format!(", linear to {} of it", span_in_words(floor)),
        Decay::Constant => String::new(),
    };
    let precision = match train.precision {
        PrecisionSpec::F32 => "f32",
        PrecisionSpec::Tf32 => "tf32",
        PrecisionSpec::Tf32OrF32 => "tf32 or f32",
        PrecisionSpec::Bf16 => "bf16",
        PrecisionSpec::Bf16OrF32 => "bf16 or f32",
    };
    let keep = match train.keep {
        Keep::Last => "last weights",
        Keep::Best => "weights of the lowest validation loss",
    };
    format!(
        "{} steps of {a_step} × {} tokens ({} in all); AdamW, learning rate {} after a warm-up \
         over {}{decay}; {precision}; {keep}",
        count(train.steps as f64),
        train.context,
        count(tokens),
        plain(*peak),
        span_in_words(warmup)
    )
}

#[cfg(test)]
#[path = "objectives_tests.rs"]
mod tests;
