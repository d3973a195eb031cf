//! The resolved form of one run: complete, so that nothing after `spec` fills in a default. Only this form travels; the written form (layers, arms, grid) ends at `spec`.
//!
//! The same structs, serialised, are a run's `spec.toml`, which is itself a valid spec.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::path::InputPath;
use super::schedule::{Schedule, Span};

/// Everything that determines one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    pub seed: u64,
    pub dataset: Dataset,
    pub tokenizer: Tokenizer,
    pub teacher: Teacher,
    pub student: Student,
    #[serde(rename = "match")]
    pub matching: Matching,
    /// The enabled terms by name.
    pub loss: BTreeMap<String, Term>,
    pub balance: Balance,
    pub train: Train,
    pub evaluate: Evaluate,
}

/// Where text comes from, and how its three splits are cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Dataset {
    /// Text from the embedded grammar: each split is documents until the words are reached.
    Synthetic {
        seed: u64,
        train_words: u64,
        validation_words: u64,
        test_words: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        train_tokens: Option<u64>,
    },
    /// Text files; each file is one document.
    Text {
        train: Vec<InputPath>,
        validation: Vec<InputPath>,
        test: Vec<InputPath>,
        detokenize: Detokenize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        train_tokens: Option<u64>,
    },
    /// Parquet files with a text column.
    Parquet {
        train: Vec<InputPath>,
        validation: Vec<InputPath>,
        test: Vec<InputPath>,
        column: String,
        rows: Rows,
        detokenize: Detokenize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        train_tokens: Option<u64>,
    },
    /// A dataset of the hub.
    Hub {
        repo: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config: Option<String>,
        revision: String,
        train: String,
        validation: String,
        test: String,
        column: String,
        rows: Rows,
        detokenize: Detokenize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        train_tokens: Option<u64>,
    },
}

/// What a row of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// Rows are lines of one stream, joined unchanged (WikiText).
    Lines,
    /// Every row is a document.
    Documents,
}

/// What is undone in the text before it is tokenized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detokenize {
    /// The text stays as it is.
    None,
    /// WikiText's spaced punctuation and ` @-@ ` are joined again.
    Wikitext,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tokenizer {
    /// A byte-level BPE trained on the training split.
    Train {
        vocab_size: usize,
    },
    /// A folder with tokenizer.json.
    Dir {
        path: InputPath,
    },
    Hub {
        repo: String,
        revision: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Teacher {
    /// Trained once as a plain language model, kept in the cache and shared.
    Train {
        layers: usize,
        width: usize,
        heads: usize,
        seed: u64,
        train: Box<Train>,
    },
    /// A folder with config.json and model.safetensors.
    Dir {
        path: InputPath,
    },
    Hub {
        repo: String,
        revision: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Student {
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub init: Init,
    /// The teacher's block for every student block; used with `init = "teacher"` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_blocks: Option<InitBlocks>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_dir: Option<InputPath>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// The initialisation of the GPT-2 paper.
    Random,
    /// Blocks, embeddings and final norm of the teacher.
    Teacher,
    /// The weights of `init_dir`.
    Dir,
}

/// Teacher blocks, counted from 0, that the student's blocks start from. Always a list once resolved with the teacher's facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InitBlocks {
    Named(String),
    List(Vec<usize>),
}

/// Which teacher state a student state is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Matching {
    /// Fixed pairs (student, teacher).
    Pairs { pairs: Vec<(State, State)> },
    /// Redrawn during training: L_s of the teacher's 1 … L_t, sorted; at every epoch, or every `redraw` steps.
    Random {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redraw: Option<u64>,
    },
}

/// A hidden state: 0 is the embedding sum, i the residual stream after block i (from 1), `final` is after ln_f.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Layer(usize),
    Final,
}

/// One named loss term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum Term {
    #[serde(rename = "lm")]
    Lm { weight: Schedule },
    #[serde(rename = "logits.kl")]
    LogitsKl { weight: Schedule, temperature: Schedule, direction: Direction },
    #[serde(rename = "hidden.mse")]
    HiddenMse { weight: Schedule, states: States, normalize: bool },
    #[serde(rename = "hidden.cosine")]
    HiddenCosine { weight: Schedule, states: States },
    #[serde(rename = "hidden.wasserstein")]
    HiddenWasserstein { weight: Schedule, states: States, critic: Critic },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// KL(teacher ‖ student).
    Forward,
    /// KL(student ‖ teacher).
    Reverse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum States {
    /// The states as they are.
    Raw,
    /// Both normalised per token to mean 0 and variance 1 (eps 1e-5, no affine), the student's after its projection.
    Layernorm,
}

/// The critic of a Wasserstein term: an MLP on single token vectors, trained by Adam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Critic {
    pub width: usize,
    pub depth: usize,
    pub steps: usize,
    pub slope: f64,
    pub lipschitz: Lipschitz,
    /// λ of the gradient penalty; used with `lipschitz = "gradient-penalty"` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// Bound of every parameter; used with `lipschitz = "clip"` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    pub lr: f64,
    pub betas: [f64; 2],
    pub warmup: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lipschitz {
    GradientPenalty,
    Spectral,
    Clip,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Balance {
    None,
    /// Hidden terms are scaled once, before training, to the gradient norm of the reference term.
    Gradient {
        batches: usize,
        reference: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    pub steps: u64,
    /// Sequences of a micro-batch.
    pub batch: usize,
    /// Tokens of a sequence.
    pub context: usize,
    /// Micro-batches of a step.
    pub accumulate: usize,
    pub shuffle: bool,
    pub lr: LearningRate,
    pub betas: [f64; 2],
    pub eps: f64,
    pub weight_decay: f64,
    pub clip: f64,
    pub keep: Keep,
    pub checkpoint_every: u64,
    pub evaluate_every: u64,
}

/// Linear warm-up to `peak`, then decay to `floor`·peak at the last step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningRate {
    pub peak: f64,
    pub warmup: Span,
    pub decay: Decay,
    /// A share of `peak`, as "10%".
    pub floor: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    Cosine,
    Linear,
    Constant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    Last,
    /// The weights of the lowest validation loss.
    Best,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    pub context: usize,
    pub stride: usize,
    pub samples: Samples,
    /// Tokens of the test split whose hidden states are compared (CKA, sliced W2).
    pub probe_tokens: usize,
    /// Random directions of sliced W2.
    pub directions: usize,
    /// Tokens of the t-SNE, at most `probe_tokens`; 0 draws none.
    pub embed_tokens: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    pub prompts: usize,
    pub tokens: usize,
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
            Self::HiddenMse { .. } | Self::HiddenCosine { .. } | Self::HiddenWasserstein { .. } => true,
        }
    }
}

impl Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Layer(layer) => serializer.serialize_u64(*layer as u64),
            Self::Final => serializer.serialize_str("final"),
        }
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = State;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a layer number or \"final\"")
            }
            fn visit_i64<E: serde::de::Error>(self, layer: i64) -> Result<State, E> {
                usize::try_from(layer).map(State::Layer).map_err(|_| E::custom("a layer number is 0 or more"))
            }
            fn visit_u64<E: serde::de::Error>(self, layer: u64) -> Result<State, E> {
                Ok(State::Layer(layer as usize))
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<State, E> {
                if name == "final" { Ok(State::Final) } else { Err(E::custom("a layer is a number or \"final\"")) }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Layer(layer) => write!(f, "{layer}"),
            Self::Final => f.write_str("final"),
        }
    }
}
