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
}

impl Matching {
    /// Which tokens are compared.
    pub fn tokens(&self) -> TokenPairing {
        match self {
            Self::Pairs { tokens, .. }
            | Self::Random { tokens, .. }
            | Self::Attention { tokens }
            | Self::Combine { tokens } => *tokens,
        }
    }
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
    /// Hidden terms are scaled once, before training, to the gradient norm of the reference term.
    Gradient {
        /// Batches that the gradient norms are measured on.
        #[serde(default = "balance_batches")]
        #[schemars(range(min = 1, max = 100_000))]
        batches: usize,
        /// Name of an enabled term that is not a hidden one.
        #[serde(default = "balance_reference")]
        reference: String,
    },
}

fn balance_batches() -> usize {
    8
}

fn balance_reference() -> String {
    "kl".to_owned()
}
