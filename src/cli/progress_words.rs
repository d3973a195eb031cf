//! How far something is, in words and in bars.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::ProgressStyle;

use crate::recorded;

/// The look of a bar, or of a line of text. What is in `wide_msg` is cut where the window ends, so
/// everything that may be long is there.
pub(super) fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates of the command line are valid")
        .progress_chars("━╸─")
}

/// The loss and its terms in a few words.
pub(super) fn losses_in_words(values: &BTreeMap<String, f64>) -> String {
    let mut text = values
        .get(recorded::LOSS)
        .map_or_else(String::new, |loss| format!("loss {loss:.3}"));
    for (name, value) in values {
        if let Some(name) = recorded::term_of(name) {
            text.push_str(&format!("  {name} {value:.3}"));
        }
    }
    text
}

pub(super) fn last_good_checkpoint(steps: Option<u64>) -> String {
    steps.map_or_else(
        || "there was no checkpoint yet".to_owned(),
        |steps| format!("the last checkpoint was after {steps} steps"),
    )
}

pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

pub(super) fn speed_in_words(tokens_per_second: f64) -> String {
    if tokens_per_second >= 10_000.0 {
        format!("{:.0}k tokens/s", tokens_per_second / 1000.0)
    } else {
        format!("{tokens_per_second:.0} tokens/s")
    }
}

/// `, ETA 3 min`; nothing where it is not known.
pub(super) fn eta_in_words(left: Option<Duration>) -> String {
    left.map_or_else(String::new, |left| format!(", ETA {}", short(left)))
}

/// `12 s`, `3 min`, `2 h 5 min`.
pub(super) fn short(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..100 => format!("{seconds} s"),
        seconds @ ..6000 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// What is left where a share of the work took so long; nothing while too little is done to tell.
pub(super) fn time_left(spent: Duration, share: f64) -> Option<Duration> {
    if share < 0.01 || spent < Duration::from_secs(1) {
        return None;
    }
    let left = spent.as_secs_f64() * (1.0 - share.min(1.0)) / share;
    Duration::try_from_secs_f64(left).ok()
}

#[cfg(test)]
#[path = "progress_words_tests.rs"]
mod tests;
