//! What a study costs, counted from shapes alone: parameters, floating-point operations and bytes
//! of a GPT-2 ([`Gpt2Shape`]), of a critic ([`CriticShape`]), of a projection, and of a whole
//! training ([`Distillation`]) and evaluation ([`EvaluationWork`]).
//!
//! `plan` estimates with it before anything runs, `eval` records with it what a run took; both get
//! the same figures. It works on plain numbers and knows of no spec, tensor or file.
//!
//! A multiply-add is two operations and only matrix products count. Everything is a double: exact
//! below 2⁵³, and no shape that someone writes makes it overflow.
//!
//! Letters: L layers, C width, I inner width of the MLP, V vocabulary, P positions, T context, B
//! sequences of a micro-batch, N = B·T its tokens.

mod cloud;
mod critic;
mod distillation;
mod evaluation;
mod gpt2;
mod projection;

pub use cloud::{CloudKind, CloudShape};
pub use critic::CriticShape;
pub use distillation::{CriticWork, Distillation, MemoryNeed, TrainingFlops, TrainingSteps};
pub use evaluation::{EvaluationFlops, EvaluationWork, pair_flops};
pub use gpt2::Gpt2Shape;
pub use projection::Projection;

/// Bytes of a number.
pub const FLOAT_BYTES: f64 = 4.0;

/// A backward pass costs two forward passes: one product for the gradient of each factor.
const FORWARD_AND_BACKWARD: f64 = 3.0;

/// Floats that training holds of each parameter: the weight, its gradient, and AdamW's two moments.
const FLOATS_A_PARAMETER: f64 = 4.0;
