//! Files of the Hugging Face hub, in the cache that the Python library shares.
//!
//! A [`Repo`] at a revision is resolved to a commit ([`Hub::commit`]), the commit to a list of its
//! files ([`Hub::listing`]), and a file to a path below `snapshots/COMMIT/` ([`Hub::file`]): what
//! the cache holds is checked and used, the rest is fetched, once, whatever number of processes
//! ask. Nothing is taken on trust: every file has the length and the hash that the listing gives,
//! whoever put it there. [`Hub::tokenizer`], [`Hub::config`] and [`Hub::weights`] know which files
//! make up a model.
//!
//! The names of things come from the `hf-hub` crate; its downloads are not used, because they check
//! neither length nor hash and share one name between processes. A hub that is offline never opens
//! a connection and says what is not there with [`HubError::NotHere`].

mod answer;
mod cache;
mod client;
mod error;
mod fallback;
mod hash;
mod listing;
mod models;
mod proxy;
mod refusal;
mod repo;
mod request;
mod retry;
mod room;
mod settings;
mod transfer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

pub use error::HubError;
pub use hash::Hash;
pub use listing::{Listing, RepoFile};
pub use models::Snapshot;
pub use repo::{Repo, RepoKind, is_name, why_no_model};
pub use settings::Settings;

use crate::files;
use client::Client;

/// What is told while something is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News<'a> {
    /// So many bytes of a file are here.
    Bytes {
        file: &'a str,
        done: u64,
        total: u64,
    },
    /// Another process fetches the file.
    Waiting { file: &'a str, owner: &'a str },
    /// Something passing went wrong; it is tried again after a pause.
    Again { reason: &'a str },
    /// The hub cannot be had; what the cache has is used in its place.
    FromCache { reason: &'a str },
}

/// Hears of the news, from any thread.
pub type Listener<'a> = dyn Fn(&News) + Sync + 'a;

/// A commit that a revision was resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    pub repo: Repo,
    pub commit: String,
    /// The branch that it was found on, where that is not the revision: `refs/convert/parquet` of a
    /// dataset without parquet files.
    pub branch: Option<String>,
}

/// The hub as one command sees it: each revision is one commit from the first look to the last.
pub struct Hub<'a> {
    settings: Settings,
    client: Client,
    listener: &'a Listener<'a>,
    stop: &'a AtomicBool,
    state: Mutex<HubState>,
}

#[derive(Default)]
struct HubState {
    pins: BTreeMap<Repo, Pin>,
    listings: BTreeMap<(Repo, String), Arc<Listing>>,
    /// Files whose hash was found right by this process.
    checked: BTreeSet<PathBuf>,
    /// Why the hub could not be reached, once it was tried often enough.
    down: Option<HubError>,
    /// Repos of which it was told that the cache's state is used.
    told: BTreeSet<Repo>,
}

/// Never set.
static NEVER_STOPPED: AtomicBool = AtomicBool::new(false);

fn silent(_: &News) {}

impl Hub<'static> {
    /// One that tells nothing and is never stopped.
    pub fn quiet(settings: Settings, pins: Vec<Pin>) -> Self {
        Self::new(settings, pins, &silent, &NEVER_STOPPED)
    }
}

impl<'a> Hub<'a> {
    /// `pins` are commits that hold from an earlier start; `stop` ends a transfer between two
    /// pieces.
    pub fn new(
        settings: Settings,
        pins: Vec<Pin>,
        listener: &'a Listener<'a>,
        stop: &'a AtomicBool,
    ) -> Self {
        let pins = pins
            .into_iter()
            .map(|pin| (pin.repo.clone(), pin))
            .collect();
        let client = Client::new(&settings);
        Self {
            settings,
            client,
            listener,
            stop,
            state: Mutex::new(HubState {
                pins,
                ..HubState::default()
            }),
        }
    }

    /// Whether the user stopped the command that it serves.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The pin of a revision that was resolved, now or before.
    pub fn pin(&self, repo: &Repo) -> Option<Pin> {
        self.state().pins.get(repo).cloned()
    }

    /// Holds a revision to a commit of another branch from now on.
    pub fn set_pin(&self, pin: Pin) {
        self.state().pins.insert(pin.repo.clone(), pin);
    }

