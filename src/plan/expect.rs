//! `[expect]`: what a run of the study in CI must reach. As it is written it is complete, so it
//! travels in the plan unchanged.

use schemars::JsonSchema;
use serde::Deserialize;

/// What must come out.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// Perplexities on the test split that must not be passed.
    #[serde(default)]
    pub perplexity: Vec<ExpectedPerplexity>,
    /// Arms whose mean loss must be below another's, over runs that differ in nothing else.
    #[serde(default)]
    pub better: Vec<ExpectedOrder>,
}

/// A perplexity that every cell of an arm stays below.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPerplexity {
    /// The arm; absent, every cell.
    #[serde(default)]
    pub arm: Option<String>,
    /// Largest perplexity that passes.
    #[schemars(range(min = 1))]
    pub at_most: f64,
}

/// Two arms in the order of their losses.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedOrder {
    /// The arm with the lower loss.
    pub arm: String,
    /// The arm with the higher loss.
    pub than: String,
}
