//! The resolved form of one run: complete, so that nothing after `plan` fills in a default. Only
//! this form travels; the written form (layers, arms, grid) ends at `plan`.
//!
//! The same structs, serialised, are a run's `spec.toml`, which is itself a valid spec. Their docs,
//! ranges and variant defaults are the schema's (`super::schema`): a key is declared here and
//! nowhere else. Keys that every spec has take their default from `pipelines/default.toml`; the
//! serde defaults here are of keys that only some variants have.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::path::InputPath;
use super::schedule::Span;
pub use super::state::HiddenState;
pub use super::term::{
    Comparison, CriticSpec, Direction, HiddenDistance, HiddenLoss, Lipschitz, LogitLoss, StateForm,
    Term,
};

/// Everything that determines one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    pub seed: u64,
    pub dataset: DatasetSpec,
    pub tokenizer: TokenizerSpec,
    pub teacher: TeacherSpec,
    pub student: StudentSpec,
    #[serde(rename = "match")]
    pub matching: Matching,
    /// The enabled terms by name.
    pub loss: BTreeMap<String, Term>,
    pub balance: BalanceSpec,
    pub train: TrainSpec,
    pub evaluate: EvaluateSpec,
}

/// Where text comes from, and how its three splits are cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DatasetSpec {
    /// Text from an embedded grammar, which needs no input: each split is documents until its words
    /// are reached.
    Synthetic {
        /// Seed of the grammar's draws, apart from the run's.
        #[schemars(range(max = 9_223_372_036_854_775_807_u64))]
        seed: u64,
        /// Words of the training split.
        #[schemars(range(min = 1, max = 1_000_000_000))]
        train_words: u64,
        /// Words of the validation split.
        #[schemars(range(min = 1, max = 1_000_000_000))]
        validation_words: u64,
        /// Words of the test split.
        #[schemars(range(min = 1, max = 1_000_000_000))]
        test_words: u64,
        /// The first so many tokens of the training split; absent means all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 2))]
        train_tokens: Option<u64>,
    },
    /// Text files, as they are or packed by gzip or zstandard; each file is one document.
    Text {
        /// Files of the training split; globs.
        #[schemars(length(min = 1))]
        train: Vec<InputPath>,
        /// Files of the validation split; globs.
        #[schemars(length(min = 1))]
        validation: Vec<InputPath>,
        /// Files of the test split; globs.
        #[schemars(length(min = 1))]
        test: Vec<InputPath>,
        /// What is undone in the text before it is tokenized.
        #[serde(default)]
        detokenize: Detokenize,
        /// The first so many tokens of the training split; absent means all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 2))]
        train_tokens: Option<u64>,
    },
    /// Parquet files with a text column.
    Parquet {
        /// Files of the training split; globs.
        #[schemars(length(min = 1))]
        train: Vec<InputPath>,
        /// Files of the validation split; globs.
        #[schemars(length(min = 1))]
        validation: Vec<InputPath>,
        /// Files of the test split; globs.
        #[schemars(length(min = 1))]
        test: Vec<InputPath>,
        /// Column with the text.
        #[serde(default = "text_column")]
        column: String,
        /// What a row is.
        #[serde(default)]
        rows: Rows,
        /// What is undone in the text before it is tokenized.
        #[serde(default)]
        detokenize: Detokenize,
        /// The first so many tokens of the training split; absent means all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 2))]
        train_tokens: Option<u64>,
    },
    /// A dataset of the hub with parquet files and a text column.
    Hub {
        /// Owner and name on the hub.
        #[schemars(length(min = 1))]
        repo: String,
        /// Configuration of the dataset; absent where it has only one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config: Option<String>,
        /// Branch, tag or commit; the commit it resolves to is recorded and used from then on.
        #[serde(default = "main_branch")]
        revision: String,
        /// Split of the hub that is trained on.
        #[serde(default = "train_split")]
        train: String,
        /// Split of the hub, or a share such as "0.5%" of the training documents that are read, cut
        /// by hash.
        #[serde(default = "validation_split")]
        validation: String,
        /// Split of the hub, or a share such as "0.5%" of the training documents that are read, cut
        /// by hash.
        #[serde(default = "test_split")]
        test: String,
        /// Column with the text.
        #[serde(default = "text_column")]
        column: String,
        /// What a row is.
        #[serde(default)]
        rows: Rows,
        /// What is undone in the text before it is tokenized.
        #[serde(default)]
        detokenize: Detokenize,
        /// The first so many tokens of the training split; absent means all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 2))]
        train_tokens: Option<u64>,
    },
}

