//! Printing, to readers that may go away: `kdpipe plan | head`.

use std::io::{ErrorKind, Write};

use serde::Serialize;

/// What a shell gives for a program that a closed pipe ended (128 and the number of SIGPIPE).
const CLOSED_PIPE: i32 = 141;

/// Prints to standard output, at once. A reader that went away has seen what it wanted: the
/// program ends, without a word.
pub(super) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if printed.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        std::process::exit(CLOSED_PIPE);
    }
}

/// Prints a value as JSON over several lines.
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?));
    Ok(())
}

/// Prints a line to standard error. Nobody there to read it ends nothing: a training goes on, and
/// its results are on the disk.
pub(super) fn say(line: &str) {
    let _ = std::io::stderr()
        .lock()
        .write_all(format!("{line}\n").as_bytes());
}
