//! The critic of a loss, as resolved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run::Betas;

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