    /// The commit of a revision: the pinned one; else the hub's answer; offline the one that the
    /// cache remembers.
    ///
    /// # Errors
    /// [`HubError`]: a repo or revision that is not there or not open to this user, a hub that
    /// cannot be reached, nothing in the cache.
    pub fn commit(&self, repo: &Repo) -> Result<String, HubError> {
        if let Some(message) = self.settings.problem.clone() {
            return Err(HubError::BadInput { message });
        }
        repo.check()?;
        if let Some(pin) = self.pin(repo) {
            return Ok(pin.commit);
        }
        let commit = if repo::is_commit(&repo.revision) {
            repo.revision.clone()
        } else if self.settings.is_offline(repo) {
            self.remembered(repo).ok_or_else(|| HubError::NotHere {
                what: repo.to_string(),
            })?
        } else {
            match self.with_retries(|| self.client.commit(repo)) {
                Ok(commit) => {
                    // A cache that cannot be written can still be read; the commit is then asked
                    // for again.
                    let reference = cache::reference(&self.settings, repo);
                    let _ = files::write_atomically(&reference, commit.as_bytes());
                    commit
                }
                Err(fault) => self.in_its_place(repo, fault, || self.remembered(repo))?,
            }
        };
        self.set_pin(Pin {
            repo: repo.clone(),
            commit: commit.clone(),
            branch: None,
        });
        Ok(commit)
    }

    /// The files of a commit.
    ///
    /// # Errors
    /// As [`Hub::commit`], and a list that names files outside its own folder.
    pub fn listing(&self, repo: &Repo, commit: &str) -> Result<Arc<Listing>, HubError> {
        let key = (repo.clone(), commit.to_owned());
        if let Some(known) = self.state().listings.get(&key) {
            return Ok(Arc::clone(known));
        }
        let stored = cache::listing(&self.settings, repo, commit);
        let snapshot = || Listing::of_snapshot(&cache::snapshot(&self.settings, repo, commit));
        let listing = match Listing::read(&stored) {
            Some(listing) => listing,
            None if self.settings.is_offline(repo) => {
                snapshot().ok_or_else(|| HubError::NotHere {
                    what: format!("{} at {}", repo.title(), short_commit(commit)),
                })?
            }
            None => match self.with_retries(|| self.client.listing(repo, commit)) {
                Ok(listing) => {
                    let _ = listing.write(&stored);
                    listing
                }
                Err(fault) => self.in_its_place(repo, fault, snapshot)?,
            },
        };
        let listing = Arc::new(listing);
        self.state().listings.insert(key, Arc::clone(&listing));
        Ok(listing)
    }

    /// The path of a file of a commit, whole and checked; fetched where it is not there.
    ///
    /// # Errors
    /// As [`Hub::commit`]; a file that the commit does not have, a transfer that failed again and
    /// again, a wrong length or hash, a cache that cannot be written.
    pub fn file(&self, repo: &Repo, commit: &str, name: &str) -> Result<PathBuf> {
        let entry = &self.entry(repo, commit, name)?;
        let path = cache::snapshot(&self.settings, repo, commit).join(name);
        if self.state().checked.contains(&path) {
            return Ok(path);
        }
        if let Err(reason) = entry.check(&path)? {
            if self.settings.is_offline(repo) {
                return Err(match reason {
                    None => HubError::NotHere {
                        what: format!("{name} of {}", repo.title()),
                    },
                    Some(reason) => HubError::Damaged {
                        path: path.display().to_string(),
                        reason,
                    },
                }
                .into());
            }
            if let Some(reason) = reason {
                (self.listener)(&News::Again {
                    reason: &format!(
                        "{} is damaged ({reason}); it is fetched again",
                        path.display()
                    ),
                });
            }
            self.room_for(repo, commit, [name])?;
            self.fetch(repo, commit, entry)?;
        }
        self.state().checked.insert(path.clone());
        Ok(path)
    }

    /// Whether a file is there at its length, without looking at its content or fetching it.
    pub fn has(&self, repo: &Repo, commit: &str, entry: &RepoFile) -> bool {
        let path = cache::snapshot(&self.settings, repo, commit).join(&entry.path);
        path.metadata()
            .is_ok_and(|about| about.is_file() && about.len() == entry.size)
    }

    fn state(&self) -> MutexGuard<'_, HubState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A commit in a few characters, for messages.
pub fn short_commit(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
