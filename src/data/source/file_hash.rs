//! The sha256 of input files, each of which is read for it once.
//!
//! A hash that is known stands as long as nothing says that the file changed: its length, the time
//! it was last written and, where the system has them, the time of its last change of any kind and
//! the place on the disk. A file that was written just before it was read is not known by these:
//! within one tick of the file system's clock a second write leaves no trace. So what is remembered
//! never changes an answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::files;

/// The coarsest tick of a file system's clock: that of FAT.
const TICK: Duration = Duration::from_secs(2);

/// Hashes of this process, by path.
static KNOWN: Mutex<BTreeMap<PathBuf, (FileStamp, String)>> = Mutex::new(BTreeMap::new());

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

/// The sha256 of a file's content.
///
/// # Errors
/// A file that cannot be read.
pub fn sha256_of_input(path: &Path) -> Result<String> {
    let stamp = FileStamp::of(path);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some(stamp), Some((known_stamp, sha256))) = (&stamp, known().get(path))
        && stamp == known_stamp
    {
        return Ok(sha256.clone());
    }
    #[cfg(test)]
    super::file_reads::note(path);
    let begun = SystemTime::now();
    let sha256 = files::sha256_of_file(path)?;
    if let Some(stamp) = stamp.filter(|stamp| stamp.is_settled(begun))
        && FileStamp::of(path) == Some(stamp)
    {
        known().insert(path.to_owned(), (stamp, sha256.clone()));
    }
    Ok(sha256)
}

#[cfg(test)]
#[path = "file_hash_tests.rs"]
mod tests;