fn text_column() -> String {
    "text".to_owned()
}

fn main_branch() -> String {
    "main".to_owned()
}

fn train_split() -> String {
    "train".to_owned()
}

fn validation_split() -> String {
    "validation".to_owned()
}

fn test_split() -> String {
    "test".to_owned()
}

/// What a row of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// Rows are lines of one stream, joined unchanged (WikiText).
    Lines,
    /// Every row is a document.
    #[default]
    Documents,
}

/// What is undone in the text before it is tokenized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detokenize {
    /// The text stays as it is.
    #[default]
    None,
    /// WikiText's spaced punctuation and ` @-@ ` are joined again.
    Wikitext,
}

/// How text becomes tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TokenizerSpec {
    /// A byte-level BPE trained on the training split.
    Train {
        /// Tokens of the vocabulary: 256 bytes, the end of text, and the merges.
        #[schemars(range(min = 257, max = 1_000_000))]
        vocab_size: usize,
    },
    /// A folder with tokenizer.json, or with vocab.json and merges.txt.
    Dir {
        /// The folder.
        path: InputPath,
    },
    /// A tokenizer of the hub.
    Hub {
        /// Owner and name on the hub.
        #[schemars(length(min = 1))]
        repo: String,
        /// Branch, tag or commit.
        #[serde(default = "main_branch")]
        revision: String,
    },
}

/// The GPT-2 that students learn from; it is never updated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TeacherSpec {
    /// Trained once as a plain language model, kept in the cache and shared.
    Train {
        /// Blocks.
        #[schemars(range(min = 1, max = 1024))]
        layers: usize,
        /// Width of the hidden states.
        #[schemars(range(min = 1, max = 65536))]
        width: usize,
        /// Attention heads; they divide the width.
        #[schemars(range(min = 1, max = 65536))]
        heads: usize,
        /// Seed of its own, so that every run has the same teacher.
        #[schemars(range(max = 9_223_372_036_854_775_807_u64))]
        seed: u64,
        /// Like the table [train]; its context is the number of positions of teacher and student.
        train: Box<TrainSpec>,
        /// Of its forward pass while students are trained.
        #[serde(default, skip_serializing_if = "PrecisionSpec::is_f32")]
        precision: PrecisionSpec,
    },
    /// A folder with config.json and model.safetensors.
    Dir {
        /// The folder.
        path: InputPath,
        /// Of its forward pass while students are trained.
        #[serde(default, skip_serializing_if = "PrecisionSpec::is_f32")]
        precision: PrecisionSpec,
    },
    /// A GPT-2 of the hub.
    Hub {
        /// Owner and name on the hub.
        #[schemars(length(min = 1))]
        repo: String,
        /// Branch, tag or commit.
        #[serde(default = "main_branch")]
        revision: String,
        /// Of its forward pass while students are trained.
        #[serde(default, skip_serializing_if = "PrecisionSpec::is_f32")]
        precision: PrecisionSpec,
    },
}

impl TeacherSpec {
    /// Of the teacher's forward pass while students are trained.
    pub fn precision(&self) -> PrecisionSpec {
        match self {
            Self::Train { precision, .. }
            | Self::Dir { precision, .. }
            | Self::Hub { precision, .. } => *precision,
        }
    }

    pub(super) fn precision_mut(&mut self) -> &mut PrecisionSpec {
        match self {
            Self::Train { precision, .. }
            | Self::Dir { precision, .. }
            | Self::Hub { precision, .. } => precision,
        }
    }
}

