//! Faults on purpose: the n-th call that changes the disk fails, or ends the process as a kill
//! would.
//!
//! `KDPIPE_FAULT=KIND@N` with N counted from 1 over the calls of [`super::system`] in this process,
//! and KIND one of `exit` (the process ends on the spot, without destructors, with code 137),
//! `panic`, `enospc`, `edquot`, `eio`, `erofs`, `emfile`. A write that is struck leaves its first
//! half behind. Without the variable the cost is one look at a constant.

use std::io::{Error, ErrorKind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The exit code of a process that a fault ended: that of one that was killed.
const EXIT_CODE: i32 = 137;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FaultKind {
    Exit,
    Full,
    Quota,
    InputOutput,
    ReadOnly,
    TooManyOpen,
    /// A defect of the program in the middle of its work.
    Panic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InjectedFault {
    kind: FaultKind,
    /// The call that it strikes, from 1.
    at: u64,
}

/// What the environment asks for; the message of a setting that cannot be read is the error of
/// every call.
static SETTING: OnceLock<Result<Option<InjectedFault>, String>> = OnceLock::new();
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Whether the call about to be made is struck: by a setting that is wrong, or by the fault that
/// was asked for.
pub(super) fn next() -> Option<Strike> {
    #[cfg(test)]
    if let Some(strike) = super::test_disk::next() {
        return Some(strike);
    }
    match SETTING.get_or_init(|| parse(std::env::var("KDPIPE_FAULT").ok().as_deref())) {
        Ok(None) => None,
        Ok(Some(fault)) => {
            (CALLS.fetch_add(1, Ordering::Relaxed) + 1 == fault.at).then_some(Strike {
                kind: Ok(fault.kind),
                torn: true,
            })
        }
        Err(message) => Some(Strike {
            kind: Err(message.clone()),
            torn: false,
        }),
    }
}

/// A call that is not to succeed.
pub(super) struct Strike {
    kind: Result<FaultKind, String>,
    /// Whether a write leaves its first half behind.
    pub torn: bool,
}

impl Strike {
    /// As by a full disk.
    #[cfg(test)]
    pub(super) fn full(torn: bool) -> Self {
        Self {
            kind: Ok(FaultKind::Full),
            torn,
        }
    }

    /// The error of the struck call, if the process is to live.
    pub(super) fn land(self) -> Error {
        match self.kind {
            Ok(FaultKind::Exit) => std::process::exit(EXIT_CODE),
            Ok(FaultKind::Panic) => panic!("KDPIPE_FAULT asks for it"),
            Ok(FaultKind::Full) => ErrorKind::StorageFull.into(),
            Ok(FaultKind::Quota) => ErrorKind::QuotaExceeded.into(),
            Ok(FaultKind::ReadOnly) => ErrorKind::ReadOnlyFilesystem.into(),
            Ok(FaultKind::InputOutput) => Error::from_raw_os_error(5),
            Ok(FaultKind::TooManyOpen) => Error::from_raw_os_error(24),
            Err(message) => Error::new(ErrorKind::InvalidInput, message),
        }
    }
}

fn parse(setting: Option<&str>) -> Result<Option<InjectedFault>, String> {
    let Some(text) = setting.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wrong = || {
        format!(
            "KDPIPE_FAULT is `{text}`; write exit@N, panic@N, enospc@N, edquot@N, eio@N, erofs@N \
             or emfile@N, N from 1"
        )
    };
    let (kind, at) = text.split_once('@').ok_or_else(wrong)?;
    let kind = match kind {
        "exit" => FaultKind::Exit,
        "panic" => FaultKind::Panic,
        "enospc" => FaultKind::Full,
        "edquot" => FaultKind::Quota,
        "eio" => FaultKind::InputOutput,
        "erofs" => FaultKind::ReadOnly,
        "emfile" => FaultKind::TooManyOpen,
        _ => return Err(wrong()),
    };
    let at = at.parse().ok().filter(|&at| at > 0).ok_or_else(wrong)?;
    Ok(Some(InjectedFault { kind, at }))
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
