//! Where tokenized corpora and trained teachers are kept between studies.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// `KDPIPE_CACHE`, else `$XDG_CACHE_HOME/kdpipe`, else `.cache/kdpipe` in the home folder
/// (`Library/Caches/kdpipe` on macOS).
///
/// # Errors
/// None of the variables is set.
pub fn cache_folder() -> Result<PathBuf> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = variable("KDPIPE_CACHE") {
        return Ok(folder);
    }
    if let Some(folder) = variable("XDG_CACHE_HOME") {
        return Ok(folder.join("kdpipe"));
    }
    let home = variable("HOME")
        .context("there is no place for the cache: set KDPIPE_CACHE to a folder")?;
    Ok(if cfg!(target_os = "macos") {
        home.join("Library/Caches/kdpipe")
    } else {
        home.join(".cache/kdpipe")
    })
}
