//! One file from the hub into the cache: resumed, tried again, checked, and visible only when it is
//! whole.

use std::io::Read;
use std::time::{Duration, Instant};

use anyhow::Result;
use ureq::Response;

use super::answer::{Answer, RequestSubject};
use super::error::HubError;
use super::hash::Hash;
use super::listing::RepoFile;
use super::repo::Repo;
use super::{Hub, News, cache};
use crate::files::{self, Lock, LockClaim, Partial};

/// Whole transfers whose content was wrong before it is given up.
const WRONG_TRANSFERS: u32 = 2;
/// Bytes of progress that make a try count as the first again.
const PROGRESS_BYTES: u64 = 1 << 20;
const PIECE: usize = 256 << 10;
/// How often is told how far it is, and how often another process is looked after.
const TELL_EVERY: Duration = Duration::from_millis(200);

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

/// The file that is to come.
struct WantedFile<'a> {
    repo: &'a Repo,
    commit: &'a str,
    entry: &'a RepoFile,
}

impl WantedFile<'_> {
    fn title(&self) -> String {
        format!("{} of {}", self.entry.path, self.repo.title())
    }

    /// Refuses an answer of another commit or another length.
    fn check(&self, answer: &Answer) -> Result<(), HubError> {
        let commit = answer.commit.as_deref();
        if commit.is_some_and(|commit| commit != self.commit) {
            return Err(HubError::Foreign {
                what: self.title(),
                reason: "it comes from another commit".to_owned(),
            });
        }
        match answer.length {
            Some(length) if length != self.entry.size => Err(self.too_long(length)),
            _ => Ok(()),
        }
    }

    fn too_long(&self, found: u64) -> HubError {
        HubError::TooLong {
            file: self.title(),
            found,
            expected: self.entry.size,
        }
    }

    fn cut(&self, found: u64, reason: &str) -> HubError {
        HubError::Cut {
            file: self.title(),
            found,
            expected: self.entry.size,
            reason: reason.to_owned(),
        }
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
            let lock = self.wait_for_lock(repo, hash, entry)?;
            // Whoever held the lock may have fetched it.
            if !whole()? {
                let mut partial = Partial::take(&cache::partial_file(settings, repo, hash))?;
                let wanted = WantedFile {
                    repo,
                    commit,
                    entry,
                };
                self.fill(&wanted, hash, &mut partial)?;
                partial.finish(&blob)?;
            }
            drop(lock);
            files::remove_if_empty(&cache::fetch_folder(settings, repo));
        }
        files::link(&blob, &path)
    }

    /// Waits for the lock of a file. It only saves the second transfer: each process fills a file
    /// of its own.
    fn wait_for_lock(&self, repo: &Repo, hash: &Hash, entry: &RepoFile) -> Result<Lock> {
        let mut told = false;
        loop {
            match Lock::acquire(&cache::lock(&self.settings, repo, hash))? {
                LockClaim::Acquired(lock) => return Ok(lock),
                LockClaim::HeldBy(owner) => {
                    if self.is_stopped() {
                        return Err(HubError::Stopped.into());
                    }
                    if !std::mem::replace(&mut told, true) {
                        (self.listener)(&News::Waiting {
                            file: &entry.path,
                            owner: &owner,
                        });
                    }
                    std::thread::sleep(TELL_EVERY);
                }
            }
        }
    }

    /// Fills the file until it has the length and the hash that the list gives.
    fn fill(&self, wanted: &WantedFile, hash: &Hash, partial: &mut Partial) -> Result<()> {
        let size = wanted.entry.size;
        let (mut tries, mut wrong, mut validator) = (0, 0, None);
        if partial.length() > size {
            partial.restart()?;
        }
        loop {
            let before = partial.length();
            if before < size {
                match self.receive(wanted, partial, &mut validator) {
                    Ok(()) => {}
                    Err(Failed::Disk(error)) => return Err(error),
                    Err(Failed::Fault(fault)) => {
                        if partial.length() >= before + PROGRESS_BYTES {
                            tries = 0;
                        }
                        self.pause(&mut tries, fault)?;
                        continue;
                    }
                }
            }
            partial.sync()?;
            if hash.is_of(partial.path(), size)? {
                return Ok(());
            }
            partial.restart()?;
            validator = None;
            wrong += 1;
            let fault = HubError::WrongHash {
                file: wanted.title(),
                expected: hash.digits().to_owned(),
            };
            if wrong >= WRONG_TRANSFERS {
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
        wanted: &WantedFile,
        partial: &mut Partial,
        validator: &mut Option<String>,
    ) -> Result<(), Failed> {
        let from = partial.length();
        let answer = match self.ask_from(wanted, from, validator.as_deref()) {
            // What is here may be longer than what is there; from the start it will show.
            Err(HubError::Refused { status: 416, .. }) if from > 0 => {
                partial.restart().map_err(Failed::Disk)?;
                return Err(wanted.cut(from, "the hub has no more").into());
            }
            answer => answer?,
        };
        wanted.check(&answer)?;
        let response = answer.response;
        if from > 0 && !goes_on_at(&response, from) {
            // The whole file, whatever was asked for.
            partial.restart().map_err(Failed::Disk)?;
            if response.status() == 206 {
                return Err(wanted.cut(0, "the hub sent another part").into());
            }
        }
        *validator = response
            .header("etag")
            .filter(|etag| etag.starts_with('"'))
            .map(str::to_owned);
        let announced: Option<u64> = response
            .header("content-length")
            .and_then(|length| length.parse().ok());
        let missing = wanted.entry.size - partial.length();
        if let Some(length) = announced.filter(|&length| length > missing) {
            return Err(wanted.too_long(partial.length() + length).into());
        }
        self.append(response.into_reader(), wanted, partial)
    }

    /// Asks for a file from a byte on; with the validator of what is here, where one is known, so
    /// that a file that changed comes whole.
    fn ask_from(
        &self,
        wanted: &WantedFile,
        from: u64,
        validator: Option<&str>,
    ) -> Result<Answer, HubError> {
        let range = format!("bytes={from}-");
        let headers = [
            ("range", range.as_str()),
            ("if-range", validator.unwrap_or_default()),
        ];
        let headers = match (from, validator) {
            (0, _) => &headers[..0],
            (_, None) => &headers[..1],
            (_, Some(_)) => &headers[..],
        };
        let path = &wanted.entry.path;
        let url = self.client.address(wanted.repo, wanted.commit, path);
        let at = wanted.repo.at(wanted.commit);
        let subject = RequestSubject {
            repo: &at,
            file: Some(path),
        };
        self.client.get(&url, headers, &subject)
    }

    fn append(
        &self,
        mut body: impl Read,
        wanted: &WantedFile,
        partial: &mut Partial,
    ) -> Result<(), Failed> {
        let size = wanted.entry.size;
        let mut piece = vec![0; PIECE];
        let mut told: Option<Instant> = None;
        loop {
            if self.is_stopped() {
                return Err(HubError::Stopped.into());
            }
            let ended = match body.read(&mut piece) {
                Ok(0) => "the connection ended".to_owned(),
                Ok(count) => {
                    let found = partial.length() + count as u64;
                    if found > size {
                        partial.restart().map_err(Failed::Disk)?;
                        return Err(wanted.too_long(found).into());
                    }
                    partial.append(&piece[..count]).map_err(Failed::Disk)?;
                    if found == size || told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
                        told = Some(Instant::now());
                        (self.listener)(&News::Bytes {
                            file: &wanted.entry.path,
                            done: found,
                            total: size,
                        });
                    }
                    continue;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => error.to_string().to_lowercase(),
            };
            return match partial.length() {
                length if length == size => Ok(()),
                found => Err(wanted.cut(found, &ended).into()),
            };
        }
    }
}

/// Whether an answer is the part of the file that begins at a byte.
fn goes_on_at(response: &Response, from: u64) -> bool {
    let range = response.header("content-range");
    response.status() == 206 && range.and_then(start_of_range) == Some(from)
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
