//! What the matrix products of a model multiply.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What matrix products multiply; sums, weights, moments, softmax and losses are f32 in any case.
/// Attention's products are among them on a GPU; on the processor they are f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrecisionSpec {
    /// Numbers as they are.
    #[default]
    F32,
    /// Numbers rounded to TensorFloat-32, with the exponent of f32 and ten binary digits; on
    /// NVIDIA GPUs alone.
    Tf32,
    /// `tf32` on an NVIDIA GPU, `f32` elsewhere; what it came to is in the run's own spec.
    Tf32OrF32,
    /// Numbers rounded to bfloat16; refused where the processor has no AVX512-BF16.
    Bf16,
    /// `bf16` where the processor has it, `f32` elsewhere; what it came to is in the run's own
    /// spec.
    Bf16OrF32,
}

/// Which precisions there are beside f32 where a study is computed.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct KnownPrecisions {
    pub tf32: bool,
    pub bf16: bool,
}

impl PrecisionSpec {
    /// What it comes to where these precisions are.
    pub(in crate::plan) fn on(self, known: KnownPrecisions) -> Self {
        match self {
            Self::Tf32OrF32 if known.tf32 => Self::Tf32,
            Self::Bf16OrF32 if known.bf16 => Self::Bf16,
            Self::Tf32OrF32 | Self::Bf16OrF32 => Self::F32,
            Self::F32 | Self::Tf32 | Self::Bf16 => self,
        }
    }

    /// Whether it is the one that needs no word.
    pub(in crate::plan) fn is_f32(&self) -> bool {
        *self == Self::F32
    }
}
