//! What lies in the work folder of an unfinished run, `work/<id>/`: the lock, attempts, and perhaps
//! a result that differs from the published one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::checkpoint;
use super::layout::Layout;
use super::runs::is_complete;
use crate::files::{self, Lock};

/// The file in a run's work that says who is at it.
pub(super) const LOCK: &str = "lock";
/// The file in a run's work with the reason why it could not be gone on with, where it failed.
const ERROR: &str = "error.txt";
/// The folder in a run's work with a result that is not the published one: kept, to be compared.
pub(super) const DIFFERENT: &str = "different";

/// Keeps the attempt that got furthest, to go on with it, and removes the others.
pub(super) fn keep_furthest_attempt(work: &Path) -> Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for path in folders(work)? {
        found.push((
            checkpoint::steps(&path.join("checkpoints"))?
                .last()
                .copied(),
            path,
        ));
    }
    found.sort();
    let best = found.pop().map(|(_, path)| path);
    found
        .iter()
        .try_for_each(|(_, path)| files::remove_tree(path))?;
    Ok(best)
}

/// The folders of the attempts.
pub(super) fn folders(work: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(work).with_context(|| format!("cannot list {}", work.display()))?;
    Ok(entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !path.ends_with(DIFFERENT))
        .collect())
}

/// Whether a run was begun: an attempt at it is there.
pub fn is_begun(layout: &Layout, id: &str) -> bool {
    folders(&layout.work(id)).is_ok_and(|found| !found.is_empty())
}

/// Keeps the reason why a run failed, for whoever asks later; the next attempt forgets it.
///
/// # Errors
/// Anything the disk refuses.
pub fn write_error(layout: &Layout, id: &str, error: &str) -> Result<()> {
    files::write_atomically(&layout.work(id).join(ERROR), error.as_bytes())
}

/// Why a run failed the last time it was tried, where it was not tried since.
pub fn read_error(layout: &Layout, id: &str) -> Option<String> {
    let text = files::read_text(&layout.work(id).join(ERROR), 1 << 20).ok()?;
    Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
}

/// Forgets why a run failed, now that it is tried again.
pub(super) fn forget_error(work: &Path) -> Result<()> {
    let path = work.join(ERROR);
    if path.exists() {
        files::remove_file(&path)?;
    }
    Ok(())
}

/// Removes everything of a finished run's work but the lock, and a result that differs from the
/// published one.
fn clear(work: &Path) -> Result<()> {
    let entries =
        std::fs::read_dir(work).with_context(|| format!("cannot list {}", work.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
        .iter()
        .filter(|name| *name != LOCK && *name != DIFFERENT)
        .try_for_each(|name| files::remove_tree(&work.join(name)))
}

/// Removes what is left of a finished run's work, gives the lock back, and removes the folder,
/// unless somebody begins to use it; `work` goes with the last of its runs.
pub(super) fn finish(work: &Path, lock: Lock) -> Result<()> {
    clear(work)?;
    drop(lock);
    files::remove_if_empty(work);
    work.parent().into_iter().for_each(files::remove_if_empty);
    Ok(())
}

/// Removes the work of runs that are published: a process may have ended between the two. Work that
/// somebody is at stays.
///
/// # Errors
/// Anything the disk refuses.
pub fn sweep(layout: &Layout) -> Result<()> {
    let work = layout.root.join("work");
    let Ok(entries) = std::fs::read_dir(&work) else {
        return Ok(());
    };
    let mut ids: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    ids.sort();
    for id in ids.iter().filter(|id| is_complete(&layout.run(id))) {
        let path = layout.work(id);
        if let files::LockClaim::Acquired(lock) = Lock::acquire(&path.join(LOCK))? {
            finish(&path, lock)?;
        }
    }
    // A process may have ended before it removed the folder of the last of them.
    files::remove_if_empty(&work);
    Ok(())
}
