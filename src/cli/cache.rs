//! `kdpipe cache`: what is kept between studies, and how long nobody used it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::args::{CacheArguments, Common};
use super::{CommandResult, Exit, counted, print, print_json, remove_each, say};
use crate::files::size_in_words;
use crate::runner::{CacheEntry, cache_entries, cache_folder, remove_cached};

const DAY: Duration = Duration::from_secs(24 * 3600);

pub fn cache(arguments: &CacheArguments, common: &Common) -> CommandResult {
    let folder = cache_folder()?;
    let now = SystemTime::now();
    let mut found = cache_entries(&folder)?;
    if let Some(days) = arguments.unused_for {
        found.retain(|entry| days_unused(entry, now) >= days);
    }
    let kept = if arguments.remove {
        remove_each(&mut found, remove_cached)?
    } else {
        Vec::new()
    };
    if common.json {
        let entry = |entry: &CacheEntry| {
            json!({
                "path": entry.path,
                "kind": entry.kind,
                "bytes": entry.bytes,
                "days_unused": days_unused(entry, now),
            })
        };
        print_json(&json!({
            "folder": folder,
            "entries": found.iter().map(entry).collect::<Vec<_>>(),
            "bytes": bytes_of(&found),
            "removed": arguments.remove,
            "kept": kept.iter().map(|entry| &entry.path).collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Good);
    }
    tell(&found, &kept, &folder, arguments.remove, common.quiet);
    Ok(Exit::Good)
}

fn tell(
    found: &[CacheEntry],
    kept: &[CacheEntry],
    folder: &Path,
    are_removed: bool,
    is_quiet: bool,
) {
    for entry in found {
        print(&format!(
            "{:>9}  {:<8}  {:<14}  {}\n",
            size_in_words(entry.bytes),
            entry.kind.word(),
            last_use(days_unused(entry, SystemTime::now())),
            name(entry, folder)
        ));
    }
    for entry in kept {
        let name = name(entry, folder);
        say(&format!("note: {name} stays: a process is at it"));
    }
    if !is_quiet {
        let removed = if are_removed { " removed" } else { "" };
        print(&format!(
            "{}: {}, {}{removed}\n",
            folder.display(),
            counted(found.len(), "item"),
            size_in_words(bytes_of(found))
        ));
    }
}

fn bytes_of(entries: &[CacheEntry]) -> u64 {
    entries.iter().map(|entry| entry.bytes).sum()
}

fn name(entry: &CacheEntry, folder: &Path) -> String {
    let path = entry.path.strip_prefix(folder).unwrap_or(&entry.path);
    path.display().to_string()
}

/// Whole days since it was last written or read.
fn days_unused(entry: &CacheEntry, now: SystemTime) -> u64 {
    let since = now.duration_since(entry.last_use).unwrap_or_default();
    since.as_secs() / DAY.as_secs()
}

fn last_use(days: u64) -> String {
    match days {
        0 => "used today".to_owned(),
        1 => "used yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}
