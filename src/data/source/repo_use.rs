//! What a dataset of the hub is read for, which decides what messages about it advise.

/// Where a spec names the repo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepoUse {
    /// The text of `[dataset]`.
    Text,
    /// The items of a task of `[evaluate.tasks]`, by its name.
    Items(String),
}

impl RepoUse {
    /// A key of the table that names the repo, in full.
    pub fn key(&self, key: &str) -> String {
        match self {
            Self::Text => format!("dataset.{key}"),
            Self::Items(task) => format!("evaluate.tasks.{task}.{key}"),
        }
    }

    /// How the same data gets here without the hub's help.
    pub fn by_hand(&self) -> String {
        match self {
            Self::Text => "export it to parquet or text files, and write source = \"parquet\" or \
                           \"text\""
                .to_owned(),
            Self::Items(_) => format!(
                "export it to JSON lines, and name those in {} in its place",
                self.key("files")
            ),
        }
    }
}
