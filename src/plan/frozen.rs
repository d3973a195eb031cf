//! A spec with everything that reached it, as one text: the layers of its files, the environment
//! and `--set` as they were at one moment. Jobs that wait for hours run what was submitted,
//! whatever becomes of the files.
//!
//! Layers stay apart, each with the folder that its paths start from, so that a frozen spec means
//! what the original meant and its runs are the same bytes.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::diagnostics::{Diagnostic, Diagnostics};
use super::planned::Overrides;
use super::source::SpecText;

/// The format, and how the text begins: no spec has such a key.
const FORMAT: u32 = 1;
const HEAD: &str = "frozen = ";
/// More than the longest chain of the largest files.
const LARGEST: u64 = 32 << 20;

/// A spec as it was when it was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenSpec {
    frozen: u32,
    /// Where it came from.
    pub origin: FrozenOrigin,
    /// The `--set` arguments in order.
    pub set: Vec<String>,
    /// Keys of the spec in the environment.
    pub environment: Vec<(String, String)>,
    /// The files from the end of the chain of `extends` to the spec.
    pub layers: Vec<FrozenLayer>,
}

/// What a frozen spec was frozen from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenOrigin {
    /// The file as the command named it, and the folder that it was given in.
    pub spec: PathBuf,
    pub working_folder: PathBuf,
    /// What makes the study again.
    pub command: String,
}

/// A file of a frozen spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenLayer {
    /// In messages.
    pub name: String,
    /// The folder that its paths start from.
    pub base: PathBuf,
    pub text: String,
}

impl FrozenOrigin {
    /// The file, wherever this process is.
    pub fn path(&self) -> PathBuf {
        self.working_folder.join(&self.spec)
    }
}

impl FrozenSpec {
    pub fn new(origin: FrozenOrigin, options: &Overrides, layers: Vec<FrozenLayer>) -> Self {
        Self {
            frozen: FORMAT,
            origin,
            set: options.set.clone(),
            environment: options.environment.clone(),
            layers,
        }
    }

    /// The frozen spec at a path; none where a spec of the usual kind, or nothing, is there.
    ///
    /// # Errors
    /// One of another format, or damaged.
    pub fn read(path: &Path) -> Result<Option<Self>, Diagnostics> {
        let refuse = |what: String| {
            let message = format!("{} is no frozen spec: {what}", path.display());
            let remedy = "give the study's own spec, or submit it again";
            Diagnostics(vec![Diagnostic::new(message).hint(remedy)])
        };
        // What is read of a pipe is gone from it.
        if !path.metadata().is_ok_and(|about| about.is_file()) {
            return Ok(None);
        }
        let Ok(file) = std::fs::File::open(path) else {
            return Ok(None);
        };
        let mut head = Vec::new();
        let is_read = file.take(HEAD.len() as u64).read_to_end(&mut head);
        if is_read.is_err() || head != HEAD.as_bytes() {
            return Ok(None);
        }
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST).read_to_string(&mut text))
            .map_err(|error| refuse(error.to_string()))?;
        let frozen: Self =
            toml::from_str(&text).map_err(|error| refuse(error.message().to_owned()))?;
        if frozen.frozen != FORMAT {
            return Err(refuse(format!(
                "its format is {}, and this version reads {FORMAT}",
                frozen.frozen
            )));
        }
        Ok(Some(frozen))
    }

    /// What reaches it from outside its files: what was frozen, and what `--set` adds now. The
    /// environment of a job is that of the moment when it was frozen.
    pub fn overrides(&self, now: &Overrides) -> Overrides {
        Overrides {
            set: self.set.iter().chain(&now.set).cloned().collect(),
            environment: self.environment.clone(),
            working_folder: self.origin.working_folder.clone(),
        }
    }

    /// Its files as texts.
    pub fn texts(&self) -> impl Iterator<Item = Arc<SpecText>> {
        let texts = self.layers.iter();
        texts.map(|layer| SpecText::new(&layer.name, &layer.text, &layer.base))
    }
}

#[cfg(test)]
#[path = "frozen_tests.rs"]
mod tests;
