//! The objective of a run: a weighted sum of named terms, and what each step makes of them.

use std::collections::BTreeMap;

use super::pairs::{Matched, pairs_at};
use crate::model::Config;
use crate::plan::run::{HiddenState, Matching, RunSpec, Term, TokenPairing};
use crate::plan::schedule::Schedule;
use crate::random::Seed;

/// Values of a step by name: `loss`, `term.<name>`, `weight.<name>`, …
pub type NamedValues = BTreeMap<String, f64>;

/// The terms of a run and what they compare.
#[derive(Debug, Clone)]
pub struct Objective {
    /// Enabled terms by name; the order of names is the order of every sum.
    pub terms: BTreeMap<String, Term>,
    pub matching: Matching,
    pub student_layers: usize,
    /// 0 without a teacher.
    pub teacher_layers: usize,
    pub seed: Seed,
    /// Steps of the whole run, for schedules.
    pub total_steps: u64,
}

/// Everything about a step that its number decides.
#[derive(Debug, Clone)]
pub struct StepSettings {
    pub step: u64,
    /// By term, as scheduled (without balance).
    pub weights: NamedValues,
    /// By term that has one.
    pub temperatures: NamedValues,
    /// Each with what it is compared with.
    pub pairs: Vec<(HiddenState, Matched)>,
}

impl Objective {
    /// The objective of a resolved run.
    pub fn new(spec: &RunSpec, student: &Config, teacher: &Config) -> Self {
        Self {
            terms: spec.loss.clone(),
            matching: spec.matching.clone(),
            student_layers: student.layers,
            teacher_layers: teacher.layers,
            seed: Seed::Run(spec.seed),
            total_steps: spec.train.steps,
        }
    }

    /// Plain language modelling, as a teacher is trained: the one term `lm`.
    pub fn language_model(config: &Config, seed: Seed, total_steps: u64) -> Self {
        Self {
            terms: BTreeMap::from([(
                "lm".to_owned(),
                Term::Lm {
                    weight: Schedule::Constant(1.0),
                },
            )]),
            matching: Matching::Pairs {
                pairs: Vec::new(),
                tokens: TokenPairing::Paired,
            },
            student_layers: config.layers,
            teacher_layers: 0,
            seed,
            total_steps,
        }
    }

    /// Whether any term compares predictions with the teacher's.
    pub fn compares_logits(&self) -> bool {
        self.terms.values().any(Term::compares_logits)
    }

    /// Whether any term needs the teacher.
    pub fn needs_teacher(&self) -> bool {
        self.terms.values().any(Term::needs_teacher)
    }

    fn has_hidden(&self) -> bool {
        self.terms.values().any(Term::is_hidden)
    }

    /// Every student state that a hidden term may compare during the run.
    pub fn student_states(&self) -> Vec<HiddenState> {
        if !self.has_hidden() {
            return Vec::new();
        }
        match &self.matching {
            Matching::Pairs { pairs, .. } => {
                let mut states: Vec<HiddenState> =
                    pairs.iter().map(|&(student, _)| student).collect();
                states.sort_unstable();
                states.dedup();
                states
            }
            Matching::Random { .. } | Matching::Attention { .. } | Matching::Combine { .. } => {
                (1..=self.student_layers).map(HiddenState::Layer).collect()
            }
        }
    }

    /// The weights, temperatures and pairs of `step`, which lies in `epoch` of the data.
    pub fn at(&self, step: u64, epoch: u64) -> StepSettings {
        let mut settings = StepSettings {
            step,
            weights: NamedValues::new(),
            temperatures: NamedValues::new(),
            pairs: Vec::new(),
        };
        for (name, term) in &self.terms {
            settings
                .weights
                .insert(name.clone(), term.weight().at(step, self.total_steps));
            if let Some(temperature) = term.temperature() {
                settings
                    .temperatures
                    .insert(name.clone(), temperature.at(step, self.total_steps));
            }
        }
        if self.has_hidden() {
            settings.pairs = pairs_at(
                &self.matching,
                self.student_layers,
                self.teacher_layers,
                self.seed,
                step,
                epoch,
            );
        }
        settings
    }
}
