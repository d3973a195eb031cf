//! Floating-point operations of a training, counted from its shapes, so that arms of different cost
//! can be put on one axis.
//!
//! A multiply-add is two operations and only matrix products count, as in
//! [`Config::forward_flops_per_token`]; a backward pass costs two forward passes. Measuring the
//! balance before training counts too. A run's cost is that of the run alone: sharing a teacher's
//! pass with other runs is a gift of the machine, not of the arm.

use crate::model::Config;
use crate::ops::{Constraint, CriticSettings, critic_flops};
use crate::plan::run::{BalanceSpec, CriticSpec, Lipschitz, Matching, RunSpec, Term, TrainSpec};
use crate::record::evaluation::TrainingCost;

/// The cost of training a language model on its own, without a teacher.
pub fn plain_training(config: &Config, train: &TrainSpec) -> TrainingCost {
    let tokens = tokens(train);
    TrainingCost {
        student_flops: 3.0 * config.forward_flops_per_token(train.context) * tokens as f64,
        teacher_flops: 0.0,
        critic_flops: 0.0,
        tokens,
    }
}

/// The cost of a run: its student forward and backward with the projections, its teacher forward if
/// a term needs one, its critics.
pub fn distillation(spec: &RunSpec, student: &Config, teacher: &Config) -> TrainingCost {
    let train = &spec.train;
    let micro_batch = (train.batch * train.context) as f64;
    let micro_batches = train.steps as f64 * train.accumulate as f64;
    let pairs = match &spec.matching {
        Matching::Pairs { pairs } => pairs.len(),
        Matching::Random { .. } => student.layers,
    } as f64;
    let pass = 3.0 * student.forward_flops_per_token(train.context) * micro_batch;
    let teacher_pass = teacher.forward_flops_per_token(train.context) * micro_batch;
    let projections = if student.width == teacher.width {
        0.0
    } else {
        3.0 * 2.0 * (student.width * teacher.width) as f64 * micro_batch * pairs
    };

    let hidden = spec.loss.values().filter(|term| term.is_hidden()).count() as f64;
    let needs_teacher = spec.loss.values().any(Term::needs_teacher);
    let mut student_flops = micro_batches * (pass + hidden * projections);
    let mut teacher_flops = if needs_teacher {
        micro_batches * teacher_pass
    } else {
        0.0
    };
    let mut critic_flops = 0.0;
    for critic in spec.loss.values().filter_map(Term::critic) {
        let flops = self::critic_flops(
            &settings(critic, teacher.width),
            train.batch * train.context,
        );
        critic_flops += pairs
            * (train.steps as f64 * critic.steps as f64 * flops.update
                + micro_batches * flops.term);
    }
    if let BalanceSpec::Gradient { batches, .. } = &spec.balance
        && hidden > 0.0
    {
        // One forward and backward pass for the reference and for every hidden term on each batch;
        // critics warm up before, on the states of one more forward pass.
        let batches = *batches as f64;
        let warm_up = if spec.loss.values().any(|term| term.critic().is_some()) {
            pass / 3.0
        } else {
            0.0
        };
        student_flops += batches * ((1.0 + hidden) * pass + hidden * projections + warm_up);
        teacher_flops += batches * teacher_pass;
        for critic in spec.loss.values().filter_map(Term::critic) {
            let flops = self::critic_flops(
                &settings(critic, teacher.width),
                train.batch * train.context,
            );
            critic_flops += pairs * (critic.warmup as f64 * flops.update + batches * flops.term);
        }
    }
    TrainingCost {
        student_flops,
        teacher_flops,
        critic_flops,
        tokens: tokens(train),
    }
}

/// Tokens predicted in all steps.
fn tokens(train: &TrainSpec) -> u64 {
    train.steps * (train.batch * train.context * train.accumulate) as u64
}

/// The critic's shape on vectors of the teacher's width.
fn settings(critic: &CriticSpec, input: usize) -> CriticSettings {
    let constraint = match critic.lipschitz {
        Lipschitz::GradientPenalty => Constraint::GradientPenalty(critic.penalty.unwrap_or(0.0)),
        Lipschitz::Spectral => Constraint::Spectral,
        Lipschitz::Clip => Constraint::Clip(critic.clip.unwrap_or(0.0)),
    };
    CriticSettings {
        input,
        width: critic.width,
        depth: critic.depth,
        slope: critic.slope,
        constraint,
        lr: critic.lr,
        betas: critic.betas,
    }
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;
