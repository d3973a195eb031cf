//! Validation and test of a dataset of files: files of their own, or shares of the training
//! documents.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::schedule::Percent;
use crate::plan::path::InputPath;

/// A split that models are looked at on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeldOut {
    /// Files of its own; globs.
    Files(Vec<InputPath>),
    /// A share such as `5%` of the training documents.
    Share(String),
}

impl HeldOut {
    /// The files that it names.
    pub fn files(&self) -> &[InputPath] {
        match self {
            Self::Files(files) => files,
            Self::Share(_) => &[],
        }
    }

    /// The share, as it is written.
    pub fn share(&self) -> Option<&str> {
        match self {
            Self::Files(_) => None,
            Self::Share(share) => Some(share),
        }
    }
}

impl From<Vec<InputPath>> for HeldOut {
    fn from(files: Vec<InputPath>) -> Self {
        Self::Files(files)
    }
}

impl JsonSchema for HeldOut {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HeldOut".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let path = generator.subschema_for::<InputPath>();
        let share = generator.subschema_for::<Percent>();
        schemars::json_schema!({ "anyOf": [
            json!({
                "description": "Files of the split; globs.",
                "type": "array", "items": path, "minItems": 1,
            }),
            share,
        ] })
    }
}

/// The files of the three splits of a dataset, as a spec names them.
#[derive(Debug, Clone, Copy)]
pub struct SplitPaths<'a> {
    pub train: &'a [InputPath],
    pub validation: &'a HeldOut,
    pub test: &'a HeldOut,
    /// How shares are cut; absent means by whole documents.
    pub cut: Option<LineBlocks>,
}

/// How a share is cut where documents are to be divided: the text is taken as blocks of so many
/// lines, and each block is of one split, by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineBlocks {
    /// Lines of a block.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub lines: u64,
    /// Lines that are left out where a block of another split ends, fewer than those of a block.
    #[schemars(range(max = 1_000_000_000))]
    pub gap: u64,
}
