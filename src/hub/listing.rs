//! The files of a commit: paths, lengths, hashes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::hash::Hash;
use super::repo::is_below;
use crate::files;

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFile {
    /// Below the repo, with `/` between names.
    pub path: String,
    pub size: u64,
    /// Unknown of a file that somebody put into the cache without a blob.
    pub hash: Option<Hash>,
    /// What git knows it by; of a file in large-file storage that of the pointer to it.
    git: String,
    /// What the hub's other storage knows it by, kept for the Python library.
    xet_hash: Option<String>,
    /// Whether length and hash are asked for when the file is wanted: a mirror may tell names
    /// alone.
    pub(super) is_name_alone: bool,
}

/// All files of a commit, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub files: Vec<RepoFile>,
    /// Whether these are all: not where the cache alone was asked, which may lack some.
    pub whole: bool,
    /// Whether a file that is not in it may be asked for by its name: a mirror may list none.
    pub(super) by_name: bool,
}

/// A page of the hub's answer.
pub(super) type ListingPage = Vec<Listed>;

/// As the hub lists a file or folder.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    oid: Option<String>,
    size: Option<u64>,
    lfs: Option<Large>,
    #[serde(rename = "xetHash")]
    xet_hash: Option<String>,
}

/// Of a file in large-file storage.
#[derive(Debug, Deserialize)]
struct Large {
    oid: String,
    size: u64,
}

/// As the description of a repo names a file; a mirror may leave out all but the name.
#[derive(Debug, Deserialize)]
pub(super) struct Sibling {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<LargeSibling>,
}

#[derive(Debug, Deserialize)]
struct LargeSibling {
    sha256: String,
    size: u64,
}

/// As a list is stored, by the Python library too.
#[derive(Serialize, Deserialize)]
struct StoredListing {
    format_version: u32,
    files: BTreeMap<String, StoredFile>,
}

#[derive(Serialize, Deserialize)]
struct StoredFile {
    size: u64,
    blob_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lfs_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lfs_size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    xet_hash: Option<String>,
}

const FORMAT: u32 = 1;
/// The largest list that is read back.
const LIMIT: u64 = 256 << 20;
/// Folders of a snapshot that are gone down at most.
const DEEPEST: usize = 16;

impl Listing {
    /// The files of the hub's answer.
    ///
    /// # Errors
    /// A path that leads elsewhere, a file without a hash.
    pub(super) fn new(listed: ListingPage) -> Result<Self, String> {
        let mut files = Vec::new();
        for Listed {
            kind,
            path,
            oid,
            size,
            lfs,
            xet_hash,
        } in listed
        {
            if kind != "file" {
                continue;
            }
            let (lfs_sha256, lfs_size) = lfs.map(|large| (large.oid, large.size)).unzip();
            let (Some(blob_id), Some(size)) = (oid, size) else {
                return Err(format!("it gives no hash or length of {path:?}"));
            };
            files.push(entry(
                path,
                StoredFile {
                    size,
                    blob_id,
                    lfs_sha256,
                    lfs_size,
                    xet_hash,
                },
            )?);
        }
        Ok(Self::sorted(files, true))
    }

    /// The files of a repo's description.
    ///
    /// # Errors
    /// A path that leads elsewhere.
    pub(super) fn of_siblings(siblings: Vec<Sibling>) -> Result<Self, String> {
        let file = |sibling: Sibling| match (sibling.blob_id, sibling.size) {
            (Some(blob_id), Some(size)) => {
                let (lfs_sha256, lfs_size) =
                    sibling.lfs.map(|large| (large.sha256, large.size)).unzip();
                let stored = StoredFile {
                    size,
                    blob_id,
                    lfs_sha256,
                    lfs_size,
                    xet_hash: None,
                };
                entry(sibling.rfilename, stored)
            }
            _ => RepoFile::name_alone(sibling.rfilename),
        };
        let files = siblings.into_iter().map(file);
        Ok(Self::sorted(files.collect::<Result<_, _>>()?, true))
    }

    /// An empty list, of a mirror that has none: its files are asked for by their names.
    pub(super) fn by_name() -> Self {
        Self {
            by_name: true,
            ..Self::sorted(Vec::new(), true)
        }
    }

    /// The same list with what is known of one file.
    pub(super) fn with(&self, file: RepoFile) -> Self {
        let mut files = self.files.clone();
        files.retain(|known| known.path != file.path);
        files.push(file);
        Self {
            by_name: self.by_name,
            ..Self::sorted(files, self.whole)
        }
    }

