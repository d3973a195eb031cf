//! A file that is filled over several attempts, and appears at its place when it is whole.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::append::Append;
use super::error::explain;
use super::folders::{create_folders, split, sync_folder};
use super::{owner, system};

/// A file in the making that outlives its maker. Every process fills one of its own, under a name
/// that no other uses; what a dead one left, or one that gave up, is taken over by a rename, which
/// only one of several takers can do. Nothing is known of its content: whoever goes on checks the
/// whole.
#[derive(Debug)]
pub struct Partial {
    own: PathBuf,
    /// Where it waits for the next attempt.
    waiting: PathBuf,
    /// None once it was put in its place.
    file: Option<Append>,
}

impl Partial {
    /// Takes over what was left for `path`, or begins anew. `path` itself names it and is never
    /// made.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn take(path: &Path) -> Result<Self> {
        let (folder, name) = split(path);
        create_folders(folder)?;
        let own = folder.join(owner::name_in_the_making(name));
        let waiting = folder.join(format!("{name}.part"));
        let mut left = vec![waiting.clone()];
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        left.extend(
            entries
                .filter(|entry| {
                    entry
                        .file_name()
                        .to_str()
                        .is_some_and(|found| owner::is_left_behind(found, name))
                })
                .map(|entry| entry.path()),
        );
        // The first that is still there; others are taken by later attempts.
        for from in left {
            match system::rename(&from, &own) {
                Ok(()) => break,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(explain(error, "take over", &from)),
            }
        }
        let length = own.metadata().map_or(0, |about| about.len());
        let file = Some(Append::open(&own, length)?);
        Ok(Self { own, waiting, file })
    }

    /// The most bytes that any process has of `path` by now, or has left of it.
    pub fn length_so_far(path: &Path) -> u64 {
        let (folder, name) = split(path);
        let is_one = |found: &str| {
            found.strip_prefix(name) == Some(".part")
                || found
                    .strip_prefix('.')
                    .and_then(|rest| rest.strip_prefix(name))
                    .is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".new"))
        };
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_one));
        ours.filter_map(|entry| entry.metadata().ok())
            .map(|about| about.len())
            .max()
            .unwrap_or(0)
    }

    /// Bytes that it has.
    pub fn length(&self) -> u64 {
        self.file.as_ref().map_or(0, Append::length)
    }

    /// Where it is, to be read.
    pub fn path(&self) -> &Path {
        &self.own
    }

    /// # Errors
    /// Anything the disk refuses.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.append(bytes))
    }

    /// Empties it.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn restart(&mut self) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.truncate(0))
    }

    /// Makes what it has durable.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn sync(&mut self) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), Append::sync)
    }

    /// Puts it at `place`, over what may be there, durably.
    ///
    /// # Errors
    /// Anything the disk refuses, and a place on another file system.
    pub fn finish(mut self, place: &Path) -> Result<()> {
        self.sync()?;
        let folder = split(place).0;
        create_folders(folder)?;
        system::rename(&self.own, place).map_err(|error| explain(error, "write", place))?;
        self.file = None;
        sync_folder(folder)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.file.take().is_some_and(|file| file.length() > 0) {
            let _ = system::rename(&self.own, &self.waiting);
        } else {
            let _ = system::remove_file(&self.own);
        }
    }
}

#[cfg(test)]
#[path = "partial_tests.rs"]
mod tests;
