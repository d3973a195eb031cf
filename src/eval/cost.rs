//! What a training took, as an evaluation records it, so that arms of different cost can be put on
//! one axis. A run's cost is that of the run alone: sharing a teacher's pass with other runs is a
//! gift of the machine, not of the arm.

use crate::cost::TrainingFlops;
use crate::model::Config;
use crate::plan::run::{RunSpec, TrainSpec};
use crate::plan::{distillation_work, training_steps};
use crate::record::evaluation::TrainingCost;

/// The cost of training a language model on its own, without a teacher.
pub fn plain_training(config: &Config, train: &TrainSpec) -> TrainingCost {
    let tokens = training_steps(train).tokens();
    TrainingCost {
        student_flops: config.shape().training_flops(train.context) * tokens,
        teacher_flops: 0.0,
        critic_flops: 0.0,
        tokens: tokens as u64,
    }
}

/// The cost of a run: its student forward and backward with the projections, its teacher forward if
/// a term needs one, its critics, and measuring the balance before training.
pub fn distillation(spec: &RunSpec, student: &Config, teacher: &Config) -> TrainingCost {
    let work = distillation_work(spec, student.shape(), Some(teacher.shape()));
    let TrainingFlops {
        student,
        teacher,
        critics,
    } = work.flops();
    TrainingCost {
        student_flops: student,
        teacher_flops: teacher,
        critic_flops: critics,
        tokens: work.steps.tokens() as u64,
    }
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;