/// The GPT-2 that is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudentSpec {
    /// Blocks.
    #[schemars(range(min = 1, max = 1024))]
    pub layers: usize,
    /// Width of the hidden states.
    #[schemars(range(min = 1, max = 65536))]
    pub width: usize,
    /// Attention heads; they divide the width.
    #[schemars(range(min = 1, max = 65536))]
    pub heads: usize,
    /// Where the weights start.
    pub init: Init,
    /// The teacher's block, counted from 0, for every student block; used with `init = "teacher"`
    /// only, where it is "uniform" if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_blocks: Option<InitBlocks>,
    /// Folder with config.json and model.safetensors; used with `init = "dir"` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_dir: Option<InputPath>,
}

/// Where the student's weights start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// The initialisation of the GPT-2 paper.
    Random,
    /// Blocks, embeddings and final norm of the teacher.
    Teacher,
    /// The weights of `init_dir`.
    Dir,
}

/// Teacher blocks, counted from 0, that the student's blocks start from. Always a list once
/// resolved with the teacher's facts.
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

/// How long and how a model is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// Updates of the weights.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub steps: u64,
    /// Sequences of a micro-batch.
    #[schemars(range(min = 1, max = 65536))]
    pub batch: usize,
    /// Tokens of a sequence.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub context: usize,
    /// Micro-batches of a step.
    #[schemars(range(min = 1, max = 65536))]
    pub accumulate: usize,
    /// A new order of the windows in every epoch; otherwise the order of the text.
    pub shuffle: bool,
    /// Linear warm-up to `peak`, then decay to `floor`.
    pub lr: LearningRate,
    /// Decay rates of AdamW's two moments.
    #[schemars(with = "Betas")]
    pub betas: [f64; 2],
    /// Added to the root of AdamW's second moment.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub eps: f64,
    /// Decoupled weight decay, not on biases and layer norms.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Largest norm of the gradient; longer ones are scaled down to it.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub clip: f64,
    /// What the products of the model's linear layers and head multiply, forward and backward.
    #[serde(default)]
    pub precision: PrecisionSpec,
    /// Which weights the run keeps.
    pub keep: Keep,
    /// Steps between checkpoints.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub checkpoint_every: u64,
    /// Steps between looks at the validation split.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub evaluate_every: u64,
}

/// Linear warm-up to `peak`, then decay to `floor`·peak at the last step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LearningRate {
    /// Highest learning rate.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub peak: f64,
    /// Steps, or a share of all, such as "5%", until the peak.
    pub warmup: Span,
    /// Shape after the peak.
    pub decay: Decay,
    /// A share of `peak`, as "10%".
    #[schemars(with = "super::schedule::Percent")]
    pub floor: Span,
}

/// Shape of the learning rate after its peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Half a cosine.
    Cosine,
    /// A straight line.
    Linear,
    /// It stays at the peak; `floor` is then unused.
    Constant,
}

/// What matrix products multiply; sums, weights, moments, softmax and losses are f32 in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrecisionSpec {
    /// Numbers as they are.
    #[default]
    F32,
    /// Numbers rounded to bfloat16; refused where the processor has no AVX512-BF16.
    Bf16,
    /// `bf16` where the processor has it, `f32` elsewhere; what it came to is in the run's own
    /// spec.
    Bf16OrF32,
}

impl PrecisionSpec {
    /// What it comes to on a machine with or without bfloat16.
    pub(super) fn on(self, has_bf16: bool) -> Self {
        match self {
            Self::Bf16OrF32 if has_bf16 => Self::Bf16,
            Self::Bf16OrF32 => Self::F32,
            Self::F32 | Self::Bf16 => self,
        }
    }

    /// Whether it is the one that needs no word.
    pub(super) fn is_f32(&self) -> bool {
        *self == Self::F32
    }
}

/// Which weights a run keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Those after the last step.
    Last,
    /// Those of the lowest validation loss.
    Best,
}

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

/// Schema of Adam's two decay rates.
pub(super) struct Betas;

impl JsonSchema for Betas {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Betas".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let rate =
            schemars::json_schema!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 });
        schemars::json_schema!({ "type": "array", "items": rate, "minItems": 2, "maxItems": 2 })
    }
}

impl JsonSchema for InitBlocks {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "InitBlocks".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "enum": ["uniform", "first", "last", "distilgpt2"] },
            { "type": "array", "items": { "type": "integer", "minimum": 0 } },
        ] })
    }
}
