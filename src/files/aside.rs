//! What turned out broken goes aside, where it can be looked at.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::error::explain;
use super::folders::{split, sync_folder};
use super::place::remove_tree;
use super::system;
use super::write::write_atomically;

/// What the name of something broken ends with, and that of the reason beside it.
const BROKEN: &str = ".bad";
const REASON: &str = ".bad.txt";

/// Whether a name is `NAME.bad` or `NAME.bad.txt`: what [`set_aside`] leaves.
pub fn is_set_aside(name: &str) -> bool {
    name.ends_with(BROKEN) || name.ends_with(REASON)
}

/// Puts something broken out of the way, as `NAME.bad` with the reason in `NAME.bad.txt` beside it,
/// and returns where it went. It takes the place of what was set aside before: one is enough to see
/// what happened, and more would fill the disk.
///
/// # Errors
/// Anything the disk refuses.
pub fn set_aside(path: &Path, reason: &str) -> Result<PathBuf> {
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let aside = beside(BROKEN);
    remove_tree(&aside)?;
    system::rename(path, &aside).map_err(|error| explain(error, "set aside", path))?;
    sync_folder(split(path).0)?;
    write_atomically(&beside(REASON), format!("{reason}\n").as_bytes())?;
    Ok(aside)
}
