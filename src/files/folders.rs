//! Folders that are durable once they are there, what lies in one, and the parts of a path.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::error::explain;
use super::system;

/// Makes a folder and those above it; each is durable when this returns.
///
/// # Errors
/// Anything the disk refuses.
pub fn create_folders(path: &Path) -> Result<()> {
    for _ in 0..TRIES {
        match create_once(path) {
            // A folder above was removed at the same moment by a process that found it empty.
            Err(error) if error.kind() == ErrorKind::NotFound && !path.as_os_str().is_empty() => {}
            result => return result.map_err(|error| explain(error, "make the folder", path)),
        }
    }
    Err(explain(ErrorKind::NotFound.into(), "make the folder", path))
}

/// How often a folder that vanishes under way is made again.
const TRIES: usize = 64;

fn create_once(path: &Path) -> std::io::Result<()> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut at = path;
    while !at.as_os_str().is_empty() && !at.is_dir() {
        missing.push(at.to_owned());
        match at.parent() {
            Some(parent) => at = parent,
            None => break,
        }
    }
    for folder in missing.iter().rev() {
        match system::create_folder(folder) {
            Ok(()) => system::sync_folder(split(folder).0)?,
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// Anything the disk refuses.
pub fn sync_folder(path: &Path) -> Result<()> {
    system::sync_folder(path).map_err(|error| explain(error, "flush the folder", path))
}

/// What lies in a folder, in the order of names. A name that is no text has replacement characters
/// in it; the path beside it is whole.
///
/// # Errors
/// A folder that is not there or cannot be listed to its end, in the system's own words.
pub fn entries(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.push((name, entry.path()));
    }
    found.sort();
    Ok(found)
}

/// The folder of a path (the working folder for a bare name) and its last name.
pub(super) fn split(path: &Path) -> (&Path, &str) {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    (
        folder,
        path.file_name()
            .and_then(OsStr::to_str)
            .unwrap_or("unnamed"),
    )
}

#[cfg(test)]
#[path = "folders_tests.rs"]
mod tests;
