//! What lies in the cache, and when it was last used.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::Serialize;

use super::cache::CacheLayout;
use crate::files;
use crate::record::{Leftover, LeftoverKind, bytes_of, remove_leftover};

/// Something that is kept between studies, and made again where it is gone.
#[derive(Debug, Clone)]
pub struct CacheEntry {
    pub path: PathBuf,
    pub kind: CacheKind,
    pub bytes: u64,
    /// When a file of it was last written, or read as far as the file system notes that: most note
    /// the first time in a day.
    pub last_use: SystemTime,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CacheKind {
    /// The tokens of a dataset.
    Corpus,
    /// A teacher that was trained.
    Teacher,
    /// The compiled kernels of a card.
    Kernels,
    /// What a training of a teacher left when it stopped: it goes on from there.
    Work,
    /// What was found damaged, and set aside.
    SetAside,
}

impl CacheKind {
    /// What it is, in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Corpus => "corpus",
            Self::Teacher => "teacher",
            Self::Kernels => "kernels",
            Self::Work => "work",
            Self::SetAside => "damaged",
        }
    }
}

/// Everything in the cache, what was not used for the longest time first.
///
/// # Errors
/// A folder that cannot be listed.
pub fn cache_entries(folder: &Path) -> Result<Vec<CacheEntry>> {
    let mut found = Vec::new();
    let cache = CacheLayout::new(folder);
    let teachers = cache.teachers();
    for (parent, kind) in [
        (cache.corpora(), CacheKind::Corpus),
        (teachers.runs(), CacheKind::Teacher),
        (teachers.all_work(), CacheKind::Work),
        (cache.kernels(), CacheKind::Kernels),
    ] {
        for (name, path) in entries(&parent)? {
            let is_damaged = files::is_set_aside(&name);
            let is_one = match kind {
                CacheKind::Corpus => name.ends_with(".kdtokens"),
                CacheKind::Kernels => name.ends_with(".cubin"),
                CacheKind::Teacher | CacheKind::Work | CacheKind::SetAside => path.is_dir(),
            };
            if is_one || is_damaged {
                found.push(CacheEntry {
                    kind: if is_damaged {
                        CacheKind::SetAside
                    } else {
                        kind
                    },
                    bytes: bytes_of(&path)?,
                    last_use: last_use(&path)?,
                    path,
                });
            }
        }
    }
    found.sort_by(|a, b| (a.last_use, &a.path).cmp(&(b.last_use, &b.path)));
    Ok(found)
}

/// Removes it. A process that reads it at this moment keeps what it has open; work that a process
/// is at stays, which gives false.
///
/// # Errors
/// Anything the disk refuses.
pub fn remove_cached(entry: &CacheEntry) -> Result<bool> {
    if entry.kind != CacheKind::Work {
        return files::remove_tree(&entry.path).map(|()| true);
    }
    let left = Leftover {
        path: entry.path.clone(),
        kind: LeftoverKind::Work,
        bytes: entry.bytes,
    };
    remove_leftover(&left)
}

fn last_use(path: &Path) -> Result<SystemTime> {
    let about = path
        .symlink_metadata()
        .with_context(|| format!("cannot read {}", path.display()))?;
    let mut last = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    if about.is_dir() {
        for (_, inner) in entries(path)? {
            last = last.max(last_use(&inner)?);
        }
    } else if let Ok(read) = about.accessed() {
        last = last.max(read);
    }
    Ok(last)
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    match files::entries(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        found => found.with_context(|| format!("cannot list {}", folder.display())),
    }
}
