//! How a finished model is measured.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MAIN_BRANCH;
use crate::plan::path::InputPath;

/// How finished models are measured. Changing it evaluates stored weights again and trains nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateSpec {
    /// Tokens of a window of the perplexity.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub context: usize,
    /// Tokens between the starts of two windows, at most `context`.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub stride: usize,
    /// Continuations, the teacher's beside the student's.
    pub samples: SamplesSpec,
    /// Tokens whose hidden states are compared (CKA, sliced W2), in windows of at most
    /// `context` tokens over the whole test split.
    #[schemars(range(min = 2, max = 1_000_000))]
    pub probe_tokens: usize,
    /// Random directions of sliced W2.
    #[schemars(range(min = 1, max = 100_000))]
    pub directions: usize,
    /// Tokens of the t-SNE, at most `probe_tokens`; 0 draws none.
    #[schemars(range(max = 100_000))]
    pub embed_tokens: usize,
    /// Tokens of each of two samples over the whole test split, on which it is measured whether a
    /// student's states came closer to its teacher's; 0 measures nothing.
    #[serde(default = "treatment_tokens", skip_serializing_if = "is_usual")]
    #[schemars(range(max = 4096))]
    pub treatment_tokens: usize,
    /// What models are asked beside the loss, by names of one's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<String, TaskSpec>,
}

/// Items that every model is asked: pairs of a right and a wrong text, or texts whose last word is
/// to be found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TaskSpec {
    /// Pairs cut from stories of the embedded grammar that no split has: agreement, the same across
    /// a clause, pronouns, things that come again.
    Grammar {
        /// Pairs of each phenomenon.
        #[schemars(range(min = 1, max = 10_000))]
        items: usize,
    },
    /// Pairs in BLiMP's form, from files or from a dataset of the hub: rows with `sentence_good`,
    /// `sentence_bad`, and `linguistics_term`, `phenomenon` or `UID` for what they are about.
    Pairs {
        /// Files of JSON lines; globs. Either these or `repo`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(length(min = 1))]
        files: Vec<InputPath>,
        /// Owner and name of a dataset on the hub, such as "nyu-mll/blimp".
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1))]
        repo: Option<String>,
        /// Branch, tag or commit of `repo`, absent means `main`; the commit it resolves to is
        /// recorded and used from then on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<String>,
        /// Configurations of `repo`; absent means all of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(length(min = 1))]
        configs: Vec<String>,
        /// Split of `repo`; absent means `train`, the only one that BLiMP has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        split: Option<String>,
    },
    /// Texts in LAMBADA's form, from files or from a dataset of the hub: rows with `text`, whose
    /// last word is to be found.
    Cloze {
        /// Files of JSON lines; globs. Either these or `repo`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(length(min = 1))]
        files: Vec<InputPath>,
        /// Owner and name of a dataset on the hub, such as "EleutherAI/lambada_openai".
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1))]
        repo: Option<String>,
        /// Branch, tag or commit of `repo`, absent means `main`; the commit it resolves to is
        /// recorded and used from then on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<String>,
        /// Configurations of `repo`; absent means all of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(length(min = 1))]
        configs: Vec<String>,
        /// Split of `repo`; absent means `test`, as LAMBADA has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        split: Option<String>,
    },
}

/// Where the items of a task come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemSource<'a> {
    /// So many pairs of each phenomenon of the embedded grammar.
    Grammar(usize),
    /// Files of JSON lines on this machine.
    Files(&'a [InputPath]),
    /// A dataset of the hub.
    Hub(HubItems<'a>),
}

/// Rows of a dataset of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubItems<'a> {
    pub repo: &'a str,
    pub revision: &'a str,
    /// None means all that there are.
    pub configs: &'a [String],
    pub split: &'a str,
}

impl TaskSpec {
    /// Where the items come from; nothing where both files and a repo are named, or neither is,
    /// which is a mistake that is told elsewhere.
    pub fn source(&self) -> Option<ItemSource<'_>> {
        let (files, repo, revision, configs, split, usual) = match self {
            Self::Grammar { items } => return Some(ItemSource::Grammar(*items)),
            Self::Pairs {
                files,
                repo,
                revision,
                configs,
                split,
            } => (files, repo, revision, configs, split, "train"),
            Self::Cloze {
                files,
                repo,
                revision,
                configs,
                split,
            } => (files, repo, revision, configs, split, "test"),
        };
        match (files.as_slice(), repo) {
            (_, Some(_)) if !files.is_empty() => None,
            (files, None) => (!files.is_empty()).then_some(ItemSource::Files(files)),
            (_, Some(repo)) => Some(ItemSource::Hub(HubItems {
                repo,
                revision: revision.as_deref().unwrap_or(MAIN_BRANCH),
                configs,
                split: split.as_deref().unwrap_or(usual),
            })),
        }
    }

    /// Whether the items are a repository of the hub.
    pub fn is_of_hub(&self) -> bool {
        matches!(self.source(), Some(ItemSource::Hub(_)))
    }

    /// The same with the keys of a repo that were not written.
    fn completed(&self) -> Self {
        let mut task = self.clone();
        let Some(ItemSource::Hub(items)) = self.source() else {
            return task;
        };
        match &mut task {
            Self::Grammar { .. } => {}
            Self::Pairs {
                revision, split, ..
            }
            | Self::Cloze {
                revision, split, ..
            } => {
                *revision = Some(items.revision.to_owned());
                *split = Some(items.split.to_owned());
            }
        }
        task
    }
}

impl EvaluateSpec {
    /// The same with the keys of tasks that were not written: a resolved run has them all.
    pub(in crate::plan) fn completed(&self) -> Self {
        let tasks = self.tasks.iter();
        Self {
            tasks: tasks
                .map(|(name, task)| (name.clone(), task.completed()))
                .collect(),
            ..self.clone()
        }
    }
}

/// What stands in no record, so that those of builds which did not know it are of this one, too.
fn treatment_tokens() -> usize {
    1024
}

fn is_usual(tokens: &usize) -> bool {
    *tokens == treatment_tokens()
}

/// Continuations that the report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplesSpec {
    /// Prompts from the test split; 0 for none.
    #[schemars(range(max = 1000))]
    pub prompts: usize,
    /// New tokens of each.
    #[schemars(range(min = 1, max = 100_000))]
    pub tokens: usize,
}
