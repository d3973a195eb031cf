//! How the terms of the objective are put together: the resolved layer map, and the balance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HiddenState;

/// Which teacher state a student state is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Matching {
    /// Fixed pairs (student, teacher).
    Pairs {
        pairs: Vec<(HiddenState, HiddenState)>,
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Redrawn during training: L_s of the teacher's 1 … L_t, sorted; at every epoch, or every
    /// `redraw` steps.
    Random {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redraw: Option<u64>,
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Each of the student's layers with all of the teacher's, weighted token by token.
    Attention {
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Each of the student's layers with the mean of a run of the teacher's.
    Combine {
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Each of the student's layers with all of the teacher's, by a transport of weights.
    Emd {
        #[serde(default)]
        weights: LayerWeighting,
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
}

impl Matching {
    /// The same map, of these tokens.
    pub fn with_tokens(&self, tokens: TokenPairing) -> Self {
        let mut map = self.clone();
        match &mut map {
            Self::Pairs { tokens: own, .. }
            | Self::Random { tokens: own, .. }
            | Self::Attention { tokens: own }
            | Self::Combine { tokens: own }
            | Self::Emd { tokens: own, .. } => *own = tokens,
        }
        map
    }

    /// Which tokens are compared.
    pub fn tokens(&self) -> TokenPairing {
        match self {
            Self::Pairs { tokens, .. }
            | Self::Random { tokens, .. }
            | Self::Attention { tokens }
            | Self::Combine { tokens }
            | Self::Emd { tokens, .. } => *tokens,
        }
    }
}

/// Weights of layers that a transport between two models goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayerWeighting {
    /// From equal ones on, anew after every step: more for layers that cost less.
    #[default]
    Learned,
    /// Equal ones.
    Uniform,
}

/// Which of a micro-batch's tokens are compared with which, in every hidden term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenPairing {
    /// Each with itself.
    #[default]
    Paired,
    /// Null control of the pairing: the teacher's are permuted, anew at every step.
    Shuffled,
}

impl TokenPairing {
    /// Whether each token is compared with itself.
    pub fn is_paired(&self) -> bool {
        *self == Self::Paired
    }
}

/// How hidden terms are made comparable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum BalanceSpec {
    /// Terms enter with their weights alone.
    None,
    /// Hidden terms are scaled before training, to the gradient norm of the reference term.
    Gradient {
        /// Batches that the gradient norms are measured on.
        #[serde(default = "balance_batches")]
        #[schemars(range(min = 1, max = 100_000))]
        batches: usize,
        /// Name of an enabled term that is not a hidden one.
        #[serde(default = "balance_reference")]
        reference: String,
        /// Steps between two balances; absent, once, before training.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        every: Option<u64>,
    },
}

fn balance_batches() -> usize {
    8
}

fn balance_reference() -> String {
    "kl".to_owned()
}
