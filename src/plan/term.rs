//! The loss terms of a run and their critics, as resolved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run::Betas;
use super::schedule::Schedule;

/// One named loss term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum Term {
    /// Cross-entropy with the next token of the text.
    #[serde(rename = "lm")]
    Lm {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
    },
    /// τ² times the Kullback–Leibler divergence of the predictions at temperature τ.
    #[serde(rename = "logits.kl")]
    LogitsKl {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// τ, above 0, by step.
        #[serde(default = "one")]
        temperature: Schedule,
        /// Which of the two divergences.
        #[serde(default)]
        direction: Direction,
    },
    /// Mean squared difference of matched hidden states.
    #[serde(rename = "hidden.mse")]
    HiddenMse {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
        /// Divides both states by their norm and sums over coordinates (PKD, 2 − 2 cos).
        #[serde(default)]
        normalize: bool,
    },
    /// Mean of 1 − cos of matched hidden states (DistilBERT).
    #[serde(rename = "hidden.cosine")]
    HiddenCosine {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
    },
    /// Wasserstein-1 distance of matched hidden states by its dual, with a learned critic.
    #[serde(rename = "hidden.wasserstein")]
    HiddenWasserstein {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
        /// The critic; every matched student layer has one of its own.
        #[serde(default)]
        critic: CriticSpec,
    },
}

fn one() -> Schedule {
    Schedule::Constant(1.0)
}

/// Which of the two divergences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// KL(teacher ‖ student).
    #[default]
    Forward,
    /// KL(student ‖ teacher).
    Reverse,
}

/// Which hidden states are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateForm {
    /// The states as they are.
    #[default]
    Raw,
    /// Both normalised per token to mean 0 and variance 1 (eps 1e-5, no affine), the student's
    /// after its projection.
    Layernorm,
}

/// The critic of a Wasserstein term: an MLP on single token vectors, trained by Adam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CriticSpec {
    /// Width of its hidden layers.
    #[schemars(range(min = 1, max = 65536))]
    pub width: usize,
    /// Hidden layers.
    #[schemars(range(min = 1, max = 16))]
    pub depth: usize,
    /// Updates of the critic in every step of the student.
    #[schemars(range(min = 1, max = 1000))]
    pub steps: usize,
    /// Slope of the leaky ReLU below 0.
    #[schemars(range(min = 0, max = 1))]
    pub slope: f64,
    /// What keeps it Lipschitz.
    pub lipschitz: Lipschitz,
    /// λ of the gradient penalty; used with `lipschitz = "gradient-penalty"` only, where it is 10
    /// if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub penalty: Option<f64>,
    /// Bound of every parameter; used with `lipschitz = "clip"` only, where it is 0.01 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub clip: Option<f64>,
    /// Learning rate of its Adam.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub lr: f64,
    /// Decay rates of its Adam's two moments.
    #[schemars(with = "Betas")]
    pub betas: [f64; 2],
    /// Updates on the first batches before training, taken with `balance.mode = "gradient"`.
    #[schemars(range(max = 1_000_000))]
    pub warmup: usize,
}

impl Default for CriticSpec {
    fn default() -> Self {
        Self {
            width: 256,
            depth: 2,
            steps: 5,
            slope: 0.2,
            lipschitz: Lipschitz::GradientPenalty,
            penalty: None,
            clip: None,
            lr: 1e-4,
            betas: [0.0, 0.9],
            warmup: 100,
        }
    }
}

/// What keeps a critic Lipschitz.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lipschitz {
    /// λ times the mean of (‖∇f‖ − 1)² between the clouds (arXiv 1704.00028).
    GradientPenalty,
    /// Every weight divided by its largest singular value (arXiv 1802.05957).
    Spectral,
    /// Every parameter within ±`clip` (arXiv 1701.07875); the distance then has an unknown factor.
    Clip,
}

impl Lipschitz {
    /// The word that the spec writes.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradientPenalty => "gradient-penalty",
            Self::Spectral => "spectral",
            Self::Clip => "clip",
        }
    }

    /// Whether the critic's slope is held to 1, so that its estimate is a distance. Clipped
    /// parameters bound the slope by a number that nobody knows.
    pub fn is_one_lipschitz(self) -> bool {
        match self {
            Self::GradientPenalty | Self::Spectral => true,
            Self::Clip => false,
        }
    }

    /// Whether an update also differentiates the critic's gradient.
    pub fn has_gradient_penalty(self) -> bool {
        match self {
            Self::GradientPenalty => true,
            Self::Spectral | Self::Clip => false,
        }
    }
}

/// What a term looks at. Everything that other modules ask about a term follows from this, so that
/// a new kind of loss is told apart here once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Comparison<'a> {
    /// Predictions, which the loss computes from final states and the head's weights.
    Logits(LogitLoss<'a>),
    /// Hidden states of the pairs that `[match]` gives.
    Hidden(HiddenLoss<'a>),
}

/// A loss of predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LogitLoss<'a> {
    /// Cross-entropy with the text.
    Lm,
    /// τ² times a divergence from the teacher's predictions.
    Kl {
        temperature: &'a Schedule,
        direction: Direction,
    },
}

