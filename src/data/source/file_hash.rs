//! What a whole input file shows: its sha256, its length, and whether it is UTF-8. Each file is
//! read for it once.
//!
//! What is known stands as long as nothing says that the file changed: its length, the time
//! it was last written and, where the system has them, the time of its last change of any kind and
//! the place on the disk. A file that was written just before it was read is not known by these:
//! within one tick of the file system's clock a second write leaves no trace. So what is remembered
//! never changes an answer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::digest;

/// The coarsest tick of a file system's clock: that of FAT.
const TICK: Duration = Duration::from_secs(2);

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    pub sha256: String,
    pub length: u64,
    /// The byte at which it stops being UTF-8, if it does.
    pub not_utf8_at: Option<u64>,
}

/// Facts of this process, by path.
static KNOWN: Mutex<BTreeMap<PathBuf, (FileStamp, FileFacts)>> = Mutex::new(BTreeMap::new());

/// What changes with a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    length: u64,
    written: SystemTime,
    /// Device, inode and the time of the last change in seconds and nanoseconds: no program can set
    /// that time back.
    #[cfg(unix)]
    changed: (u64, u64, i64, i64),
}

impl FileStamp {
    /// Nothing where the system does not tell.
    fn of(path: &Path) -> Option<Self> {
        let about = path.metadata().ok()?;
        Some(Self {
            length: about.len(),
            written: about.modified().ok()?,
            #[cfg(unix)]
            changed: last_change(&about),
        })
    }

    /// Whether any later change will show.
    fn is_settled(&self, now: SystemTime) -> bool {
        let is_past = |time: SystemTime| now.duration_since(time).is_ok_and(|age| age > TICK);
        #[cfg(unix)]
        let is_changed_long_ago = u64::try_from(self.changed.2).is_ok_and(|seconds| {
            is_past(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds + 1))
        });
        #[cfg(not(unix))]
        let is_changed_long_ago = true;
        is_past(self.written) && is_changed_long_ago
    }
}

#[cfg(unix)]
fn last_change(about: &std::fs::Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (about.dev(), about.ino(), about.ctime(), about.ctime_nsec())
}

/// The facts of a file's content.
///
/// # Errors
/// A file that cannot be read.
pub fn file_facts(path: &Path) -> Result<FileFacts> {
    let stamp = FileStamp::of(path);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some(stamp), Some((known_stamp, facts))) = (&stamp, known().get(path))
        && stamp == known_stamp
    {
        return Ok(facts.clone());
    }
    #[cfg(test)]
    super::file_reads::note(path);
    let begun = SystemTime::now();
    let facts = read_facts(path).with_context(|| format!("cannot read {}", path.display()))?;
    if let Some(stamp) = stamp.filter(|stamp| stamp.is_settled(begun))
        && FileStamp::of(path) == Some(stamp)
    {
        known().insert(path.to_owned(), (stamp, facts.clone()));
    }
    Ok(facts)
}

fn read_facts(path: &Path) -> std::io::Result<FileFacts> {
    let mut watched = Utf8Watch {
        file: File::open(path)?,
        begun: Vec::new(),
        valid: 0,
        broken: false,
    };
    let (sha256, length) = digest::of_reader(&mut watched, Sha256::new())?;
    Ok(FileFacts {
        sha256,
        length,
        not_utf8_at: (watched.valid < length).then_some(watched.valid),
    })
}

/// A file that is looked at while it is read.
struct Utf8Watch {
    file: File,
    /// The beginning of a character that the bytes so far end in.
    begun: Vec<u8>,
    /// Bytes that are UTF-8, from the first on.
    valid: u64,
    broken: bool,
}

impl Read for Utf8Watch {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        if !self.broken {
            self.look_at(&buffer[..count]);
        }
        Ok(count)
    }
}

impl Utf8Watch {
    fn look_at(&mut self, mut bytes: &[u8]) {
        // The character that is open is completed first; it has at most four bytes.
        while let (false, Some((&next, rest))) = (self.begun.is_empty(), bytes.split_first()) {
            self.begun.push(next);
            bytes = rest;
            match std::str::from_utf8(&self.begun) {
                Ok(_) => {
                    self.valid += self.begun.len() as u64;
                    self.begun.clear();
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    self.broken = true;
                    return;
                }
            }
        }
        match std::str::from_utf8(bytes) {
            Ok(_) => self.valid += bytes.len() as u64,
            Err(error) => {
                self.valid += error.valid_up_to() as u64;
                self.broken = error.error_len().is_some();
                self.begun = bytes[error.valid_up_to()..].to_vec();
            }
        }
    }
}

#[cfg(test)]
#[path = "file_hash_tests.rs"]
mod tests;
