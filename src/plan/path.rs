//! A path in a spec: what the user wrote, and the folder that it is relative to.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

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
        Self {
            written: written.into(),
            base: base.to_path_buf(),
        }
    }

    /// The path to open (or the glob to expand).
    pub fn resolve(&self) -> PathBuf {
        self.base.join(&self.written)
    }
}

/// A path that only a shell understands: it makes a home folder of `~`, before a program sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TildePath {
    /// What is wrong.
    pub reason: String,
    /// What to write.
    pub remedy: String,
}

impl InputPath {
    /// Why a path that begins with `~` leads nowhere; nothing where there is a file or folder of
    /// that very name.
    pub fn tilde(&self) -> Option<TildePath> {
        let mut parts = Path::new(&self.written).components();
        let Some(Component::Normal(first)) = parts.next() else {
            return None;
        };
        let name = first.to_str()?;
        // `~notes.txt` is the name of a file.
        let is_home = name == "~" || name.starts_with('~') && parts.clone().next().is_some();
        if !is_home || self.base.join(first).exists() {
            return None;
        }
        let home = std::env::home_dir().filter(|home| name == "~" && !home.as_os_str().is_empty());
        let remedy = match home {
            Some(home) => format!(
                "write \"{}\" for \"{}\"",
                home.join(parts.as_path()).display(),
                self.written
            ),
            None => format!("write the home folder's own path for {name}"),
        };
        Some(TildePath {
            reason: format!("a shell makes a home folder of {name}, and kdpipe does not"),
            remedy,
        })
    }
}

impl Serialize for InputPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

/// A string, or the table `{ written, base }` that `plan` makes of it where it knows the folder.
impl<'de> Deserialize<'de> for InputPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Located {
            written: String,
            base: PathBuf,
        }
        struct InputPathVisitor;
        impl<'de> serde::de::Visitor<'de> for InputPathVisitor {
            type Value = InputPath;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a path")
            }
            fn visit_str<E>(self, written: &str) -> Result<InputPath, E> {
                Ok(InputPath {
                    written: written.to_owned(),
                    base: PathBuf::new(),
                })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<InputPath, A::Error> {
                let located =
                    Located::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(InputPath {
                    written: located.written,
                    base: located.base,
                })
            }
        }
        deserializer.deserialize_any(InputPathVisitor)
    }
}

impl schemars::JsonSchema for InputPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "format": "path" })
    }
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
