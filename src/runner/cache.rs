//! Where tokenized corpora and trained teachers are kept between studies.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::record::layout::Layout;

/// Where everything lies below the folder of the cache.
#[derive(Debug, Clone, Copy)]
pub struct CacheLayout<'a> {
    root: &'a Path,
}

impl<'a> CacheLayout<'a> {
    pub fn new(root: &'a Path) -> Self {
        Self { root }
    }

    /// The folder of tokenized texts.
    pub fn corpora(&self) -> PathBuf {
        self.root.join("corpora")
    }

    /// Teachers that were trained, or are: they lie as a study's runs do.
    pub fn teachers(&self) -> Layout {
        Layout {
            root: self.root.join("teachers"),
        }
    }

    /// The folder of a card's compiled kernels.
    pub fn kernels(&self) -> PathBuf {
        self.root.join("kernels")
    }
}

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
