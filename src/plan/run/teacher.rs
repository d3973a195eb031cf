//! The teacher of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PrecisionSpec, TrainSpec, main_branch};
use crate::plan::path::InputPath;

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

    /// How the teacher is trained, where it is.
    pub(in crate::plan) fn train_mut(&mut self) -> Option<&mut TrainSpec> {
        match self {
            Self::Train { train, .. } => Some(train),
            Self::Dir { .. } | Self::Hub { .. } => None,
        }
    }

    /// Whether it came trained.
    pub fn is_read(&self) -> bool {
        match self {
            Self::Dir { .. } | Self::Hub { .. } => true,
            Self::Train { .. } => false,
        }
    }

    /// Whether it is a repository of the hub.
    pub fn is_of_hub(&self) -> bool {
        match self {
            Self::Hub { .. } => true,
            Self::Train { .. } | Self::Dir { .. } => false,
        }
    }

    pub(in crate::plan) fn precision_mut(&mut self) -> &mut PrecisionSpec {
        match self {
            Self::Train { precision, .. }
            | Self::Dir { precision, .. }
            | Self::Hub { precision, .. } => precision,
        }
    }
}
