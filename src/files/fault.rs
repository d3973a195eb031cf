//! Faults on purpose: a setting makes the n-th file operation of the process fail, or the process end there.
//!
//! `KDPIPE_FAULT=exit@17` ends the process at its 17th operation, without destructors, as a kill would; `enospc@5`, `edquot@5`, `eio@5`, `erofs@5` and `emfile@5` make the 5th and every
//! later one fail with that error. Without the setting a check costs one load.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens at the n-th operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Exit,
    /// The operating system's error code.
    Error(i32),
}

static FAULT: OnceLock<Option<(Fault, u64)>> = OnceLock::new();
static OPERATIONS: AtomicU64 = AtomicU64::new(0);

/// Exit code of a process that was told to end.
const EXIT_CODE: i32 = 86;

fn parse(text: &str) -> Option<(Fault, u64)> {
    let (kind, number) = text.split_once('@')?;
    let fault = match kind {
        "exit" => Fault::Exit,
        "eio" => Fault::Error(5),
        "emfile" => Fault::Error(24),
        "enospc" => Fault::Error(28),
        "erofs" => Fault::Error(30),
        "edquot" => Fault::Error(122),
        _ => return None,
    };
    Some((fault, number.parse().ok()?))
}

/// Called before every operation that changes the disk.
pub(super) fn point() -> io::Result<()> {
    let fault = FAULT.get_or_init(|| std::env::var("KDPIPE_FAULT").ok().and_then(|text| parse(&text)));
    let Some((fault, at)) = *fault else { return Ok(()) };
    let number = OPERATIONS.fetch_add(1, Ordering::Relaxed) + 1;
    match fault {
        Fault::Exit if number == at => std::process::exit(EXIT_CODE),
        Fault::Error(code) if number >= at => Err(io::Error::from_raw_os_error(code)),
        Fault::Exit | Fault::Error(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_nonsense_is_no_fault() {
        assert_eq!(parse("exit@17"), Some((Fault::Exit, 17)));
        assert_eq!(parse("enospc@5"), Some((Fault::Error(28), 5)));
        assert_eq!(parse("enospc"), None);
        assert_eq!(parse("melt@3"), None);
    }
}
