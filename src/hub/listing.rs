//! The files of a commit: paths, lengths, hashes.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::hash::Hash;
use super::repo::is_below;
use crate::files;

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Below the repo, with `/` between names.
    pub path: String,
    pub size: u64,
    /// Unknown of a file that somebody put into the cache without a blob.
    pub hash: Option<Hash>,
}

/// All files of a commit, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub files: Vec<Entry>,
    /// Whether these are all: not where the cache alone was asked, which may lack some.
    pub whole: bool,
}

/// A page of the hub's answer.
pub(super) type Page = Vec<Listed>;

/// As the hub lists a file or folder.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    oid: Option<String>,
    size: Option<u64>,
    lfs: Option<Large>,
}

/// Of a file in large-file storage.
#[derive(Debug, Deserialize)]
struct Large {
    oid: String,
    size: u64,
}

/// As this program stores a list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    path: String,
    size: u64,
    hash: String,
}

/// The largest list that is read back.
const LIMIT: u64 = 256 << 20;
/// Folders of a snapshot that are gone down at most.
const DEEPEST: usize = 16;

impl Listing {
    /// The files of the hub's answer.
    ///
    /// # Errors
    /// A path that leads elsewhere, a file without a hash.
    pub(super) fn new(listed: Page) -> Result<Self, String> {
        let mut files = Vec::new();
        for Listed { kind, path, oid, size, lfs } in listed {
            if kind != "file" {
                continue;
            }
            if !is_below(&path) {
                return Err(format!("it names a file {path:?}, which does not lie in the repo's folder"));
            }
            let (hash, size) = match (lfs, oid, size) {
                (Some(large), ..) => (Some(large.oid).filter(|oid| oid.len() == 64), Some(large.size)),
                (None, oid, size) => (oid.filter(|oid| oid.len() == 40), size),
            };
            let (Some(hash), Some(size)) = (hash.and_then(|oid| Hash::parse(&oid)), size) else {
                return Err(format!("it gives no hash or length of {path:?}"));
            };
            files.push(Entry { path, size, hash: Some(hash) });
        }
        Ok(Self::sorted(files, true))
    }

    fn sorted(mut files: Vec<Entry>, whole: bool) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Self { files, whole }
    }

    /// What a snapshot in the cache holds; nothing where there is none.
    pub(super) fn of_snapshot(folder: &Path) -> Option<Self> {
        let mut files = Vec::new();
        walk(folder, "", 0, &mut files);
        (!files.is_empty()).then(|| Self::sorted(files, false))
    }

    pub fn find(&self, path: &str) -> Option<&Entry> {
        self.files.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok().map(|at| &self.files[at])
    }

    /// Reads a list that was written here; nothing where there is none that can be used.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let stored: Vec<Stored> = serde_json::from_slice(&files::read_limited(path, LIMIT).ok()?).ok()?;
        let entry = |Stored { path, size, hash }: Stored| {
            let hash = Some(Hash::parse(&hash)?);
            is_below(&path).then_some(Entry { path, size, hash })
        };
        Some(Self::sorted(stored.into_iter().map(entry).collect::<Option<_>>()?, true))
    }

    /// Writes the list for later starts.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let stored = |entry: &Entry| {
            let hash = entry.hash.as_ref().map_or_else(String::new, |hash| hash.digits().to_owned());
            Stored { path: entry.path.clone(), size: entry.size, hash }
        };
        files::write_atomically(path, &serde_json::to_vec(&self.files.iter().map(stored).collect::<Vec<_>>())?)
    }
}

fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<Entry>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let (path, at) = (format!("{prefix}{name}"), entry.path());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth < DEEPEST {
                walk(&at, &format!("{path}/"), depth + 1, found);
            }
        } else if let Ok(about) = at.metadata().map(|about| (about.is_file(), about.len()))
            && about.0
        {
            // A blob's name is its content's hash.
            let blob = std::fs::read_link(&at).ok().and_then(|to| Some(to.file_name()?.to_str()?.to_owned()));
            found.push(Entry { path, size: about.1, hash: blob.and_then(|name| Hash::parse(&name)) });
        }
    }
}

impl Entry {
    /// Whether `path` holds this file: `Err(None)` where nothing is there, `Err(Some(reason))` where something else is.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub(super) fn check(&self, path: &Path) -> Result<Result<(), Option<String>>> {
        let Ok(about) = path.metadata() else { return Ok(Err(None)) };
        if !about.is_file() {
            return Ok(Err(Some("it is no file".to_owned())));
        }
        if about.len() != self.size {
            return Ok(Err(Some(format!("it has {} bytes where {} are right", about.len(), self.size))));
        }
        Ok(match &self.hash {
            Some(hash) if !hash.is_of(path, self.size)? => Err(Some("its content does not have the hash that it should".to_owned())),
            _ => Ok(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(path: &str, oid: &str) -> Result<Listing, String> {
        let page =
            serde_json::json!([{ "type": "file", "path": path, "oid": oid, "size": 3 }, { "type": "directory", "path": "x", "oid": oid }]);
        Listing::new(serde_json::from_value(page).unwrap())
    }

    #[test]
    fn names_that_lead_out_of_the_folder_and_files_without_a_hash_are_refused() {
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        assert_eq!(listed("a/b.txt", git).unwrap().find("a/b.txt").unwrap().size, 3);
        for bad in ["../a", "/a", "a/../b", "a/./b", "a//b", "", "a\\b", "c:a", "a\n", "a/.."] {
            assert!(listed(bad, git).unwrap_err().contains("does not lie in the repo's folder"), "{bad}");
        }
        for bad in ["", "abc", "../../../../etc/passwd", &"G".repeat(40), &"a".repeat(64)] {
            assert!(listed("a", bad).unwrap_err().contains("no hash"), "{bad}");
        }
    }

    #[test]
    fn a_list_is_read_back_as_it_was_written_and_a_broken_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.json");
        let listing = listed("a/b.txt", "ce013625030ba8dba906f756967f9e9ca394464a").unwrap();
        listing.write(&path).unwrap();
        assert_eq!(Listing::read(&path), Some(listing));
        std::fs::write(&path, r#"[{"path":"../a","size":1,"hash":"ce013625030ba8dba906f756967f9e9ca394464a"}]"#).unwrap();
        assert_eq!(Listing::read(&path), None);
    }
}
