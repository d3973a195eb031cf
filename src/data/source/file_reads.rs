//! For tests: how often a file was read from its beginning, by whatever thread.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static READ: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A file is about to be read.
pub(super) fn note(path: &Path) {
    READ.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(path.to_owned());
}

/// How often the file was read so far.
pub(in crate::data) fn count(path: &Path) -> usize {
    let read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    read.iter().filter(|other| *other == path).count()
}
