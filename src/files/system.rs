//! The calls that change the disk, one function each and nothing more: the place where faults
//! strike and where tests listen.

#![allow(
    clippy::disallowed_methods,
    reason = "the one place that changes the disk"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use super::fault;

/// What a call changed, for tests that replay what a disk would hold after the power went.
#[derive(Debug, Clone)]
#[cfg_attr(not(test), expect(dead_code, reason = "only tests listen"))]
pub(super) enum DiskChange {
    Create(PathBuf),
    Write(PathBuf, Vec<u8>),
    Truncate(PathBuf, u64),
    SyncFile(PathBuf),
    SyncFolder(PathBuf),
    CreateFolder(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Symlink(PathBuf),
    Remove(PathBuf),
}

#[cfg(test)]
fn tell(change: impl FnOnce() -> DiskChange) {
    super::test_disk::record(change());
}

#[cfg(not(test))]
#[inline(always)]
fn tell(_: impl FnOnce() -> DiskChange) {}

/// Fails instead of the call, where a fault is due.
fn admit() -> Result<()> {
    match fault::next() {
        Some(strike) => Err(strike.land()),
        None => Ok(()),
    }
}

/// A new file; an error where one is there.
pub(super) fn create(path: &Path) -> Result<File> {
    admit()?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    tell(|| DiskChange::Create(path.to_owned()));
    Ok(file)
}

/// A file that exists, to append to.
pub(super) fn open_append(path: &Path) -> Result<File> {
    admit()?;
    OpenOptions::new().append(true).open(path)
}

pub(super) fn open_read(path: &Path) -> Result<File> {
    admit()?;
    File::open(path)
}

/// Writes at the file's end. A fault may leave the first half behind, as a full disk or a kill may.
pub(super) fn write(file: &mut File, path: &Path, bytes: &[u8]) -> Result<()> {
    let Some(strike) = fault::next() else {
        file.write_all(bytes)?;
        tell(|| DiskChange::Write(path.to_owned(), bytes.to_vec()));
        return Ok(());
    };
    if strike.torn {
        let half = &bytes[..bytes.len() / 2];
        file.write_all(half)?;
        tell(|| DiskChange::Write(path.to_owned(), half.to_vec()));
    }
    Err(strike.land())
}

/// Has a new file written piece by piece. A fault may leave the first half behind.
pub(super) fn write_by(
    file: &mut File,
    path: &Path,
    write: &mut dyn FnMut(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let strike = fault::next();
    write(file)?;
    let length = file.metadata()?.len();
    if let Some(strike) = strike {
        file.set_len(length / 2)?;
        return Err(strike.land().into());
    }
    tell(|| DiskChange::Write(path.to_owned(), fs::read(path).unwrap_or_default()));
    Ok(())
}

pub(super) fn truncate(file: &File, path: &Path, length: u64) -> Result<()> {
    admit()?;
    file.set_len(length)?;
    tell(|| DiskChange::Truncate(path.to_owned(), length));
    Ok(())
}

/// Content and length reach the disk.
pub(super) fn sync_file(file: &File, path: &Path) -> Result<()> {
    admit()?;
    file.sync_all()?;
    tell(|| DiskChange::SyncFile(path.to_owned()));
    Ok(())
}

/// The names in a folder reach the disk. Where folders cannot be opened (Windows) the system sees
/// to it itself.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    admit()?;
    if cfg!(unix) {
        match File::open(path)?.sync_all() {
            // Some network file systems know no such thing.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidInput | ErrorKind::Unsupported
                ) => {}
            result => result?,
        }
    }
    tell(|| DiskChange::SyncFolder(path.to_owned()));
    Ok(())
}

pub(super) fn create_folder(path: &Path) -> Result<()> {
    admit()?;
    fs::create_dir(path)?;
    tell(|| DiskChange::CreateFolder(path.to_owned()));
    Ok(())
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    admit()?;
    fs::rename(from, to)?;
    tell(|| DiskChange::Rename(from.to_owned(), to.to_owned()));
    Ok(())
}

/// A second name for a file; an error where that name is taken.
pub(super) fn link(from: &Path, to: &Path) -> Result<()> {
    admit()?;
    fs::hard_link(from, to)?;
    tell(|| DiskChange::Link(from.to_owned(), to.to_owned()));
    Ok(())
}

/// A symbolic link at `path`, which leads to `target` as seen from the link's folder; an error
/// where that name is taken.
pub(super) fn symlink(target: &Path, path: &Path) -> Result<()> {
    admit()?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, path)?;
    #[cfg(windows)]
    std::os::windows::fs::symlink_file(target, path)?;
    tell(|| DiskChange::Symlink(path.to_owned()));
    Ok(())
}

pub(super) fn remove_file(path: &Path) -> Result<()> {
    admit()?;
    fs::remove_file(path)?;
    tell(|| DiskChange::Remove(path.to_owned()));
    Ok(())
}

/// Removes an empty folder.
pub(super) fn remove_folder(path: &Path) -> Result<()> {
    admit()?;
    fs::remove_dir(path)?;
    tell(|| DiskChange::Remove(path.to_owned()));
    Ok(())
}
