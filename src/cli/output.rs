//! Printing, to readers that may go away: `kdpipe plan | head`.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

/// What a shell gives for a program that a closed pipe ended (128 and the number of SIGPIPE).
const CLOSED_PIPE: i32 = 141;

/// Whether something that was printed came nowhere, as on a full disk.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Prints to standard output, at once. A reader that went away has seen what it wanted: the
/// program ends, without a word. What else keeps it from coming there is said once, and ends
/// nothing: a study goes on, and its command fails at its end ([`is_lost`]).
pub(super) fn print(text: &str) {
    let printed = {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    };
    match printed {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(CLOSED_PIPE),
        Err(error) => {
            if !IS_LOST.swap(true, Ordering::Relaxed) {
                say(&format!("error: cannot write to standard output: {error}"));
            }
        }
    }
}

/// Whether something that was printed came nowhere.
pub(super) fn is_lost() -> bool {
    IS_LOST.load(Ordering::Relaxed)
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
