//! How a model is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Budget, DeviceSpec, PrecisionSpec};
use crate::plan::schedule::{Percent, Span};

/// How long and how a model is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// Updates of the weights.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub steps: u64,
    /// In place of `steps`, of a student: as many as so many floating-point operations pay for, or
    /// those that another arm's training takes ("flops of ARM"). A resolved run has none.
    #[serde(default, skip_serializing)]
    pub budget: Option<Budget>,
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
    /// What the products of the model's linear layers and head multiply, forward and backward; on a
    /// GPU those of its attention, too.
    #[serde(default)]
    pub precision: PrecisionSpec,
    /// What it is computed on, evaluation included: the processor, or an NVIDIA GPU by its number.
    #[serde(default, skip_serializing_if = "DeviceSpec::is_cpu")]
    pub device: DeviceSpec,
    /// Which weights the run keeps.
    pub keep: Keep,
    /// Steps between checkpoints.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub checkpoint_every: u64,
    /// Steps between looks at the validation split; absent: a tenth of `steps`, so that every
    /// training has a curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub evaluate_every: Option<u64>,
    /// Steps between two looks at the gradient that every loss term sends to the student; absent,
    /// none. A look takes a forward and a backward pass for each term, and changes nothing of the
    /// training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub gradients_every: Option<u64>,
    /// Event files for TensorBoard, in the study's folder. Nothing of a run depends on it, so it is
    /// not stored with one.
    #[serde(default, skip_serializing)]
    pub tensorboard: bool,
}

/// The steps between looks at the validation split where none are written.
pub(in crate::plan) fn tenth_of(steps: u64) -> u64 {
    (steps / 10).max(1)
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
    #[schemars(with = "Percent")]
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

/// Which weights a run keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Those after the last step.
    Last,
    /// Those of the lowest validation loss.
    Best,
}

/// Schema of Adam's two decay rates.
pub(in crate::plan) struct Betas;

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
