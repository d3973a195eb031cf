//! What turned out broken goes aside, where it can be looked at.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::error::explain;
use super::folders::{split, sync_folder};
use super::place::remove_tree;
use super::system;
use super::write::write_atomically;

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
    let aside = beside(".bad");
    remove_tree(&aside)?;
    system::rename(path, &aside).map_err(|error| explain(error, "set aside", path))?;
    sync_folder(split(path).0)?;
    write_atomically(&beside(".bad.txt"), format!("{reason}\n").as_bytes())?;
    Ok(aside)
}
