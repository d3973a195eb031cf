//! What a repo of the hub is called, and what its names may be.

use std::fmt;
use std::path::{Component, Path};

use super::error::HubError;

/// What a repo holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RepoKind {
    Model,
    Dataset,
}

/// A repo at a revision: a branch, tag or commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repo {
    pub kind: RepoKind,
    /// OWNER/NAME, or a NAME alone.
    pub name: String,
    pub revision: String,
}

impl Repo {
    pub fn model(name: &str, revision: &str) -> Self {
        Self {
            kind: RepoKind::Model,
            name: name.to_owned(),
            revision: revision.to_owned(),
        }
    }

    pub fn dataset(name: &str, revision: &str) -> Self {
        Self {
            kind: RepoKind::Dataset,
            name: name.to_owned(),
            revision: revision.to_owned(),
        }
    }

    /// The same repo at another revision.
    pub fn at(&self, revision: &str) -> Self {
        Self {
            revision: revision.to_owned(),
            ..self.clone()
        }
    }

    /// `the model NAME`.
    pub fn title(&self) -> String {
        format!("the {} {}", self.kind, self.name)
    }

    /// As the `hf-hub` crate has it, which knows the names of folders and addresses.
    pub(super) fn as_hf_hub(&self) -> hf_hub::Repo {
        let kind = match self.kind {
            RepoKind::Model => hf_hub::RepoType::Model,
            RepoKind::Dataset => hf_hub::RepoType::Dataset,
        };
        hf_hub::Repo::with_revision(self.name.clone(), kind, self.revision.clone())
    }

    /// Refuses names that no repo has: they become parts of paths and addresses.
    pub(super) fn check(&self) -> Result<(), HubError> {
        if !is_name(&self.name) {
            return Err(HubError::BadInput {
                message: format!(
                    "\"{}\" is no repo of the hub; write OWNER/NAME, such as \
                     \"openai-community/gpt2\"",
                    self.name
                ),
            });
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+=@".contains(c);
        if !self.revision.chars().all(plain) || !is_below(&self.revision) {
            return Err(HubError::BadInput {
                message: format!(
                    "\"{}\" is no revision of {}; write a branch, a tag or a commit",
                    self.revision,
                    self.title()
                ),
            });
        }
        Ok(())
    }
}

impl fmt::Display for RepoKind {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
        })
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{} at the revision {}", self.title(), self.revision)
    }
}

/// OWNER/NAME or NAME, by the hub's own rules.
pub fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !part.starts_with(['-', '.'])
            && !part.ends_with(['-', '.'])
            && !part.contains("--")
            && !part.contains("..")
    };
    name.len() <= 96 && name.split('/').count() <= 2 && name.split('/').all(part)
}

/// What is wrong with a name that was meant as a model's, where it is neither a folder with one nor
/// a name that the hub is asked for: an empty folder hides the hub's model of that name, and `~` is
/// the shell's.
pub fn why_no_model(given: &Path) -> Option<String> {
    let name = given.to_str()?;
    if let Some(rest) = name.strip_prefix('~').filter(|_| !given.exists()) {
        let home = std::env::home_dir().filter(|_| rest.is_empty() || rest.starts_with('/'));
        let remedy = home.map_or_else(
            || "write the folder's whole path".to_owned(),
            |home| format!("write {}{rest}", home.display()),
        );
        return Some(format!(
            "{name} is not a folder here: ~ stands for a home folder only where a shell reads it, \
             at the beginning and without quotes; {remedy}"
        ));
    }
    let is_empty = std::fs::read_dir(given).is_ok_and(|mut entries| entries.next().is_none());
    (is_empty && is_name(name)).then(|| {
        format!(
            "{name} is an empty folder here, so the hub is not asked for its model of that name; \
             remove or rename the folder, or write the path of one with config.json, \
             model.safetensors and a tokenizer"
        )
    })
}

/// Forty hexadecimal digits.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// A relative path that stays below the folder it is put in, on every system.
pub(super) fn is_below(path: &str) -> bool {
    let plain = |c: char| !c.is_control() && c != '\\' && c != ':';
    !path.is_empty()
        && path.chars().all(plain)
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
#[path = "repo_tests.rs"]
mod tests;
