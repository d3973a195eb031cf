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
enum Kind {
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
struct Fault {
    kind: Kind,
    /// The call that it strikes, from 1.
    at: u64,
}

/// What the environment asks for; the message of a setting that cannot be read is the error of
/// every call.
static SETTING: OnceLock<Result<Option<Fault>, String>> = OnceLock::new();
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Whether the call about to be made is struck: by a setting that is wrong, or by the fault that
/// was asked for.
pub(super) fn next() -> Option<Strike> {
    #[cfg(test)]
    if let Some(strike) = super::simulation::next() {
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
    kind: Result<Kind, String>,
    /// Whether a write leaves its first half behind.
    pub torn: bool,
}

impl Strike {
    /// As by a full disk.
    #[cfg(test)]
    pub(super) fn full(torn: bool) -> Self {
        Self {
            kind: Ok(Kind::Full),
            torn,
        }
    }

    /// The error of the struck call, if the process is to live.
    pub(super) fn land(self) -> Error {
        match self.kind {
            Ok(Kind::Exit) => std::process::exit(EXIT_CODE),
            Ok(Kind::Panic) => panic!("KDPIPE_FAULT asks for it"),
            Ok(Kind::Full) => ErrorKind::StorageFull.into(),
            Ok(Kind::Quota) => ErrorKind::QuotaExceeded.into(),
            Ok(Kind::ReadOnly) => ErrorKind::ReadOnlyFilesystem.into(),
            Ok(Kind::InputOutput) => Error::from_raw_os_error(5),
            Ok(Kind::TooManyOpen) => Error::from_raw_os_error(24),
            Err(message) => Error::new(ErrorKind::InvalidInput, message),
        }
    }
}

fn parse(setting: Option<&str>) -> Result<Option<Fault>, String> {
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
        "exit" => Kind::Exit,
        "panic" => Kind::Panic,
        "enospc" => Kind::Full,
        "edquot" => Kind::Quota,
        "eio" => Kind::InputOutput,
        "erofs" => Kind::ReadOnly,
        "emfile" => Kind::TooManyOpen,
        _ => return Err(wrong()),
    };
    let at = at.parse().ok().filter(|&at| at > 0).ok_or_else(wrong)?;
    Ok(Some(Fault { kind, at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_wrong_ones_refused() {
        assert_eq!(parse(None), Ok(None));
        assert_eq!(parse(Some("")), Ok(None));
        assert_eq!(
            parse(Some("exit@17")),
            Ok(Some(Fault {
                kind: Kind::Exit,
                at: 17
            }))
        );
        assert_eq!(
            parse(Some("edquot@1")),
            Ok(Some(Fault {
                kind: Kind::Quota,
                at: 1
            }))
        );
        for wrong in ["exit", "exit@", "exit@0", "exit@x", "bang@3"] {
            assert!(
                parse(Some(wrong)).is_err_and(|message| message.contains("write exit@N")),
                "{wrong}"
            );
        }
    }
}
