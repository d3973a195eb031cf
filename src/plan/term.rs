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

    /// The name of the kind as the spec writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lm { .. } => "lm",
            Self::LogitsKl { .. } => "logits.kl",
            Self::HiddenMse { .. } => "hidden.mse",
            Self::HiddenCosine { .. } => "hidden.cosine",
            Self::HiddenWasserstein { .. } => "hidden.wasserstein",
        }
    }

    /// Whether the term compares hidden states of matched layers.
    pub fn is_hidden(&self) -> bool {
        match self {
            Self::Lm { .. } | Self::LogitsKl { .. } => false,
            Self::HiddenMse { .. } | Self::HiddenCosine { .. } | Self::HiddenWasserstein { .. } => {
                true
            }
        }
    }
}
