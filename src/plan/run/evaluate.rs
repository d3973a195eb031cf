//! How a finished model is measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How finished models are measured. Changing it evaluates stored weights again and trains nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateSpec {
    /// Tokens of a window of the perplexity.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub context: usize,
    /// Tokens between the starts of two windows, at most `context`.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub stride: usize,
    /// Continuations, the teacher's beside the student's.
    pub samples: SamplesSpec,
    /// Tokens of the test split whose hidden states are compared (CKA, sliced W2).
    #[schemars(range(min = 2, max = 1_000_000))]
    pub probe_tokens: usize,
    /// Random directions of sliced W2.
    #[schemars(range(min = 1, max = 100_000))]
    pub directions: usize,
    /// Tokens of the t-SNE, at most `probe_tokens`; 0 draws none.
    #[schemars(range(max = 100_000))]
    pub embed_tokens: usize,
    /// Tokens of each of two samples over the whole test split, on which it is measured whether a
    /// student's states came closer to its teacher's; 0 measures nothing.
    #[serde(default = "treatment_tokens", skip_serializing_if = "is_usual")]
    #[schemars(range(max = 4096))]
    pub treatment_tokens: usize,
}

/// What stands in no record, so that those of builds which did not know it are of this one, too.
fn treatment_tokens() -> usize {
    1024
}

fn is_usual(tokens: &usize) -> bool {
    *tokens == treatment_tokens()
}

/// Continuations that the report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplesSpec {
    /// Prompts from the test split; 0 for none.
    #[schemars(range(max = 1000))]
    pub prompts: usize,
    /// New tokens of each.
    #[schemars(range(min = 1, max = 100_000))]
    pub tokens: usize,
}
