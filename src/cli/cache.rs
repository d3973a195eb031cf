//! `kdpipe cache`: what is kept between studies, and how long nobody used it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::args::{CacheArguments, Common};
use super::{CommandResult, Exit, counted, print, print_json};
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
    if arguments.remove {
        found.iter().try_for_each(remove_cached)?;
    }
    let bytes: u64 = found.iter().map(|entry| entry.bytes).sum();
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
            "bytes": bytes,
            "removed": arguments.remove,
        }))?;
        return Ok(Exit::Good);
    }
    for entry in &found {
        print(&format!(
            "{:>9}  {:<8}  {:<14}  {}\n",
            size_in_words(entry.bytes),
            entry.kind.word(),
            last_use(days_unused(entry, now)),
            name(entry, &folder)
        ));
    }
    if !common.quiet {
        let removed = if arguments.remove { " removed" } else { "" };
        print(&format!(
            "{}: {}, {}{removed}\n",
            folder.display(),
            counted(found.len(), "item"),
            size_in_words(bytes)
        ));
    }
    Ok(Exit::Good)
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
