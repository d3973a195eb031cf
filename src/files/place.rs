//! Moving and removing what is there.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::error::explain;
use super::folders::{create_folders, split, sync_folder};
use super::{owner, system};

/// Whether a folder went to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Placed {
    Done,
    /// Something is there already; nothing changed.
    TargetExists,
}

/// Renames a folder whose content is flushed, durably. An empty folder at the target is replaced.
///
/// # Errors
/// Anything the disk refuses, and two places on different file systems.
pub fn rename_folder(from: &Path, to: &Path) -> Result<Placed> {
    match system::rename(from, to) {
        Ok(()) => {}
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotADirectory
            ) && to.exists() =>
        {
            return Ok(Placed::TargetExists);
        }
        Err(error) => return Err(explain(error, "rename to", to)),
    }
    let (new, old) = (split(to).0, split(from).0);
    sync_folder(new)?;
    if old != new {
        sync_folder(old)?;
    }
    Ok(Placed::Done)
}

/// Makes `path` a second name of the file `target`, over what may be there: a relative symbolic
/// link, so that the folder that holds both can move; a hard link where there are none.
///
/// # Errors
/// Anything the disk refuses.
pub fn link(target: &Path, path: &Path) -> Result<()> {
    let (folder, name) = split(path);
    create_folders(folder)?;
    let temporary = folder.join(owner::name_in_the_making(name));
    let made = match system::symlink(&relative(target, folder), &temporary) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            system::link(target, &temporary)
        }
        made => made,
    };
    made.and_then(|()| system::rename(&temporary, path))
        .map_err(|error| explain(error, "link", path))
        .inspect_err(|_| remove_quietly(&temporary))?;
    sync_folder(folder)
}

/// The way from a folder to a path, where both begin alike.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let same = path
        .components()
        .zip(folder.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = folder
        .components()
        .skip(same)
        .map(|_| std::path::Component::ParentDir);
    up.chain(path.components().skip(same)).collect()
}

/// Removes a file; nothing happens where there is none.
///
/// # Errors
/// Anything the disk refuses.
pub fn remove_file(path: &Path) -> Result<()> {
    match system::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(explain(error, "remove", path)),
        _ => Ok(()),
    }
}

/// Removes a folder with everything in it, or a file; nothing happens where there is nothing, or
/// where another process removes at the same time. Links are removed, never followed.
///
/// # Errors
/// Anything the disk refuses.
pub fn remove_tree(path: &Path) -> Result<()> {
    let missing = |error: &std::io::Error| error.kind() == ErrorKind::NotFound;
    match path.symlink_metadata() {
        Err(error) if missing(&error) => return Ok(()),
        Err(error) => return Err(explain(error, "remove", path)),
        Ok(about) if !about.is_dir() => return remove_file(path),
        Ok(_) => {}
    }
    match std::fs::read_dir(path) {
        Err(error) if missing(&error) => return Ok(()),
        Err(error) => return Err(explain(error, "list", path)),
        Ok(entries) => {
            let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            names.sort();
            names.iter().try_for_each(|entry| remove_tree(entry))?;
        }
    }
    match system::remove_folder(path) {
        Err(error) if !missing(&error) => Err(explain(error, "remove", path)),
        _ => Ok(()),
    }
}

/// Removes a folder if it is empty and nobody begins to use it at this moment.
pub fn remove_if_empty(path: &Path) {
    let is_empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        let _ = system::remove_folder(path);
    }
}

/// Removes what may stay if it must: the error that led here is the one to tell.
pub(super) fn remove_quietly(path: &Path) {
    let _ = remove_tree(path);
}
