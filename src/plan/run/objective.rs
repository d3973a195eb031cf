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
    },
    /// Redrawn during training: L_s of the teacher's 1 … L_t, sorted; at every epoch, or every
    /// `redraw` steps.
    Random {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redraw: Option<u64>,
    },
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
