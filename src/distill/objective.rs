//! The objective of a run: a weighted sum of named terms, and what each step makes of them.

use std::collections::BTreeMap;

use super::pairs::{Matched, pairs_at};
use crate::model::{Config, ToKeep};
use crate::plan::run::{HiddenDistance, HiddenState, Matching, RunSpec, Term, TokenPairing};
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
            Matching::Random { .. }
            | Matching::Attention { .. }
            | Matching::Combine { .. }
            | Matching::Emd { .. } => (1..=self.student_layers).map(HiddenState::Layer).collect(),
        }
    }

    /// What the student's pass has to keep for a step.
    pub fn kept_of_student(&self, settings: &StepSettings) -> ToKeep {
        self.kept(settings.pairs.iter().map(|(own, _)| *own))
    }

    /// What the teacher's pass has to keep for a step.
    pub fn kept_of_teacher(&self, settings: &StepSettings) -> ToKeep {
        let of_pairs = settings.pairs.iter();
        self.kept(of_pairs.flat_map(|(_, matched)| matched.states().iter().copied()))
    }

    /// Of matched states: themselves where a term compares states, and the attention before them
    /// where one compares that.
    fn kept(&self, matched: impl Iterator<Item = HiddenState>) -> ToKeep {
        let mut matched: Vec<HiddenState> = matched.collect();
        matched.sort_unstable();
        matched.dedup();
        let of_terms = |is_attention: bool| {
            let distances = self
                .terms
                .values()
                .filter_map(|term| Some(term.hidden()?.distance));
            let mut found = distances.map(|distance| distance == HiddenDistance::Attention);
            if found.any(|found| found == is_attention) {
                matched.clone()
            } else {
                Vec::new()
            }
        };
        ToKeep {
            states: of_terms(false),
            attention: of_terms(true),
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
