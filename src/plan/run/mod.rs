//! The resolved form of one run: complete, so that nothing after `plan` fills in a default. Only
//! this form travels; the written form (layers, arms, grid) ends at `plan`.
//!
//! The same structs, serialised, are a run's `spec.toml`, which is itself a valid spec. Their docs,
//! ranges and variant defaults are the schema's (`plan::schema`): a key is declared here and
//! nowhere else. Keys that every spec has take their default from `pipelines/default.toml`; the
//! serde defaults here are of keys that only some variants have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod budget;
mod dataset;
mod device;
mod evaluate;
mod held_out;
mod objective;
mod precision;
mod student;
mod teacher;
mod tokenizer;
mod train;

pub use budget::Budget;
pub use dataset::{DatasetSpec, Detokenize, Rows, TextDocuments};
pub(super) use device::DEVICE_PATTERN;
pub use device::DeviceSpec;
pub use evaluate::{EvaluateSpec, HubItems, ItemSource, SamplesSpec, TaskSpec};
pub use held_out::{HeldOut, LineBlocks, SplitPaths};
pub use objective::{BalanceSpec, LayerWeighting, Matching, TokenPairing};
pub(in crate::plan) use precision::KnownPrecisions;
pub use precision::PrecisionSpec;
pub use student::{Init, InitBlocks, StudentSpec};
pub use teacher::TeacherSpec;
pub use tokenizer::TokenizerSpec;
pub(super) use train::{Betas, tenth_of};
pub use train::{Decay, Keep, LearningRate, TrainSpec};

pub use super::comparison::{
    CloudLoss, Comparison, Direction, HiddenDistance, HiddenLoss, LogitLoss, StateForm,
};
pub use super::critic::{CriticSpec, Lipschitz};
pub use super::state::HiddenState;
pub use super::term::Term;

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

/// The branch of the hub that is used where no revision is written.
const MAIN_BRANCH: &str = "main";

fn main_branch() -> String {
    MAIN_BRANCH.to_owned()
}
