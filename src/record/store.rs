//! JSON and TOML files of this module's types.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files;

/// More than any of the small files needs: ten thousand documents, or the samples of a study.
const LIMIT: u64 = 64 << 20;

/// JSON as people read it, with a newline at its end.
///
/// # Errors
/// A value that JSON cannot hold, which is a number that is not finite.
pub(super) fn to_json<T: Serialize + DeserializeOwned + PartialEq>(
    value: &T,
    what: &str,
) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .with_context(|| format!("{what} cannot be written as JSON"))?;
    // serde_json writes NaN as null without a word: then it cannot be read, or is read as absent.
    ensure!(
        serde_json::from_slice::<T>(&bytes).is_ok_and(|read| read == *value),
        "{what} holds a number that is not finite"
    );
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads what [`to_json`] wrote.
///
/// # Errors
/// A file that cannot be read, or is not what was written.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_slice(&files::read_limited(path, LIMIT)?)
        .with_context(|| format!("{} is damaged", path.display()))
}

/// Reads a TOML file.
///
/// # Errors
/// A file that cannot be read, or is not what was written.
pub(super) fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    toml::from_str(&files::read_text(path, LIMIT)?)
        .with_context(|| format!("{} is damaged", path.display()))
}
