//! The student of a run: its shape and its first weights.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::path::InputPath;

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
