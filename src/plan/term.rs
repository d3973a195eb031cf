//! The loss terms of a run, as resolved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparison::{Direction, StateForm};
use super::critic::CriticSpec;
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
        /// α, from 0 to below 1: the share that the first of the two distributions has in the one
        /// it is compared with (DistiLLM takes 0.1); 0 is the plain divergence.
        #[serde(default, skip_serializing_if = "is_zero")]
        #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
        skew: f64,
    },
    /// τ² times the Jensen–Shannon divergence of the predictions at temperature τ.
    #[serde(rename = "logits.js")]
    LogitsJs {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// τ, above 0, by step.
        #[serde(default = "one")]
        temperature: Schedule,
    },
    /// Total variation of the predictions at temperature τ: half the sum of absolute differences.
    #[serde(rename = "logits.tv")]
    LogitsTv {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// τ, above 0, by step.
        #[serde(default = "one")]
        temperature: Schedule,
    },
    /// Mean squared difference of the logits, over tokens and vocabulary.
    #[serde(rename = "logits.mse")]
    LogitsMse {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
    },
    /// Sum of absolute differences of the probabilities at temperature τ in falling order,
    /// whichever tokens they are of (ULD): a contrast to losses that know the tokens.
    #[serde(rename = "logits.wasserstein")]
    LogitsWasserstein {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// τ, above 0, by step.
        #[serde(default = "one")]
        temperature: Schedule,
    },
    /// τ² times KL(teacher ‖ student) of what the heads read in matched hidden states, behind
    /// the final norms (logit lens). The head gets no gradient.
    #[serde(rename = "logits.lens")]
    LogitsLens {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// τ, above 0, by step.
        #[serde(default = "one")]
        temperature: Schedule,
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
    /// Squared sliced 2-Wasserstein distance of matched hidden states: along random directions,
    /// drawn at every step, what is sorted is compared.
    #[serde(rename = "hidden.sliced-wasserstein")]
    HiddenSlicedWasserstein {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
        /// Directions of a step.
        #[serde(default = "directions")]
        #[schemars(range(min = 1, max = 65536))]
        directions: usize,
    },
    /// Energy distance of matched hidden states, without bias.
    #[serde(rename = "hidden.energy")]
    HiddenEnergy {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
        /// Tokens of a micro-batch that are compared, all with all: a sample, drawn at every step,
        /// where there are more.
        #[serde(default = "paired_tokens")]
        #[schemars(range(min = 2, max = 1_000_000))]
        tokens: usize,
    },
    /// Squared maximum mean discrepancy of matched hidden states, without bias: five RBF kernels
    /// around the median distance.
    #[serde(rename = "hidden.mmd")]
    HiddenMmd {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
        /// Tokens of a micro-batch that are compared, all with all: a sample, drawn at every step,
        /// where there are more.
        #[serde(default = "paired_tokens")]
        #[schemars(range(min = 2, max = 1_000_000))]
        tokens: usize,
    },
    /// Squared 2-Wasserstein distance of normal distributions with the means and covariances of
    /// matched hidden states.
    #[serde(rename = "hidden.gaussian-w2")]
    HiddenGaussianW2 {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
    },
    /// Debiased entropic transport cost between matched hidden states.
    #[serde(rename = "hidden.sinkhorn")]
    HiddenSinkhorn {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
        /// Tokens of a micro-batch that are compared, all with all: a sample, drawn at every step,
        /// where there are more.
        #[serde(default = "transported_tokens")]
        #[schemars(range(min = 2, max = 1_000_000))]
        tokens: usize,
        /// ε, as a share of the median squared distance between the student's and the teacher's
        /// states.
        #[serde(default = "regularisation")]
        #[schemars(range(min = 0.001, max = 1000))]
        epsilon: f64,
        /// Updates of the potentials at most.
        #[serde(default = "iterations")]
        #[schemars(range(min = 1, max = 100_000))]
        iterations: usize,
    },
    /// 1 − linear CKA of matched hidden states, which may have any two widths: nothing is
    /// projected.
    #[serde(rename = "hidden.cka")]
    HiddenCka {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
        /// Which hidden states are compared.
        #[serde(default)]
        states: StateForm,
    },
    /// KL(teacher ‖ student) of the attention of matched layers, its mean over heads and queries.
    /// Both models have as many heads.
    #[serde(rename = "attention.kl")]
    AttentionKl {
        /// Factor of the term, 0 or more, by step.
        #[serde(default = "one")]
        weight: Schedule,
    },
}

fn one() -> Schedule {
    Schedule::Constant(1.0)
}

fn directions() -> usize {
    64
}

fn paired_tokens() -> usize {
    1024
}

fn transported_tokens() -> usize {
    256
}

fn regularisation() -> f64 {
    0.05
}

fn iterations() -> usize {
    100
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

#[cfg(test)]
#[path = "term_tests.rs"]
mod tests;
