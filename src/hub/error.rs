//! What can go wrong between here and the hub, in plain words and with a remedy.

use std::fmt;
use std::time::Duration;

use crate::files::size_in_words;

/// Why something of the hub could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubError {
    /// A name that no repo or revision can have, or a setting that cannot be used.
    BadInput {
        message: String,
    },
    NoRepo {
        repo: String,
        /// Whether the hub says so in its own words; a mirror may lack the page that was asked for.
        is_told: bool,
    },
    NoRevision {
        repo: String,
        revision: String,
        is_told: bool,
    },
    NoFile {
        repo: String,
        revision: String,
        file: String,
    },
    /// A mirror that does not say which files a repo has.
    NoList {
        endpoint: String,
        repo: String,
    },
    /// Without a token that is let in the hub does not say whether there is such a repo.
    NotOpen {
        repo: String,
        page: String,
        has_token: bool,
    },
    /// The terms at the repo's page have to be accepted.
    Gated {
        repo: String,
        page: String,
        has_token: bool,
    },
    /// Too many requests; the hub may say for how long to wait.
    Busy {
        host: String,
        has_token: bool,
        wait: Option<Duration>,
    },
    Server {
        host: String,
        status: u16,
        wait: Option<Duration>,
    },
    /// Any other refusal.
    Refused {
        host: String,
        status: u16,
        what: String,
    },
    Unreachable {
        host: String,
        reason: String,
    },
    /// A transfer that ended early.
    Cut {
        file: String,
        found: u64,
        expected: u64,
        reason: String,
    },
    TooLong {
        file: String,
        found: u64,
        expected: u64,
    },
    WrongHash {
        file: String,
        expected: String,
    },
    /// An answer that is none of a hub's.
    Foreign {
        what: String,
        reason: String,
    },
    /// Offline, and the cache does not have it.
    NotHere {
        what: String,
    },
    /// Offline, and what the cache has is not what it was.
    Damaged {
        path: String,
        reason: String,
    },
    /// Less disk than what is to be fetched.
    NoRoom {
        what: String,
        folder: String,
        missing: u64,
        free: u64,
    },
    /// The user stopped it.
    Stopped,
}

impl HubError {
    /// Whether another try may do better.
    pub(super) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. } | Self::Server { .. } | Self::Unreachable { .. } | Self::Cut { .. }
        )
    }

    /// Whether it may only say that a mirror has a part of the hub's interface.
    pub(super) fn is_of_a_mirror(&self) -> bool {
        matches!(
            self,
            Self::NoRepo { is_told: false, .. }
                | Self::NoRevision { is_told: false, .. }
                | Self::NoFile { .. }
                | Self::Refused {
                    status: 400 | 404 | 405 | 410 | 501,
                    ..
                }
        )
    }

    /// What is the matter with the hub, without a remedy.
    pub(super) fn in_short(&self) -> String {
        let text = self.to_string();
        match text.split_once("; ") {
            Some((short, _)) => short.to_owned(),
            None => text,
        }
    }

    /// How long the hub asks to wait.
    pub(super) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Busy { wait, .. } | Self::Server { wait, .. } => *wait,
            _ => None,
        }
    }
}

impl std::error::Error for HubError {}

impl fmt::Display for HubError {
    /// The message of each variant. It is long because it is one exhaustive match over all of them.
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::BadInput { message } => out.write_str(message),
            Self::NoRepo { repo, .. } => write!(
                out,
                "the hub has no such repo: {repo}; check the name at https://huggingface.co"
            ),
            Self::NoRevision { repo, revision, .. } => {
                write!(
                    out,
                    "{repo} has no revision {revision}; write a branch, a tag or a commit that it \
                     has, or leave it at \"main\""
                )
            }
            Self::NoFile {
                repo,
                revision,
                file,
            } => write!(out, "{repo} has no file {file} at the revision {revision}"),
            Self::NoList { endpoint, repo } => write!(
                out,
                "{endpoint} does not say which files {repo} has, so its splits are not known; set \
                 HF_ENDPOINT to a hub that lists files, or fetch it and write source = \
                 \"parquet\" or \"text\""
            ),
            Self::NotOpen {
                repo,
                page,
                has_token: false,
            } => {
                write!(
                    out,
                    "the hub has no such repo, or it is private: {repo}; check the name, or set \
                     HF_TOKEN to a token that may read {page}"
                )
            }
            Self::NotOpen {
                repo,
                page,
                has_token: true,
            } => {
                write!(
                    out,
                    "the hub has no such repo, or the token does not open it: {repo}; check the \
                     name, or set HF_TOKEN to a token that may read {page}"
                )
            }
            Self::Gated {
                repo,
                page,
                has_token: false,
            } => {
                write!(
                    out,
                    "{repo} is open only to those who accept its terms: accept them at {page}, \
                     and set HF_TOKEN to a token of that account"
                )
            }
            Self::Gated {
                repo,
                page,
                has_token: true,
            } => {
                write!(
                    out,
                    "{repo} is open only to those who accept its terms: accept them at {page} \
                     with the account of the token that is set (HF_TOKEN)"
                )
            }
            Self::Busy {
                host, has_token, ..
            } => {
                let more = if *has_token {
                    ""
                } else {
                    ", or set HF_TOKEN, which allows more"
                };
                write!(
                    out,
                    "{host} says that there were too many requests from here (429); try again \
                     later{more}"
                )
            }
            Self::Server { host, status, .. } => {
                write!(
                    out,
                    "{host} is in trouble (status {status}); try again later, what was fetched is \
                     kept"
                )
            }
            Self::Refused { host, status, what } => {
                write!(out, "{host} refuses {what} (status {status})")
            }
            Self::Unreachable { host, reason } => {
                write!(
                    out,
                    "{host} cannot be reached ({reason}); check the network and HF_ENDPOINT"
                )
            }
            Self::Cut {
                file,
                found,
                expected,
                reason,
            } => write!(
                out,
                "only {found} of the {expected} bytes of {file} came ({reason}); run the same \
                 command again, it goes on from there"
            ),
            Self::TooLong {
                file,
                found,
                expected,
            } => {
                write!(
                    out,
                    "{file} has {expected} bytes on the hub's list, and {found} or more were \
                     sent; try again later, or another HF_ENDPOINT"
                )
            }
            Self::WrongHash { file, expected } => write!(
                out,
                "{file} came with another content than the hub's list says (its hash is not \
                 {expected}); try again later, or another HF_ENDPOINT"
            ),
            Self::Foreign { what, reason } => {
                write!(
                    out,
                    "{what} is not what a hub answers: {reason}; check HF_ENDPOINT, and whether \
                     the network asks for a login"
                )
            }
            Self::NotHere { what } => {
                write!(
                    out,
                    "{what} is not in the hub's cache, and offline nothing is fetched; run once \
                     without --offline (and HF_HUB_OFFLINE)"
                )
            }
            Self::Damaged { path, reason } => {
                write!(
                    out,
                    "{path} in the hub's cache is damaged ({reason}); run once without --offline \
                     (and HF_HUB_OFFLINE) to fetch it again"
                )
            }
            Self::NoRoom {
                what,
                folder,
                missing,
                free,
            } => write!(
                out,
                "{what} needs {} more of disk below {folder}, and {} are free; make room, or set \
                 HF_HOME to a folder on another disk",
                size_in_words(*missing),
                size_in_words(*free)
            ),
            Self::Stopped => out.write_str("stopped; what was fetched is kept"),
        }
    }
}
