//! Where the text of a run comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::held_out::{HeldOut, LineBlocks, SplitPaths};
use super::main_branch;
use crate::plan::path::InputPath;

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
    /// Text files, as they are or packed by gzip or zstandard; a file is one document, or several
    /// between separators.
    Text {
        /// Files of the training split; globs.
        #[schemars(length(min = 1))]
        train: Vec<InputPath>,
        /// Files of the validation split (globs), or a share such as "5%" of the training
        /// documents, cut by hash.
        validation: HeldOut,
        /// Files of the test split (globs), or a share such as "5%" of the training
        /// documents, cut by hash.
        test: HeldOut,
        /// Shares are cut by blocks of lines; absent means by whole documents.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<LineBlocks>,
        /// What of a file is a document.
        #[serde(default, skip_serializing_if = "TextDocuments::are_files")]
        documents: TextDocuments,
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
        /// Files of the validation split (globs), or a share such as "5%" of the training
        /// documents, cut by hash.
        validation: HeldOut,
        /// Files of the test split (globs), or a share such as "5%" of the training
        /// documents, cut by hash.
        test: HeldOut,
        /// Shares are cut by blocks of lines; absent means by whole documents.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<LineBlocks>,
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
    /// JSON files, as they are or packed by gzip or zstandard: objects with a text.
    Jsonl {
        /// Files of the training split; globs.
        #[schemars(length(min = 1))]
        train: Vec<InputPath>,
        /// Files of the validation split (globs), or a share such as "5%" of the training
        /// documents, cut by hash.
        validation: HeldOut,
        /// Files of the test split (globs), or a share such as "5%" of the training
        /// documents, cut by hash.
        test: HeldOut,
        /// Shares are cut by blocks of lines; absent means by whole documents.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<LineBlocks>,
        /// Key of the text.
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
    /// A dataset of the hub with a column of text: parquet, JSON lines or text files.
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
        /// Shares are cut by blocks of lines; absent means by whole documents.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<LineBlocks>,
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

impl DatasetSpec {
    /// Whether it is a repository of the hub.
    pub fn is_of_hub(&self) -> bool {
        match self {
            Self::Hub { .. } => true,
            Self::Synthetic { .. }
            | Self::Text { .. }
            | Self::Parquet { .. }
            | Self::Jsonl { .. } => false,
        }
    }

    /// The files that it names, where it is files on this machine.
    pub fn files(&self) -> Option<SplitPaths<'_>> {
        match self {
            Self::Text {
                train,
                validation,
                test,
                cut,
                ..
            }
            | Self::Parquet {
                train,
                validation,
                test,
                cut,
                ..
            }
            | Self::Jsonl {
                train,
                validation,
                test,
                cut,
                ..
            } => Some(SplitPaths {
                train,
                validation,
                test,
                cut: *cut,
            }),
            Self::Synthetic { .. } | Self::Hub { .. } => None,
        }
    }

    /// How many tokens of the training split are trained on; none where it is all of them.
    pub fn train_tokens(&self) -> Option<u64> {
        match self {
            Self::Synthetic { train_tokens, .. }
            | Self::Text { train_tokens, .. }
            | Self::Parquet { train_tokens, .. }
            | Self::Jsonl { train_tokens, .. }
            | Self::Hub { train_tokens, .. } => *train_tokens,
        }
    }

    /// The splits that are shares of the training documents, each with the share as it is written.
    pub fn shares(&self) -> Vec<(&'static str, &str)> {
        let written = match self {
            Self::Hub {
                validation, test, ..
            } => [validation, test].map(|split| split.ends_with('%').then_some(split.as_str())),
            Self::Synthetic { .. }
            | Self::Text { .. }
            | Self::Parquet { .. }
            | Self::Jsonl { .. } => self.files().map_or([None; 2], |files| {
                [files.validation, files.test].map(HeldOut::share)
            }),
        };
        let named = ["validation", "test"].into_iter().zip(written);
        named
            .filter_map(|(split, share)| Some((split, share?)))
            .collect()
    }

    /// Whether documents are the articles of WikiText.
    pub fn is_by_articles(&self) -> bool {
        match self {
            Self::Synthetic { .. } => false,
            Self::Text { documents, .. } => *documents == TextDocuments::Articles,
            Self::Parquet { rows, .. } | Self::Jsonl { rows, .. } | Self::Hub { rows, .. } => {
                *rows == Rows::Articles
            }
        }
    }

    /// How shares are cut, where it is not by whole documents.
    pub fn cut(&self) -> Option<LineBlocks> {
        match self {
            Self::Synthetic { .. } => None,
            Self::Text { cut, .. }
            | Self::Parquet { cut, .. }
            | Self::Jsonl { cut, .. }
            | Self::Hub { cut, .. } => *cut,
        }
    }
}

fn text_column() -> String {
    "text".to_owned()
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

/// What of a text file is a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TextDocuments {
    /// All of it, or what is between the tokens that end a document.
    #[default]
    Files,
    /// The articles of WikiText, each from its heading (` = Title = `) on.
    Articles,
}

impl TextDocuments {
    fn are_files(&self) -> bool {
        *self == Self::Files
    }
}

/// What a row of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// Rows are lines of one stream, joined unchanged (WikiText).
    Lines,
    /// Rows are such lines, and every article of WikiText in them is a document, from its heading
    /// (` = Title = `) on.
    Articles,
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
