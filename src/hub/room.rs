//! Whether what is to be fetched fits the disk, asked before its first byte comes.

use super::error::HubError;
use super::listing::RepoFile;
use super::repo::Repo;
use super::{Hub, cache};
use crate::files::{self, Partial};

impl Hub<'_> {
    /// Refuses files of one commit that the disk has no room for. What is there counts, and so does
    /// what a transfer has brought so far, of this process or another.
    ///
    /// # Errors
    /// [`HubError::NoRoom`], and as [`Hub::listing`].
    pub fn room_for<'n>(
        &self,
        repo: &Repo,
        commit: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), HubError> {
        if self.settings.is_offline(repo) {
            return Ok(());
        }
        let listing = self.listing(repo, commit)?;
        let missing = names
            .into_iter()
            .filter_map(|name| listing.find(name))
            .map(|entry| self.missing(repo, commit, entry))
            .sum();
        match files::free_space(&self.settings.cache) {
            Some(free) if missing > free => Err(HubError::NoRoom {
                what: repo.title(),
                folder: self.settings.cache.display().to_string(),
                missing,
                free,
            }),
            _ => Ok(()),
        }
    }

    /// Bytes of a file that are still to come.
    fn missing(&self, repo: &Repo, commit: &str, entry: &RepoFile) -> u64 {
        let Some(hash) = &entry.hash else { return 0 };
        if self.has(repo, commit, entry) || cache::blob(&self.settings, repo, hash).exists() {
            return 0;
        }
        entry
            .size
            .saturating_sub(Partial::length_so_far(&cache::partial_file(
                &self.settings,
                repo,
                hash,
            )))
    }
}
