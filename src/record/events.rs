//! `events.jsonl`: what happened to a run and when. It holds times, so no checksum covers it.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::files::{self, Append};

/// What an event says of the machine: the class of instructions that its kernels use.
pub const MACHINE: &str = "instructions";
/// More than the events of any run take.
const LARGEST: u64 = 64 << 20;

/// Appends one line: the time in UTC, the event's name and what belongs to it. A line that a kill
/// cut short is completed by a newline first.
///
/// # Errors
/// Anything the disk refuses.
pub fn append_event(path: &Path, event: &str, about: &[(&str, Value)]) -> Result<()> {
    let length = path.metadata().map_or(0, |about| about.len());
    let mut file = Append::open(path, length)?;
    let mut line = Map::new();
    line.insert("time".to_owned(), utc(SystemTime::now()).into());
    line.insert("event".to_owned(), event.into());
    about
        .iter()
        .for_each(|(key, value)| drop(line.insert((*key).to_owned(), value.clone())));
    let mut bytes = serde_json::to_vec(&line).context("an event cannot be written as JSON")?;
    bytes.push(b'\n');
    if length > 0 && last_byte(path)? != Some(b'\n') {
        bytes.insert(0, b'\n');
    }
    file.append(&bytes)
}

/// The kind of machine that a finished run was computed on: runs tell it since builds that can
/// spread a study over several.
pub fn read_machine(events: &Path) -> Option<String> {
    let text = files::read_text(events, LARGEST).ok()?;
    let lines = text.lines().rev();
    let published = lines
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["event"] == "published")?;
    Some(published[MACHINE].as_str()?.to_owned())
}

fn last_byte(path: &Path) -> Result<Option<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))
        .and_then(|_| file.read_exact(&mut byte))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(byte[0]))
}

/// `2026-01-31T23:59:59Z`.
fn utc(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Counted in cycles of 400 years (146,097 days) from 1 March of the year 0, so that a leap day
    // is the last of its year.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = 400 * cycle + year + next_year;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
