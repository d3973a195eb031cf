//! Where things lie in the hub's cache: `KIND--OWNER--NAME/{refs,trees,blobs,snapshots,.no_exist}`,
//! as the Python library has it, and `.kdpipe` beside them for what is being fetched.

use std::path::PathBuf;

use hf_hub::Cache;

use super::hash::Hash;
use super::repo::Repo;
use super::settings::Settings;

fn folder(settings: &Settings, repo: &Repo) -> PathBuf {
    Cache::new(settings.cache.clone())
        .path()
        .join(repo.as_hf_hub().folder_name())
}

/// The file that remembers the commit of a revision.
pub(super) fn reference(settings: &Settings, repo: &Repo) -> PathBuf {
    folder(settings, repo).join("refs").join(&repo.revision)
}

/// The folder of a commit's files, which are links to blobs.
pub(super) fn snapshot(settings: &Settings, repo: &Repo, commit: &str) -> PathBuf {
    folder(settings, repo).join("snapshots").join(commit)
}

/// The marker of a file that the commit does not have, as the Python library leaves it where it
/// asked for one in vain.
pub(super) fn absence(settings: &Settings, repo: &Repo, commit: &str, name: &str) -> PathBuf {
    folder(settings, repo)
        .join(".no_exist")
        .join(commit)
        .join(name)
}

/// A file by its hash.
pub(super) fn blob(settings: &Settings, repo: &Repo, hash: &Hash) -> PathBuf {
    folder(settings, repo).join("blobs").join(hash.digits())
}

/// The list of a commit's files, as newer Python libraries store it too: offline nothing else tells
/// whether a snapshot is complete.
pub(super) fn listing(settings: &Settings, repo: &Repo, commit: &str) -> PathBuf {
    folder(settings, repo)
        .join("trees")
        .join(format!("{commit}.json"))
}

/// Where files are fetched to.
pub(super) fn fetch_folder(settings: &Settings, repo: &Repo) -> PathBuf {
    folder(settings, repo).join(".kdpipe")
}

/// A file that is being fetched.
pub(super) fn partial_file(settings: &Settings, repo: &Repo, hash: &Hash) -> PathBuf {
    fetch_folder(settings, repo).join(hash.digits())
}

/// Held by the process that fetches a file.
pub(super) fn lock(settings: &Settings, repo: &Repo, hash: &Hash) -> PathBuf {
    fetch_folder(settings, repo).join(format!("{}.lock", hash.digits()))
}
