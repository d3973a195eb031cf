//! What went wrong with a file, in plain words and with a remedy.

use std::io::{Error, ErrorKind};
use std::path::Path;

/// The same numbers on Linux and macOS; the standard library has no kinds for them.
const INPUT_OUTPUT: i32 = 5;
const TOO_MANY_OPEN: i32 = 24;

/// "cannot write results/a/report.md: the disk is full; …", with the system's own words as the
/// cause.
pub(super) fn explain(error: Error, action: &str, path: &Path) -> anyhow::Error {
    let words = words(&error);
    let sentence = match words {
        Some(words) => format!("cannot {action} {}: {words}", path.display()),
        None => format!("cannot {action} {}", path.display()),
    };
    anyhow::Error::new(error).context(sentence)
}

fn words(error: &Error) -> Option<&'static str> {
    Some(match (error.kind(), error.raw_os_error()) {
        (ErrorKind::StorageFull, _) => {
            "the disk is full; free some space and run the same command again, it goes on from here"
        }
        (ErrorKind::QuotaExceeded, _) => {
            "your share of the disk is used up; free some space and run the same command again, it \
             goes on from here"
        }
        (ErrorKind::FileTooLarge, _) => {
            "it would be larger than the file system or a limit allows; raise the limit (`ulimit \
             -f`) and run the same command again, it goes on from here"
        }
        (ErrorKind::ReadOnlyFilesystem, _) => {
            "it lies on a read-only file system; choose a folder that can be written"
        }
        (ErrorKind::PermissionDenied, _) => {
            "permission is missing; change the permissions of it and its folder, or choose another \
             folder"
        }
        (ErrorKind::NotFound, _) => "it, or the folder it belongs in, does not exist",
        (ErrorKind::NotADirectory, _) => "a part of its path is a file, not a folder",
        (ErrorKind::IsADirectory, _) => "it is a folder, not a file",
        (_, Some(INPUT_OUTPUT)) => {
            "the disk reports an error; check the disk, then run the same command again"
        }
        (_, Some(TOO_MANY_OPEN)) => {
            "too many files are open; raise the limit, for example with `ulimit -n 4096`"
        }
        _ => return None,
    })
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
