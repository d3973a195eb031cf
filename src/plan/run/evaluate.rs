//! How a finished model is measured.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::path::InputPath;

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
    /// Tokens whose hidden states are compared (CKA, sliced W2), in windows of `context` over the
    /// whole test split.
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
    /// What models are asked beside the loss, by names of one's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<String, TaskSpec>,
}

/// Items that every model is asked: pairs of a right and a wrong text, or texts whose last word is
/// to be found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TaskSpec {
    /// Pairs cut from stories of the embedded grammar that no split has: agreement, the same across
    /// a clause, pronouns, things that come again.
    Grammar {
        /// Pairs of each phenomenon.
        #[schemars(range(min = 1, max = 10_000))]
        items: usize,
    },
    /// Pairs in BLiMP's form, a line of JSON each: `sentence_good`, `sentence_bad`, and
    /// `linguistics_term`, `phenomenon` or `UID` for what it is about.
    Pairs {
        /// Files of JSON lines; globs.
        #[schemars(length(min = 1))]
        files: Vec<InputPath>,
    },
    /// Texts in LAMBADA's form, a line of JSON each with `text`, whose last word is to be found.
    Cloze {
        /// Files of JSON lines; globs.
        #[schemars(length(min = 1))]
        files: Vec<InputPath>,
    },
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
