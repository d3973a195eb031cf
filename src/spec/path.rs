//! A path in a spec: what the user wrote, and the folder that it is relative to.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Written out again as the user wrote it; where it points depends on the file that set it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputPath {
    pub written: String,
    /// Folder of the spec file that set it, or the working folder for `--set` and the environment.
    pub base: PathBuf,
}

impl InputPath {
    pub fn new(written: impl Into<String>, base: &Path) -> Self {
        Self { written: written.into(), base: base.to_path_buf() }
    }

    /// The path to open (or the glob to expand).
    pub fn resolve(&self) -> PathBuf {
        self.base.join(&self.written)
    }
}

impl Serialize for InputPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for InputPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { written: String::deserialize(deserializer)?, base: PathBuf::new() })
    }
}
