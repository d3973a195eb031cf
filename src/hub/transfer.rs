//! One file from the hub into the cache: resumed, tried again, checked, and visible only when it is
//! whole.

use std::io::Read;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::client::{Answer, RequestSubject};
use super::error::HubError;
use super::hash::Hash;
use super::listing::RepoFile;
use super::repo::Repo;
use super::{Hub, News, cache};
use crate::files::{self, Lock, LockClaim, Partial};

/// Whole transfers whose content was wrong before it is given up.
const WRONG: u32 = 2;
/// Bytes of progress that make a try count as the first again.
const PROGRESS: u64 = 1 << 20;
const PIECE: usize = 256 << 10;
/// How often is told how far it is, and how often another process is looked after.
const TELL: Duration = Duration::from_millis(200);

/// What came of one request.
enum Failed {
    /// Of the network, or of the hub.
    Fault(HubError),
    /// Of the disk.
    Disk(anyhow::Error),
}

impl From<HubError> for Failed {
    fn from(fault: HubError) -> Self {
        Self::Fault(fault)
    }
}

impl Hub<'_> {
    /// Fetches a file, unless another process does so at the same time, and links the snapshot's
    /// name to it.
    pub(super) fn fetch(&self, repo: &Repo, commit: &str, entry: &RepoFile) -> Result<()> {
        let settings = &self.settings;
        let path = cache::snapshot(settings, repo, commit).join(&entry.path);
        let Some(hash) = &entry.hash else {
            return Err(HubError::NotHere {
                what: format!("{} of {}", entry.path, repo.title()),
            }
            .into());
        };
        let blob = cache::blob(settings, repo, hash);
        let whole = || entry.check(&blob).map(|found| found.is_ok());
        if !whole()? {
            let lock = self.turn(repo, hash, entry)?;
            // Whoever held the lock may have fetched it.
            if !whole()? {
                let mut partial = Partial::take(&cache::in_the_making(settings, repo, hash))?;
                self.fill(repo, commit, entry, hash, &mut partial)?;
                partial.finish(&blob)?;
            }
            drop(lock);
            files::remove_if_empty(&cache::workplace(settings, repo));
        }
        files::link(&blob, &path)
    }

    /// Waits for the lock of a file. It only saves the second transfer: each process fills a file
    /// of its own.
    fn turn(&self, repo: &Repo, hash: &Hash, entry: &RepoFile) -> Result<Lock> {
        let mut told = false;
        loop {
            match Lock::acquire(&cache::lock(&self.settings, repo, hash))? {
                LockClaim::Acquired(lock) => return Ok(lock),
                LockClaim::HeldBy(owner) => {
                    if self.stopped() {
                        return Err(HubError::Stopped.into());
                    }
                    if !std::mem::replace(&mut told, true) {
                        (self.listener)(&News::Waiting {
                            file: &entry.path,
                            owner: &owner,
                        });
                    }
                    std::thread::sleep(TELL);
                }
            }
        }
    }

    /// Fills the file until it has the length and the hash that the list gives.
    fn fill(
        &self,
        repo: &Repo,
        commit: &str,
        entry: &RepoFile,
        hash: &Hash,
        partial: &mut Partial,
    ) -> Result<()> {
        let (mut tries, mut wrong, mut validator) = (0, 0, None);
        if partial.length() > entry.size {
            partial.restart()?;
        }
        loop {
            let before = partial.length();
            if before < entry.size {
                match self.receive(repo, commit, entry, partial, &mut validator) {
                    Ok(()) => {}
                    Err(Failed::Disk(error)) => return Err(error),
                    Err(Failed::Fault(fault)) => {
                        if partial.length() >= before + PROGRESS {
                            tries = 0;
                        }
                        self.pause(&mut tries, fault)?;
                        continue;
                    }
                }
            }
            partial.sync()?;
            if hash.is_of(partial.path(), entry.size)? {
                return Ok(());
            }
            partial.restart()?;
            validator = None;
            wrong += 1;
            let fault = HubError::WrongHash {
                file: format!("{} of {}", entry.path, repo.title()),
                expected: hash.digits().to_owned(),
            };
            if wrong >= WRONG {
                return Err(fault.into());
            }
            (self.listener)(&News::Again {
                reason: &fault.to_string(),
            });
        }
    }

    /// One request for what is missing, appended as it comes.
    fn receive(
        &self,
        repo: &Repo,
        commit: &str,
        entry: &RepoFile,
        partial: &mut Partial,
        validator: &mut Option<String>,
    ) -> Result<(), Failed> {
        let file = || format!("{} of {}", entry.path, repo.title());
        let from = partial.length();
        let (range, etag) = (
            format!("bytes={from}-"),
            validator.clone().unwrap_or_default(),
        );
        let headers = [("range", range.as_str()), ("if-range", etag.as_str())];
        let headers = match (from, validator.is_some()) {
            (0, _) => &headers[..0],
            (_, false) => &headers[..1],
            (_, true) => &headers[..],
        };
        let url = self.client.address(repo, commit, &entry.path);
        let at = repo.at(commit);
        let answer = self.client.get(
            &url,
            headers,
            &RequestSubject {
                repo: &at,
                file: Some(&entry.path),
            },
        );
        let Answer {
            response,
            commit: said,
            length,
        } = match answer {
            // What is here may be longer than what is there; from the start it will show.
            Err(HubError::Refused { status: 416, .. }) if from > 0 => {
                partial.restart().map_err(Failed::Disk)?;
                return Err(HubError::Cut {
                    file: file(),
                    found: from,
                    expected: entry.size,
                    reason: "the hub has no more".to_owned(),
                }
                .into());
            }
            answer => answer?,
        };
        if said.is_some_and(|said| said != commit) {
            return Err(HubError::Foreign {
                what: file(),
                reason: "it comes from another commit".to_owned(),
            }
            .into());
        }
        if let Some(length) = length.filter(|&length| length != entry.size) {
            return Err(HubError::TooLong {
                file: file(),
                found: length,
                expected: entry.size,
            }
            .into());
        }
        let range = response.header("content-range").map(str::to_owned);
        let goes_on =
            response.status() == 206 && range.as_deref().and_then(start_of_range) == Some(from);
        if from > 0 && !goes_on {
            // The whole file, whatever was asked for.
            partial.restart().map_err(Failed::Disk)?;
            if response.status() == 206 {
                return Err(HubError::Cut {
                    file: file(),
                    found: 0,
                    expected: entry.size,
                    reason: "the hub sent another part".to_owned(),
                }
                .into());
            }
        }
        *validator = response
            .header("etag")
            .filter(|etag| etag.starts_with('"'))
            .map(str::to_owned);
        let missing = entry.size - partial.length();
        let announced: Option<u64> = response
            .header("content-length")
            .and_then(|length| length.parse().ok());
        if let Some(length) = announced.filter(|&length| length > missing) {
            return Err(HubError::TooLong {
                file: file(),
                found: entry.size - missing + length,
                expected: entry.size,
            }
            .into());
        }
        self.append(response.into_reader(), entry, partial, &file)
    }

    fn append(
        &self,
        mut body: impl Read,
        entry: &RepoFile,
        partial: &mut Partial,
        file: &dyn Fn() -> String,
    ) -> Result<(), Failed> {
        let mut piece = vec![0; PIECE];
        let mut told: Option<Instant> = None;
        loop {
            if self.stopped() {
                return Err(HubError::Stopped.into());
            }
            let ended = match body.read(&mut piece) {
                Ok(0) => "the connection ended".to_owned(),
                Ok(count) => {
                    let found = partial.length() + count as u64;
                    if found > entry.size {
                        partial.restart().map_err(Failed::Disk)?;
                        return Err(HubError::TooLong {
                            file: file(),
                            found,
                            expected: entry.size,
                        }
                        .into());
                    }
                    partial.append(&piece[..count]).map_err(Failed::Disk)?;
                    if found == entry.size || told.is_none_or(|at| at.elapsed() >= TELL) {
                        told = Some(Instant::now());
                        (self.listener)(&News::Bytes {
                            file: &entry.path,
                            done: found,
                            total: entry.size,
                        });
                    }
                    continue;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => error.to_string().to_lowercase(),
            };
            return match partial.length() {
                length if length == entry.size => Ok(()),
                found => Err(HubError::Cut {
                    file: file(),
                    found,
                    expected: entry.size,
                    reason: ended,
                }
                .into()),
            };
        }
    }
}

/// Where the part of a Content-Range begins: `bytes 5-9/10`.
fn start_of_range(header: &str) -> Option<u64> {
    header
        .trim()
        .strip_prefix("bytes")?
        .trim()
        .split_once('-')?
        .0
        .parse()
        .ok()
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