    fn sorted(mut files: Vec<RepoFile>, whole: bool) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Self {
            files,
            whole,
            by_name: false,
        }
    }

    /// What a snapshot in the cache holds; nothing where there is none.
    pub(super) fn of_snapshot(folder: &Path) -> Option<Self> {
        let mut files = Vec::new();
        walk(folder, "", 0, &mut files);
        (!files.is_empty()).then(|| Self::sorted(files, false))
    }

    pub fn find(&self, path: &str) -> Option<&RepoFile> {
        self.files
            .binary_search_by(|entry| entry.path.as_str().cmp(path))
            .ok()
            .map(|at| &self.files[at])
    }

    /// Reads a list that is stored; nothing where there is none that can be used.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let stored: StoredListing =
            serde_json::from_slice(&files::read_limited(path, LIMIT).ok()?).ok()?;
        let files = stored
            .files
            .into_iter()
            .map(|(path, file)| entry(path, file));
        (stored.format_version == FORMAT)
            .then_some(Self::sorted(files.collect::<Result<_, _>>().ok()?, true))
    }

    /// Stores the list for later starts, unless lengths or hashes of it are unknown.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        if self.by_name || self.files.iter().any(|file| file.is_name_alone) {
            return Ok(());
        }
        let file = |entry: &RepoFile| {
            let large = match &entry.hash {
                Some(Hash::Sha256(digits)) => Some((digits.clone(), entry.size)),
                _ => None,
            };
            let (lfs_sha256, lfs_size) = large.unzip();
            StoredFile {
                size: entry.size,
                blob_id: entry.git.clone(),
                lfs_sha256,
                lfs_size,
                xet_hash: entry.xet_hash.clone(),
            }
        };
        let files = self
            .files
            .iter()
            .map(|entry| (entry.path.clone(), file(entry)))
            .collect();
        files::write_atomically(
            path,
            &serde_json::to_vec_pretty(&StoredListing {
                format_version: FORMAT,
                files,
            })?,
        )
    }
}

/// A file as it is listed, or why it cannot be.
fn entry(path: String, file: StoredFile) -> Result<RepoFile, String> {
    if !is_below(&path) {
        return Err(elsewhere(&path));
    }
    let StoredFile {
        size,
        blob_id,
        lfs_sha256,
        lfs_size,
        xet_hash,
    } = file;
    let hash = match &lfs_sha256 {
        Some(sha256) => Hash::parse(sha256).filter(|hash| matches!(hash, Hash::Sha256(_))),
        None => Hash::parse(&blob_id).filter(|hash| matches!(hash, Hash::Git(_))),
    };
    let hash = Some(hash.ok_or_else(|| format!("it gives no hash or length of {path:?}"))?);
    Ok(RepoFile {
        path,
        size: lfs_size.unwrap_or(size),
        hash,
        git: blob_id,
        xet_hash,
        is_name_alone: false,
    })
}

fn elsewhere(path: &str) -> String {
    format!("it names a file {path:?}, which does not lie in the repo's folder")
}

fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<RepoFile>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let (path, at) = (format!("{prefix}{name}"), entry.path());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth < DEEPEST {
                walk(&at, &format!("{path}/"), depth + 1, found);
            }
        } else if let Ok(about) = at.metadata().map(|about| (about.is_file(), about.len()))
            && about.0
        {
            // A blob's name is its content's hash.
            let blob = std::fs::read_link(&at)
                .ok()
                .and_then(|to| Some(to.file_name()?.to_str()?.to_owned()));
            found.push(RepoFile {
                path,
                size: about.1,
                hash: blob.and_then(|name| Hash::parse(&name)),
                git: String::new(),
                xet_hash: None,
                is_name_alone: false,
            });
        }
    }
}

impl RepoFile {
    /// One of a known name that was asked for; again when it is wanted, where the answer lacked its
    /// length or its hash.
    pub(super) fn asked(name: &str, size: Option<u64>, hash: Option<Hash>) -> Self {
        Self {
            path: name.to_owned(),
            size: size.unwrap_or_default(),
            git: String::new(),
            is_name_alone: size.is_none() || hash.is_none(),
            hash,
            xet_hash: None,
        }
    }

    /// One of which length and hash are asked for when it is wanted.
    fn name_alone(path: String) -> Result<Self, String> {
        if !is_below(&path) {
            return Err(elsewhere(&path));
        }
        Ok(Self::asked(&path, None, None))
    }

    /// Whether `path` holds this file: `Err(None)` where nothing is there, `Err(Some(reason))`
    /// where something else is.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub(super) fn check(&self, path: &Path) -> Result<Result<(), Option<String>>> {
        let Ok(about) = path.metadata() else {
            return Ok(Err(None));
        };
        if !about.is_file() {
            return Ok(Err(Some("it is no file".to_owned())));
        }
        if about.len() != self.size {
            return Ok(Err(Some(format!(
                "it has {} bytes where {} are right",
                about.len(),
                self.size
            ))));
        }
        Ok(match &self.hash {
            Some(hash) if !hash.is_of(path, self.size)? => Err(Some(
                "its content does not have the hash that it should".to_owned(),
            )),
            _ => Ok(()),
        })
    }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
