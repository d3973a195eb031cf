//! Writing whole files and publishing whole folders.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow};

use super::fault;

/// A name that no other file of this machine's processes has.
pub fn unique_name(prefix: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let nanoseconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{prefix}{}-{nanoseconds:x}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// What can be done about an error of the disk, in plain words.
pub(super) fn explain(error: io::Error, doing: &str, path: &Path) -> anyhow::Error {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room and run again: it goes on where it stopped",
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => "; choose another folder with --results, or make this one writable",
        _ => "",
    };
    anyhow!("cannot {doing} {}: {error}{remedy}", path.display())
}

/// Makes a folder and the ones above it.
///
/// # Errors
/// What the operating system says, with the path.
pub fn create_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fault::point().and_then(|()| fs::create_dir_all(path)).map_err(|error| explain(error, "make the folder", path))
}

/// Writes a file so that it is there whole, or as it was before, whatever happens. Folders above it are made.
///
/// # Errors
/// What the operating system says, with the path and a remedy.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(folder)?;
    let temporary = folder.join(unique_name(".tmp-"));
    let written = write_synced(&temporary, bytes).and_then(|()| {
        fault::point()?;
        fs::rename(&temporary, path)
    });
    if let Err(error) = written {
        let _ = fs::remove_file(&temporary);
        return Err(explain(error, "write", path));
    }
    sync_folder(folder)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fault::point()?;
    let mut file = File::create(path)?;
    fault::point()?;
    file.write_all(bytes)?;
    fault::point()?;
    file.sync_all()
}

/// Makes the names in a folder durable.
///
/// # Errors
/// What the operating system says, with the path.
pub fn sync_folder(folder: &Path) -> Result<()> {
    fault::point().and_then(|()| File::open(folder)).and_then(|file| file.sync_all()).map_err(|error| explain(error, "sync the folder", folder))
}

/// Makes the folder `from`, with everything in it durable already, appear as `to` by one rename. False where `to` exists: `from` is left as it was then.
///
/// # Errors
/// What the operating system says, with the path.
pub fn publish_folder(from: &Path, to: &Path) -> Result<bool> {
    let above = to.parent().ok_or_else(|| anyhow!("{} has no folder above it", to.display()))?;
    create_folder(above)?;
    sync_tree(from)?;
    match fault::point().and_then(|()| fs::rename(from, to)) {
        Ok(()) => sync_folder(above).map(|()| true),
        Err(error) if to.exists() && matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(explain(error, "publish", to)),
    }
}

/// Syncs every folder of a tree; its files were synced as they were written.
fn sync_tree(root: &Path) -> Result<()> {
    for entry in fs::read_dir(root).with_context(|| format!("cannot list {}", root.display()))? {
        let entry = entry.with_context(|| format!("cannot list {}", root.display()))?;
        if entry.file_type().with_context(|| format!("cannot read {}", entry.path().display()))?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(root)
}

/// Reads a file.
///
/// # Errors
/// What the operating system says, with the path.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Removes a folder with everything in it; none there is no error.
///
/// # Errors
/// What the operating system says, with the path.
pub fn remove_tree(path: &Path) -> Result<()> {
    match fault::point().and_then(|()| fs::remove_dir_all(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(explain(error, "remove", path)),
        _ => Ok(()),
    }
}

/// Renames something broken to `<name>.bad` (with a number if there is one already), with the reason in a file beside it; returns the new path.
///
/// # Errors
/// What the operating system says, with the path.
pub fn set_aside(path: &Path, reason: &str) -> Result<PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut target = path.with_file_name(format!("{name}.bad"));
    let mut number = 2;
    while target.exists() {
        target = path.with_file_name(format!("{name}.bad-{number}"));
        number += 1;
    }
    fault::point().and_then(|()| fs::rename(path, &target)).map_err(|error| explain(error, "set aside", path))?;
    let note = target.with_file_name(format!("{}.reason.txt", target.file_name().unwrap_or_default().to_string_lossy()));
    write_atomically(&note, format!("{reason}\n").as_bytes())?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write_atomically(&path, b"first").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_published_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["one", "two"] {
            write_atomically(&at(name).join("x/y.txt"), name.as_bytes()).unwrap();
        }
        assert!(publish_folder(&at("one"), &at("runs/id")).unwrap());
        assert!(!publish_folder(&at("two"), &at("runs/id")).unwrap());
        assert_eq!(read(&at("runs/id/x/y.txt")).unwrap(), b"one");
        assert!(at("two").exists());
    }

    #[test]
    fn broken_things_are_set_aside_with_their_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.bin");
        for expected in ["cache.bin.bad", "cache.bin.bad-2"] {
            write_atomically(&path, b"x").unwrap();
            let moved = set_aside(&path, "too short").unwrap();
            assert_eq!(moved.file_name().unwrap(), expected);
        }
        assert_eq!(read(&folder.path().join("cache.bin.bad.reason.txt")).unwrap(), b"too short\n");
    }

    #[test]
    fn errors_name_the_path_and_what_to_do() {
        let error = explain(io::Error::from_raw_os_error(28), "write", Path::new("results/x")).to_string();
        assert!(error.starts_with("cannot write results/x: ") && error.ends_with("make room and run again: it goes on where it stopped"), "{error}");
    }
}
