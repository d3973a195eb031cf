//! The terms of the objective: their weights, temperatures and critics.

use std::collections::BTreeMap;

use super::super::run::{BalanceSpec, CriticSpec, Lipschitz, Term, TrainSpec};
use super::super::schedule::{Schedule, Span};
use super::super::source::float_text;
use super::super::spec_layers::On;
use super::super::written::WrittenRun;
use super::{CellReport, Problem};

/// λ of the gradient penalty where none is written (arXiv 1704.00028).
const PENALTY: f64 = 10.0;
/// Bound of a clipped critic's parameters where none is written (arXiv 1701.07875).
const CLIP: f64 = 0.01;

/// The terms of a cell with complete critics.
pub(super) fn resolve_losses(run: &WrittenRun, report: &mut CellReport) -> BTreeMap<String, Term> {
    if run.loss.is_empty() {
        report.problems.push(Problem {
            key: "loss".to_owned(),
            on: On::Key,
            message: "no loss is enabled".to_owned(),
            hint: "add one, such as [loss.lm] with kind = \"lm\"".to_owned(),
        });
    }
    let steps = run.train.steps;
    let mut loss = run.loss.clone();
    for (name, term) in &mut loss {
        let table = format!("loss.{name}");
        let weight = format!("{table}.weight");
        check_schedule(&weight, term.weight(), Allowed::NotNegative, steps, report);
        if let Some(temperature) = term.temperature() {
            let key = format!("{table}.temperature");
            check_schedule(&key, temperature, Allowed::Temperature, steps, report);
        }
        if let Some(tokens) = term.tokens_mut() {
            resolve_tokens(&table, tokens, &run.train, report);
        }
        if let Some(critic) = term.critic_mut() {
            resolve_critic(&format!("{table}.critic"), critic, &run.balance, report);
        }
    }
    loss
}

/// A micro-batch of fewer tokens is compared as a whole; one token has nothing to be compared with.
fn resolve_tokens(table: &str, tokens: &mut usize, train: &TrainSpec, report: &mut CellReport) {
    let all = train.batch.saturating_mul(train.context);
    if all < 2 {
        report.problem(
            &format!("{table}.kind"),
            "this loss compares tokens with each other, and a micro-batch has 1".to_owned(),
            "write a larger train.batch or train.context, or another kind",
        );
    }
    *tokens = all.min(*tokens);
}

/// Completes a critic with what its constraint takes, and takes out what has no effect.
fn resolve_critic(
    table: &str,
    critic: &mut CriticSpec,
    balance: &BalanceSpec,
    report: &mut CellReport,
) {
    let reason = format!("lipschitz = \"{}\"", critic.lipschitz.name());
    let (penalty, clip) = match critic.lipschitz {
        Lipschitz::GradientPenalty => (Some(PENALTY), None),
        Lipschitz::Spectral => (None, None),
        Lipschitz::Clip => (None, Some(CLIP)),
    };
    let values = [
        ("penalty", &mut critic.penalty, penalty),
        ("clip", &mut critic.clip, clip),
    ];
    for (key, value, default) in values {
        match default {
            Some(default) => {
                value.get_or_insert(default);
            }
            None if value.take().is_some() => {
                report.unused(format!("{table}.{key}"), reason.clone());
            }
            None => {}
        }
    }
    // A resolved critic says what is done: without a balance there is no update before training.
    if *balance == BalanceSpec::None && std::mem::take(&mut critic.warmup) != 0 {
        report.unused(
            format!("{table}.warmup"),
            "balance.mode = \"none\"".to_owned(),
        );
    }
}

/// Temperatures τ that the kernels hold with room: logits are divided by τ, the loss multiplied
/// by τ².
const TEMPERATURES: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

#[derive(Clone, Copy, PartialEq)]
enum Allowed {
    NotNegative,
    Temperature,
}

impl Allowed {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::NotNegative => value >= 0.0,
            Self::Temperature => TEMPERATURES.contains(&value),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::NotNegative => "that is 0 or more",
            Self::Temperature => "from 0.000001 to 1000000",
        }
    }
}

/// A number as it may be written.
fn shown(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        value.to_string()
    } else {
        float_text(value)
    }
}

fn check_schedule(
    key: &str,
    schedule: &Schedule,
    allowed: Allowed,
    steps: u64,
    report: &mut CellReport,
) {
    let (values, is_exponential): (Vec<(&str, f64)>, bool) = match schedule {
        Schedule::Constant(value) => (vec![("", *value)], false),
        Schedule::Linear { from, to, .. }
        | Schedule::Cosine { from, to, .. }
        | Schedule::Step { from, to, .. } => (vec![(".from", *from), (".to", *to)], false),
        Schedule::Exponential { from, to, .. } => (vec![(".from", *from), (".to", *to)], true),
        Schedule::Piecewise { points } => {
            check_order(key, points, steps, report);
            let values = points.iter().map(|(_, value)| (".points", *value));
            (values.collect(), false)
        }
    };
    for (end, value) in values {
        let full = format!("{key}{end}");
        if is_exponential && value == 0.0 {
            report.problem(
                &full,
                format!("{full} = 0 in an exponential schedule, which never reaches or leaves 0"),
                "write a small number such as 0.001, or shape = \"linear\"",
            );
        } else if !allowed.holds(value) {
            report.problem(
                &full,
                format!("{full} = {} is out of range", shown(value)),
                format!("write a number {}", allowed.in_words()),
            );
        }
    }
}

/// The points of a piecewise schedule stand in the order of their steps.
fn check_order(key: &str, points: &[(Span, f64)], steps: u64, report: &mut CellReport) {
    let at: Vec<f64> = points.iter().map(|(span, _)| span.end(steps)).collect();
    if let Some(pair) = at.windows(2).find(|pair| pair[1] < pair[0]) {
        let (before, after) = (pair[0], pair[1]);
        report.problem(
            &format!("{key}.points"),
            format!("{key}.points go back from step {before} to step {after}"),
            "write the points in the order of their steps",
        );
    }
}
