//! How the text of a run becomes tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::main_branch;
use crate::plan::path::InputPath;

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

impl TokenizerSpec {
    /// Whether it is a repository of the hub.
    pub fn is_of_hub(&self) -> bool {
        match self {
            Self::Hub { .. } => true,
            Self::Train { .. } | Self::Dir { .. } => false,
        }
    }
}
