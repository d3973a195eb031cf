//! Files and folders that appear whole.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use super::error::explain;
use super::folders::{create_folders, split, sync_folder};
use super::place::{Placed, remove_quietly, rename_folder};
use super::{owner, system};

/// Writes a file so that at any moment, after a kill or a loss of power too, `path` holds either
/// what it held before or all of `bytes`.
///
/// A new file beside it is written and flushed, renamed over it, and the folder flushed. Missing
/// folders are made. What dead processes left in the making for this path goes.
///
/// # Errors
/// Anything the disk refuses; the old content is then still there.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |temporary| write_new(temporary, bytes))
}

/// Writes what a user asked for at a place of his own. A device, a pipe, or a link to one is opened
/// and written, as a shell does; of a link to a file the file is replaced, and the link stays.
///
/// # Errors
/// Anything the disk refuses; the old content of a file is then still there.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(about) if !about.is_file() && !about.is_dir() => {
            let opened = system::open_append(path);
            let mut file = opened.map_err(|error| explain(error, "open", path))?;
            system::write(&mut file, path, bytes).map_err(|error| explain(error, "write", path))
        }
        Ok(_) if path.is_symlink() => {
            let target = path.canonicalize();
            let target = target.map_err(|error| explain(error, "follow", path))?;
            write_atomically(&target, bytes)
        }
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            let target = path.read_link();
            let target = target.map_err(|error| explain(error, "follow", path))?;
            let folder = path.parent().unwrap_or(Path::new(""));
            write_atomically(&folder.join(target), bytes)
        }
        // Where nothing can be seen, the write finds out why.
        Ok(_) | Err(_) => write_atomically(path, bytes),
    }
}

/// The same for a file that `write` writes piece by piece. It gets the new file, empty, to write,
/// seek and map as it likes.
///
/// # Errors
/// What `write` returns, and anything the disk refuses; the old content is then still there.
pub fn write_by(path: &Path, write: &mut dyn FnMut(&mut File) -> Result<()>) -> Result<()> {
    replace(path, |temporary| {
        let mut file = system::create(temporary).map_err(|error| explain(error, "create", path))?;
        system::write_by(&mut file, temporary, write).map_err(|error| {
            match error.downcast::<std::io::Error>() {
                Ok(error) => explain(error, "write", path),
                Err(error) => error.context(format!("cannot write {}", path.display())),
            }
        })?;
        system::sync_file(&file, temporary).map_err(|error| explain(error, "flush", path))
    })
}

/// Has a file made beside `path`, and renames it over that.
fn replace(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let (folder, name) = split(path);
    create_folders(folder)?;
    sweep(folder, name);
    let temporary = folder.join(owner::name_in_the_making(name));
    make(&temporary)
        .and_then(|()| {
            system::rename(&temporary, path).map_err(|error| explain(error, "write", path))
        })
        .inspect_err(|_| remove_quietly(&temporary))?;
    sync_folder(folder)
}

/// Writes a file that is not there yet and flushes it. Its name is durable once its folder is
/// flushed.
///
/// # Errors
/// Anything the disk refuses, or a file that is there.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = system::create(path).map_err(|error| explain(error, "create", path))?;
    system::write(&mut file, path, bytes).map_err(|error| explain(error, "write", path))?;
    system::sync_file(&file, path).map_err(|error| explain(error, "flush", path))
}

/// Makes a folder of files (relative paths) appear at once, by one rename; or leaves what is at
/// `target` as it is.
///
/// # Errors
/// Anything the disk refuses; `target` is then as it was.
pub fn write_folder(target: &Path, files: &[(&str, &[u8])]) -> Result<Placed> {
    let (parent, name) = split(target);
    create_folders(parent)?;
    sweep(parent, name);
    let temporary = parent.join(owner::name_in_the_making(name));
    let written = write_files(&temporary, files).and_then(|()| rename_folder(&temporary, target));
    if !matches!(written, Ok(Placed::Done)) {
        remove_quietly(&temporary);
    }
    written
}

/// Files and every folder on the way to them, all flushed.
fn write_files(folder: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    create_folders(folder)?;
    let mut folders = BTreeSet::from([folder.to_owned()]);
    for (relative, bytes) in files {
        let path = folder.join(relative);
        let (parent, _) = split(&path);
        if folders.insert(parent.to_owned()) {
            create_folders(parent)?;
        }
        write_new(&path, bytes)?;
    }
    folders.iter().try_for_each(|folder| sync_folder(folder))
}

/// Removes what dead processes left in the making for `name`. It costs nothing but its absence if
/// this fails.
pub(super) fn sweep(folder: &Path, name: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry
            .file_name()
            .to_str()
            .is_some_and(|found| owner::is_left_behind(found, name))
        {
            remove_quietly(&entry.path());
        }
    }
}
