//! What the matrix products of a model multiply.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    pub(in crate::plan) fn on(self, has_bf16: bool) -> Self {
        match self {
            Self::Bf16OrF32 if has_bf16 => Self::Bf16,
            Self::Bf16OrF32 => Self::F32,
            Self::F32 | Self::Bf16 => self,
        }
    }

    /// Whether it is the one that needs no word.
    pub(in crate::plan) fn is_f32(&self) -> bool {
        *self == Self::F32
    }
}
