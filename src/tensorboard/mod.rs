//! Event files that TensorBoard opens, written while a training goes on.
//!
//! A folder is a run, as TensorBoard names it, and holds one file that is not empty. Whoever
//! begins or goes on with a run writes its file anew, from the rows that are recorded, and then
//! appends each row as it comes: so a step is in it once, whatever happened before, and is there
//! as soon as it was taken. A TensorBoard that looks on meanwhile is told of the new start by the
//! file's second event, and drops what it read of the older file.
//!
//! Nothing of a run depends on these files. How they are encoded is in `wire`.

mod wire;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::files::{self, Append};
use wire::Message;

/// What the name of an event file holds, by which TensorBoard knows it.
const MARK: &str = "tfevents";
/// The longest name of a run's folder; file systems take 255 bytes.
const LONGEST: usize = 160;

/// A step with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    pub step: u64,
    /// How long it took, where that is known.
    pub seconds: Option<f64>,
    pub values: BTreeMap<String, f64>,
}

/// What a run is, for its summary.
#[derive(Debug, Clone, Default)]
pub struct RunSummary {
    /// Markdown.
    pub text: String,
    /// Its settings on the axes of the grid, for TensorBoard's table of hyperparameters.
    pub settings: BTreeMap<String, String>,
}

/// The event file of a run that is going on.
#[derive(Debug)]
pub struct EventFile {
    file: Append,
}

impl EventFile {
    /// Begins the file of the run in `folder` with what is recorded so far; an older file goes.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn begin(folder: &Path, summary: &RunSummary, rows: &[EventRow]) -> Result<Self> {
        files::create_folders(folder)?;
        let now = now();
        let mut older = files_in(folder);
        older.sort();
        // TensorBoard goes on to a file only if its name comes later.
        let last = older.iter().filter_map(|path| began(path)).max();
        let number = last.map_or(0, |last| last + 1).max(now as u64);
        retire(&older)?;
        let name = format!("events.out.{MARK}.{number:010}.{}", files::unique_name());
        let bytes = encoded(summary, rows, now);
        let mut file = Append::open(&folder.join(name), 0)?;
        file.append(&bytes)?;
        Ok(Self { file })
    }

    /// Adds a step that was just taken. It can be read at once.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn add(&mut self, row: &EventRow) -> Result<()> {
        self.file.append(&step(now(), row))
    }
}

/// Voids older files, in their order. A TensorBoard that reads the last of them fails for good
/// where it goes away, and goes on to the next where it is empty. It is replaced, so that a process
/// which still has it open writes into nothing.
fn retire(older: &[PathBuf]) -> Result<()> {
    let Some((last, others)) = older.split_last() else {
        return Ok(());
    };
    others
        .iter()
        .try_for_each(|path| files::remove_file(path))?;
    files::write_atomically(last, &[])
}

/// Everything that is recorded of a run, as it would be written at the time `now`.
fn encoded(summary: &RunSummary, rows: &[EventRow], now: f64) -> Vec<u8> {
    let mut bytes = wire::framed(&wire::event(now, 0).text(3, "brain.Event:2"));
    bytes.extend(wire::framed(&wire::event(now, 0).message(7, &start())));
    bytes.extend(wire::framed(
        &wire::event(now, 0).message(5, &about(summary)),
    ));
    // The times at which the steps would have ended, had they followed each other until now.
    let mut wall = now - rows.iter().filter_map(|row| row.seconds).sum::<f64>();
    for row in rows {
        wall += row.seconds.unwrap_or(0.0);
        bytes.extend(step(wall, row));
    }
    bytes
}

/// Whether a folder has the event file of this run with all of these rows: one as long, with the
/// run's own text in it. Times alone may differ, and take the same room.
pub fn has_events(folder: &Path, summary: &RunSummary, rows: &[EventRow]) -> bool {
    let length = encoded(summary, rows, 0.0).len() as u64;
    let text = summary.text.as_bytes();
    let holds = |path: &PathBuf| {
        path.metadata().is_ok_and(|about| about.len() == length)
            && std::fs::read(path)
                .is_ok_and(|bytes| bytes.windows(text.len().max(1)).any(|part| part == text))
    };
    files_in(folder).iter().any(holds)
}

/// The name of a run's folder from its label, such as `arm=kl seed=0`. What a file system may not
/// take is replaced, and the id then keeps two runs apart.
pub fn folder_name(label: &str, id: &str) -> String {
    let is_kept = |letter: char| letter.is_alphanumeric() || " =.,+-_@".contains(letter);
    let mut name: String = label
        .chars()
        .map(|letter| if is_kept(letter) { letter } else { '_' })
        .collect();
    while name.len() > LONGEST {
        name.pop();
    }
    if name == label && !name.is_empty() && !name.starts_with('.') {
        name
    } else {
        format!("{name} {id}")
            .trim_start_matches(['.', ' '])
            .to_owned()
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains(MARK))
        })
        .collect()
}

/// The number in a file's name: the second at which it was begun.
fn began(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let (_, rest) = name.split_once(&format!("{MARK}."))?;
    rest.split('.').next()?.parse().ok()
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}

/// A session that starts: what was read of steps from this event's on is void.
fn start() -> Message {
    Message::new().number(1, 1)
}

/// The event of a step: every value under its own tag. TensorBoard groups tags by what comes before
/// a slash, so the first dot of a name becomes one.
fn step(wall: f64, row: &EventRow) -> Vec<u8> {
    let seconds = row.seconds.map(|seconds| ("seconds", seconds));
    let values = row
        .values
        .iter()
        .map(|(name, value)| (name.as_str(), *value));
    let summary = values
        .chain(seconds)
        .fold(Message::new(), |summary, (name, value)| {
            let tag = name.replacen('.', "/", 1);
            let value = Message::new().text(1, &tag).single(2, value as f32);
            summary.message(1, &value)
        });
    wire::framed(&wire::event(wall, row.step).message(5, &summary))
}

/// The text and the settings of a run, as TensorBoard's plugins for both read them.
fn about(summary: &RunSummary) -> Message {
    const STRING: u64 = 7;
    const FLOAT: u64 = 1;
    let plugin = |name: &str, content: &Message| {
        let data = Message::new().text(1, name).message(2, content);
        Message::new().message(1, &data)
    };
    // A vector of one element.
    let shape = Message::new().message(2, &Message::new().number(1, 1));
    let text = Message::new()
        .number(1, STRING)
        .message(2, &shape)
        .text(8, &summary.text);
    let text = Message::new()
        .text(1, "spec/text_summary")
        .message(9, &plugin("text", &Message::new()))
        .message(8, &text);
    let described = Message::new().message(1, &text);
    if summary.settings.is_empty() {
        return described;
    }
    let settings = summary
        .settings
        .iter()
        .fold(Message::new(), |session, (key, value)| {
            let value = match value.parse::<f64>() {
                Ok(number) if number.is_finite() => Message::new().double(2, number),
                _ => Message::new().text(3, value),
            };
            session.message(1, &Message::new().text(1, key).message(2, &value))
        });
    let nothing = Message::new().number(1, FLOAT).message(2, &shape);
    let session = Message::new()
        .text(1, "_hparams_/session_start_info")
        .message(9, &plugin("hparams", &Message::new().message(3, &settings)))
        .message(8, &nothing.single(5, 0.0));
    described.message(1, &session)
}

/// Reads the events of a file, for tests: kinds of what they hold, with steps and values.
#[cfg(test)]
mod read;

#[cfg(test)]
#[path = "tensorboard_tests.rs"]
mod tests;
