//! What a loss term compares, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::critic::CriticSpec;
use super::schedule::Schedule;

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
        skew: f64,
    },
    /// τ² times the Jensen–Shannon divergence.
    Js { temperature: &'a Schedule },
    /// Total variation.
    Tv { temperature: &'a Schedule },
    /// Mean squared difference of the logits.
    Mse,
    /// Σ of absolute differences of sorted probabilities.
    Wasserstein { temperature: &'a Schedule },
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
    /// A distance of the two clouds of a micro-batch's states.
    Cloud(CloudLoss),
    /// KL of what both models' heads read in the states.
    Lens { temperature: &'a Schedule },
    /// KL of where both models' layers look: of their attention, not of the states behind it.
    Attention,
}

/// A distance of two clouds of states that learns nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CloudLoss {
    /// Sorted along random directions.
    SlicedWasserstein { directions: usize },
    /// Energy distance.
    Energy { tokens: usize },
    /// Maximum mean discrepancy.
    Mmd { tokens: usize },
    /// Of normal distributions.
    GaussianW2,
    /// Entropic transport.
    Sinkhorn {
        tokens: usize,
        epsilon: f64,
        iterations: usize,
    },
    /// 1 − linear CKA.
    Cka,
}

impl CloudLoss {
    /// How many tokens are compared at most; none where it takes all.
    pub fn tokens(self) -> Option<usize> {
        match self {
            Self::Energy { tokens } | Self::Mmd { tokens } | Self::Sinkhorn { tokens, .. } => {
                Some(tokens)
            }
            Self::SlicedWasserstein { .. } | Self::GaussianW2 | Self::Cka => None,
        }
    }
}

impl From<CloudLoss> for HiddenDistance<'_> {
    fn from(loss: CloudLoss) -> Self {
        Self::Cloud(loss)
    }
}

impl<'a> HiddenDistance<'a> {
    /// The critic that is trained for it, if it takes one.
    pub fn critic(self) -> Option<&'a CriticSpec> {
        match self {
            Self::Mse { .. }
            | Self::Cosine
            | Self::Cloud(_)
            | Self::Lens { .. }
            | Self::Attention => None,
            Self::Wasserstein(critic) => Some(critic),
        }
    }

    /// Whether it matters to it which token is compared with which: what it says of shuffled tokens
    /// is another number then. Clouds are the same in any order.
    pub fn sees_pairs(self) -> bool {
        match self {
            Self::Mse { .. } | Self::Cosine | Self::Lens { .. } | Self::Attention => true,
            Self::Cloud(loss) => loss == CloudLoss::Cka,
            Self::Wasserstein(_) => false,
        }
    }

    /// Whether states of another width than the teacher's pass through a projection.
    pub fn is_projected(self) -> bool {
        match self {
            Self::Mse { .. } | Self::Cosine | Self::Wasserstein(_) => true,
            Self::Cloud(loss) => loss != CloudLoss::Cka,
            Self::Lens { .. } | Self::Attention => false,
        }
    }
}
