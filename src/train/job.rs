//! What is to be trained, whether a student or a teacher.

use crate::distill::Objective;
use crate::model::Config;
use crate::ops::Precision;
use crate::plan::run::{self, BalanceSpec, RunSpec, TrainSpec};
use crate::random::Seed;

/// What the products of a model are computed in, once the plan has found out what this machine has.
pub fn of_products(precision: run::PrecisionSpec) -> Precision {
    match precision {
        run::PrecisionSpec::F32 => Precision::F32,
        run::PrecisionSpec::Tf32 => Precision::Tf32,
        run::PrecisionSpec::Bf16 => Precision::Bf16,
        run::PrecisionSpec::Tf32OrF32 | run::PrecisionSpec::Bf16OrF32 => {
            unreachable!("the plan resolves it")
        }
    }
}

/// One training.
#[derive(Debug, Clone)]
pub struct Job {
    /// Decides initial weights, data order, and every other draw.
    pub seed: Seed,
    pub config: Config,
    pub objective: Objective,
    pub balance: BalanceSpec,
    pub train: TrainSpec,
}

impl Job {
    /// The training of a resolved run's student.
    pub fn distillation(spec: &RunSpec, student: Config, teacher: &Config) -> Self {
        let objective = Objective::new(spec, &student, teacher);
        Self {
            seed: Seed::Run(spec.seed),
            config: student,
            objective,
            balance: spec.balance.clone(),
            train: spec.train.clone(),
        }
    }

    /// The training of a teacher: plain language modelling.
    pub fn language_model(config: Config, seed: Seed, train: &TrainSpec) -> Self {
        let objective = Objective::language_model(&config, seed, train.steps);
        Self {
            seed,
            config,
            objective,
            balance: BalanceSpec::None,
            train: train.clone(),
        }
    }

    /// Whether a step, counted from 0, looks at the gradient of every term by itself.
    pub fn measures_gradients(&self, step: u64) -> bool {
        let every = self.train.gradients_every;
        self.objective.terms.len() > 1 && every.is_some_and(|every| step.is_multiple_of(every))
    }

    /// Tokens predicted in one step.
    pub fn tokens_per_step(&self) -> u64 {
        (self.train.batch * self.train.accumulate * self.train.context) as u64
    }
}
