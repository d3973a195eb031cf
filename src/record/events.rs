//! Measurements of time: `events.jsonl` and `timings.parquet`. No checksum covers them and no result depends on them.

use std::io::Write;
use std::path::Path;

use crate::table::{Table, Values};

/// How long a step took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    pub step: u64,
    pub seconds: f64,
}

/// The table of `timings.parquet`.
pub fn timings_table(timings: &[Timing]) -> Table {
    Table {
        columns: vec![
            ("step".to_owned(), Values::Counts(timings.iter().map(|timing| timing.step).collect())),
            ("seconds".to_owned(), Values::Numbers(timings.iter().map(|timing| Some(timing.seconds)).collect())),
        ],
    }
}

/// Adds a line with the time to `events.jsonl`. An event that cannot be written is not worth a run: it is left out.
pub fn append_event(path: &Path, event: &str, about: &serde_json::Value) {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let line = serde_json::json!({ "time": seconds, "event": event, "about": about });
    if let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path) {
        let _ = writeln!(file, "{line}");
    }
}