/// A loss of hidden states: what is done to both states first, and how they are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HiddenLoss<'a> {
    pub states: StateForm,
    pub distance: HiddenDistance<'a>,
}

/// How two clouds of hidden states are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HiddenDistance<'a> {
    /// Mean squared difference, of unit vectors where `normalize` says so.
    Mse { normalize: bool },
    /// Mean of 1 − cos.
    Cosine,
    /// Wasserstein-1, as the critic sees it.
    Wasserstein(&'a CriticSpec),
}

impl<'a> HiddenDistance<'a> {
    /// The critic that is trained for it, if it takes one.
    pub fn critic(self) -> Option<&'a CriticSpec> {
        match self {
            Self::Mse { .. } | Self::Cosine => None,
            Self::Wasserstein(critic) => Some(critic),
        }
    }
}

impl Term {
    /// The weight's schedule, which every kind has.
    pub fn weight(&self) -> &Schedule {
        match self {
            Self::Lm { weight }
            | Self::LogitsKl { weight, .. }
            | Self::HiddenMse { weight, .. }
            | Self::HiddenCosine { weight, .. }
            | Self::HiddenWasserstein { weight, .. } => weight,
        }
    }

    /// What the term compares, and how.
    pub fn comparison(&self) -> Comparison<'_> {
        let (states, distance) = match self {
            Self::Lm { weight: _ } => return Comparison::Logits(LogitLoss::Lm),
            Self::LogitsKl {
                weight: _,
                temperature,
                direction,
            } => {
                return Comparison::Logits(LogitLoss::Kl {
                    temperature,
                    direction: *direction,
                });
            }
            Self::HiddenMse {
                weight: _,
                states,
                normalize,
            } => (
                states,
                HiddenDistance::Mse {
                    normalize: *normalize,
                },
            ),
            Self::HiddenCosine { weight: _, states } => (states, HiddenDistance::Cosine),
            Self::HiddenWasserstein {
                weight: _,
                states,
                critic,
            } => (states, HiddenDistance::Wasserstein(critic)),
        };
        Comparison::Hidden(HiddenLoss {
            states: *states,
            distance,
        })
    }

    /// The loss, if it is one of predictions.
    pub fn logits(&self) -> Option<LogitLoss<'_>> {
        match self.comparison() {
            Comparison::Logits(loss) => Some(loss),
            Comparison::Hidden(_) => None,
        }
    }

    /// The loss, if it is one of hidden states.
    pub fn hidden(&self) -> Option<HiddenLoss<'_>> {
        match self.comparison() {
            Comparison::Logits(_) => None,
            Comparison::Hidden(loss) => Some(loss),
        }
    }

    /// Whether the term compares hidden states of matched layers. Those are the terms that
    /// `[balance]` scales, and that are projected to the teacher's width.
    pub fn is_hidden(&self) -> bool {
        self.hidden().is_some()
    }

    /// Whether the term compares predictions with the teacher's.
    pub fn compares_logits(&self) -> bool {
        match self.comparison() {
            Comparison::Logits(LogitLoss::Lm) | Comparison::Hidden(_) => false,
            Comparison::Logits(LogitLoss::Kl { .. }) => true,
        }
    }

    /// Whether the term takes anything from the teacher.
    pub fn needs_teacher(&self) -> bool {
        self.is_hidden() || self.compares_logits()
    }

    /// The schedule of its temperature, if it has one.
    pub fn temperature(&self) -> Option<&Schedule> {
        match self.logits()? {
            LogitLoss::Lm => None,
            LogitLoss::Kl { temperature, .. } => Some(temperature),
        }
    }

    /// What its value is divided by to be in nats per token, at a step's temperature; none where
    /// the value is in a unit of its own.
    pub fn nats_scale(&self, temperature: Option<f64>) -> Option<f64> {
        match self.comparison() {
            Comparison::Logits(LogitLoss::Lm) => Some(1.0),
            Comparison::Logits(LogitLoss::Kl { .. }) => temperature.map(|tau| tau.powi(2)),
            Comparison::Hidden(_) => None,
        }
    }

    /// Its critic, if it takes one.
    pub fn critic(&self) -> Option<&CriticSpec> {
        self.hidden()?.distance.critic()
    }

    /// Its critic, to be changed.
    pub fn critic_mut(&mut self) -> Option<&mut CriticSpec> {
        match self {
            Self::HiddenWasserstein { critic, .. } => Some(critic),
            Self::Lm { .. }
            | Self::LogitsKl { .. }
            | Self::HiddenMse { .. }
            | Self::HiddenCosine { .. } => None,
        }
    }
}

#[cfg(test)]
#[path = "term_tests.rs"]
mod tests;
