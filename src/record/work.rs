//! What lies in the work folder of an unfinished run, `work/<id>/`: the lock, attempts, and perhaps
//! a result that differs from the published one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::checkpoint;
use super::layout::{CHECKPOINTS, Layout};
use super::runs::is_complete;
use super::starts;
use crate::files::{self, Lock};

/// The file in a run's work that says who is at it.
pub(super) const LOCK: &str = "lock";
/// How the folders of work that runs share begin; no run's id holds a hyphen.
pub(super) const GROUP: &str = "group-";
pub(super) const TEACHER: &str = "teacher-";
/// The file in a run's work with the reason why it could not be gone on with, where it failed.
const ERROR: &str = "error.txt";
/// The file in a run's work that names a log of that failure.
const LOG: &str = "log.txt";
/// The folder in a run's work with a result that is not the published one: kept, to be compared.
pub(super) const DIFFERENT: &str = "different";

/// Keeps the attempt that got furthest, to go on with it, and removes the others.
pub(super) fn keep_furthest_attempt(work: &Path) -> Result<Option<PathBuf>> {
    let mut found = Vec::new();
    for path in folders(work)? {
        let steps = checkpoint::steps(&path.join(CHECKPOINTS))?;
        found.push((steps.last().copied(), path));
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
    let paths = entries(work)?.into_iter().map(|(_, path)| path);
    let is_attempt = |path: &PathBuf| path.is_dir() && !path.ends_with(DIFFERENT);
    Ok(paths.filter(is_attempt).collect())
}

fn entries(work: &Path) -> Result<Vec<(String, PathBuf)>> {
    files::entries(work).with_context(|| format!("cannot list {}", work.display()))
}

/// Whether a run was begun: an attempt at it is there.
pub fn is_begun(layout: &Layout, id: &str) -> bool {
    folders(&layout.work(id)).is_ok_and(|found| !found.is_empty())
}

/// The living process that is at a run, in words.
pub fn run_owner(layout: &Layout, id: &str) -> Option<String> {
    Lock::living_owner(&layout.work(id).join(LOCK))
}

/// Forgets how often an unfinished run was started without coming further: somebody who looks on
/// has it tried again.
///
/// # Errors
/// Anything the disk refuses.
pub fn forget_starts(layout: &Layout, id: &str) -> Result<()> {
    starts::forget(&layout.work(id))
}

/// Keeps the reason why a run failed, for whoever asks later; the next attempt forgets it.
///
/// `log` is the file that more is written in, where there is one.
///
/// # Errors
/// Anything the disk refuses.
pub fn write_error(layout: &Layout, id: &str, error: &str, log: Option<&str>) -> Result<()> {
    let work = layout.work(id);
    if let Some(log) = log {
        files::write_atomically(&work.join(LOG), log.as_bytes())?;
    }
    files::write_atomically(&work.join(ERROR), error.as_bytes())
}

/// The file that more is written in of why a run failed, where there is one.
pub fn read_log(layout: &Layout, id: &str) -> Option<String> {
    let text = files::read_text(&layout.work(id).join(LOG), 1 << 16).ok()?;
    Some(text.trim_end().to_owned())
}

/// Why a run failed the last time it was tried, where it was not tried since.
pub fn read_error(layout: &Layout, id: &str) -> Option<String> {
    let text = files::read_text(&layout.work(id).join(ERROR), 1 << 20).ok()?;
    Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
}

/// Forgets why a run failed, now that it is tried again.
pub(super) fn forget_error(work: &Path) -> Result<()> {
    for path in [ERROR, LOG].map(|name| work.join(name)) {
        if path.exists() {
            files::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Removes everything of a finished run's work but the lock, and a result that differs from the
/// published one.
fn clear(work: &Path) -> Result<()> {
    entries(work)?
        .iter()
        .filter(|(name, _)| name != LOCK && name != DIFFERENT)
        .try_for_each(|(_, path)| files::remove_tree(path))
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

/// Removes the work of runs that are published, and what is left of work that runs share: a process
/// may have ended between the two. Work that somebody is at stays.
///
/// # Errors
/// Anything the disk refuses.
pub fn sweep(layout: &Layout) -> Result<()> {
    let work = layout.all_work();
    let Ok(found) = files::entries(&work) else {
        return Ok(());
    };
    let is_shared = |id: &str| id.starts_with(GROUP) || id.starts_with(TEACHER);
    let is_over = |id: &str| is_shared(id) || is_complete(&layout.run(id));
    for (_, path) in found.into_iter().filter(|(id, _)| is_over(id)) {
        // Nothing is written where somebody is at it: many processes look at many locks.
        if Lock::living_owner(&path.join(LOCK)).is_some() {
            continue;
        }
        if let files::LockClaim::Acquired(lock) = Lock::acquire(&path.join(LOCK))? {
            finish(&path, lock)?;
        }
    }
    // A process may have ended before it removed the folder of the last of them.
    files::remove_if_empty(&work);
    Ok(())
}
