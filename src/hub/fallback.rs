//! What stands in for the hub's answers: the cache where the hub cannot be reached, and what is
//! told of single files where a mirror lists none.

use std::sync::Arc;

use super::answer::foreign_answer;
use super::error::HubError;
use super::listing::{Listing, RepoFile};
use super::repo::{self, Repo};
use super::{Hub, News, cache};
use crate::files;

impl Hub<'_> {
    /// The commit that the cache remembers of a revision.
    pub(super) fn remembered(&self, repo: &Repo) -> Option<String> {
        let text = files::read_text(&cache::reference(&self.settings, repo), 256).ok()?;
        let commit = text.trim();
        repo::is_commit(commit).then(|| commit.to_owned())
    }

    /// What the cache has in place of an answer of a hub that is down, said once; the fault where
    /// it has nothing, or where another day would change nothing.
    pub(super) fn in_its_place<T>(
        &self,
        repo: &Repo,
        fault: HubError,
        cached: impl FnOnce() -> Option<T>,
    ) -> Result<T, HubError> {
        if !fault.is_passing() {
            return Err(fault);
        }
        let Some(found) = cached() else {
            return Err(fault);
        };
        // What is not in the cache is not waited for again.
        let was_down = self.state().down.replace(fault.clone()).is_some();
        let is_new = self.state().told.insert(repo.clone());
        if is_new {
            let reason = if was_down {
                format!("{repo} is used as the cache has it, too")
            } else {
                format!("{}; {repo} is used as the cache has it", fault.in_short())
            };
            (self.listener)(&News::FromCache { reason: &reason });
        }
        Ok(found)
    }

    /// A file of a commit, its length and hash asked for where no list gave them.
    pub(super) fn entry(
        &self,
        repo: &Repo,
        commit: &str,
        name: &str,
    ) -> Result<RepoFile, HubError> {
        let listing = self.listing(repo, commit)?;
        match listing.find(name) {
            Some(entry) if !entry.is_name_alone => return Ok(entry.clone()),
            None if !listing.by_name => return Err(self.no_file(repo, name, listing.whole)),
            _ => {}
        }
        let told = self.with_retries(|| self.client.about(repo, commit, name))?;
        let what = format!("what {} tells of {name}", self.settings.endpoint);
        let is_other = told.commit.is_some_and(|found| found != commit);
        if is_other {
            return Err(foreign_answer(&what, "it comes from another commit"));
        }
        let (Some(size), Some(hash)) = (told.size, told.hash) else {
            return Err(foreign_answer(
                &what,
                "it has no length, or no hash in its ETag, so nothing could be checked",
            ));
        };
        let entry = RepoFile::asked(name, Some(size), Some(hash));
        let key = (repo.clone(), commit.to_owned());
        let known = Arc::new(listing.with(entry.clone()));
        self.state().listings.insert(key, known);
        Ok(entry)
    }

    /// Refuses what the cache holds of a commit where nobody knows whether the commit has a file
    /// that says something of what is there: neither is the list of its files whole, nor did the
    /// Python library ask for the file in vain. What a mirror told, of which no list is kept, is
    /// marked as the library does, so that it is known when the mirror is not asked.
    pub(super) fn ensure_known(
        &self,
        repo: &Repo,
        commit: &str,
        listing: &Listing,
        names: &[&str],
    ) -> Result<(), HubError> {
        let is_kept = cache::listing(&self.settings, repo, commit).is_file();
        for name in names.iter().filter(|name| listing.find(name).is_none()) {
            let marker = cache::absence(&self.settings, repo, commit, name);
            if marker.is_file() {
                continue;
            }
            if !listing.whole {
                return Err(self.no_file(repo, name, false));
            }
            if !is_kept {
                // A cache that cannot be written can still be read.
                let _ = files::write_atomically(&marker, &[]);
            }
        }
        Ok(())
    }

    fn no_file(&self, repo: &Repo, name: &str, whole: bool) -> HubError {
        if whole {
            return HubError::NoFile {
                repo: repo.title(),
                revision: repo.revision.clone(),
                file: name.to_owned(),
            };
        }
        // The hub would have it, perhaps.
        self.state()
            .down
            .clone()
            .unwrap_or_else(|| HubError::NotHere {
                what: format!("{name} of {}", repo.title()),
            })
    }
}
