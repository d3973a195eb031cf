//! The parquet files of a hub dataset: which of its files make up a split, in order.
//!
//! What a file belongs to is read off its path, by the hub's conventions:
//! `CONFIG/SPLIT-00000-of-00004.parquet`, the same below `data/` or at the root (a dataset of one
//! configuration), and `CONFIG/SPLIT/0000.parquet`, as the hub itself lays out the copies that it
//! makes of datasets in other formats on the branch `refs/convert/parquet`. Those stand in where
//! `main` has no parquet file.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::hub::{Hub, HubError, Listing, Pin, Repo};
use crate::plan::run::DatasetSpec;

/// The branch with the hub's own copies.
const CONVERTED: &str = "refs/convert/parquet";
/// What a dataset's only configuration is called where it has no name.
const DEFAULT: &str = "default";
/// The hub converts the first gigabytes of a large dataset alone, and says so by this.
const PARTIAL: &str = "partial-";

/// A file of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    pub repo: Repo,
    pub commit: String,
    pub path: String,
    pub bytes: u64,
}

/// Where a dataset's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetFiles {
    repo: Repo,
    pub commit: String,
    files: Vec<File>,
    /// Whether all files are known.
    whole: bool,
}

/// What a path says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    config: String,
    split: String,
    index: u64,
    /// As the path gives it.
    of: Option<u64>,
    path: String,
    bytes: u64,
}

/// The commit of a dataset and its parquet files.
///
/// # Errors
/// What the hub says; a dataset without parquet files.
pub fn find(dataset: &DatasetSpec, hub: &Hub) -> Result<DatasetFiles> {
    let DatasetSpec::Hub {
        repo: name,
        revision,
        ..
    } = dataset
    else {
        bail!("only datasets of the hub have shards")
    };
    let repo = Repo::dataset(name, revision);
    let commit = hub.commit(&repo)?;
    let at = hub
        .pin(&repo)
        .and_then(|pin| pin.branch)
        .map_or_else(|| repo.clone(), |branch| repo.at(&branch));
    let found = at_commit(hub, &at, commit)?;
    if !found.files.is_empty() {
        return Ok(found);
    }
    let others = "export it to parquet or text files and write source = \"parquet\" or \"text\"";
    if revision != "main" {
        bail!(
            "{} has no parquet files at the revision {revision}; the hub's own copies are of main \
             alone: leave dataset.revision out, or {others}",
            repo.title()
        );
    }
    let at = repo.at(CONVERTED);
    let found = hub
        .commit(&at)
        .map_err(anyhow::Error::from)
        .and_then(|commit| at_commit(hub, &at, commit));
    let found = match found {
        Ok(found) if !found.files.is_empty() => found,
        Ok(_) => bail!(
            "{} has no parquet files, nor has the hub made copies in that format; {others}",
            repo.title()
        ),
        Err(error) => {
            return Err(error.context(format!(
                "{} has no parquet files, and the hub's copies in that format cannot be had",
                repo.title()
            )));
        }
    };
    hub.set_pin(Pin {
        repo,
        commit: found.commit.clone(),
        branch: Some(CONVERTED.to_owned()),
    });
    Ok(found)
}

fn at_commit(hub: &Hub, repo: &Repo, commit: String) -> Result<DatasetFiles> {
    let listing = hub.listing(repo, &commit)?;
    Ok(DatasetFiles {
        repo: repo.clone(),
        commit,
        files: files(&listing),
        whole: listing.whole,
    })
}

/// The files of a split of the dataset, in order.
///
/// # Errors
/// As [`find`]; a configuration or a split that is not there, with those that are; a split that
/// lacks files.
pub fn of_split(dataset: &DatasetSpec, hub: &Hub, split: &str) -> Result<Vec<Shard>> {
    let DatasetSpec::Hub { config, .. } = dataset else {
        bail!("only datasets of the hub have shards")
    };
    let found = find(dataset, hub)?;
    let files = found.split(config.as_deref(), split)?;
    let shard = |file: &File| Shard {
        repo: found.repo.clone(),
        commit: found.commit.clone(),
        path: file.path.clone(),
        bytes: file.bytes,
    };
    Ok(files.into_iter().map(shard).collect())
}

/// Checks that every split that a dataset names is there, all of them at once.
///
/// # Errors
/// As [`of_split`].
pub fn check(dataset: &DatasetSpec, hub: &Hub) -> Result<DatasetFiles> {
    let DatasetSpec::Hub {
        config,
        train,
        validation,
        test,
        ..
    } = dataset
    else {
        bail!("only datasets of the hub have shards")
    };
    let found = find(dataset, hub)?;
    let mut wrong: Vec<String> = Vec::new();
    for (key, split) in [("train", train), ("validation", validation), ("test", test)] {
        if split.ends_with('%') {
            continue;
        }
        if let Err(error) = found.split(config.as_deref(), split) {
            if error.is::<HubError>() {
                return Err(error);
            }
            let about_config = error.to_string().contains("dataset.config");
            wrong.push(if about_config {
                error.to_string()
            } else {
                format!("dataset.{key} = \"{split}\": {error}")
            });
            if about_config {
                break;
            }
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    Ok(found)
}

impl DatasetFiles {
    fn split(&self, config: Option<&str>, split: &str) -> Result<Vec<&File>> {
        let config = self.config(config)?;
        let mut files: Vec<&File> = self
            .files
            .iter()
            .filter(|file| file.config == config && file.split == split)
            .collect();
        if files.is_empty() {
            self.surely(|| format!("the split \"{split}\" of {}", self.named(&config)))?;
            let splits: BTreeSet<&str> = self
                .files
                .iter()
                .filter(|file| file.config == config)
                .map(|file| file.split.as_str())
                .collect();
            let partial = format!("{PARTIAL}{split}");
            let more = if splits.contains(partial.as_str()) {
                format!(
                    "; of {split} the hub has converted only the first part, which \"{partial}\" \
                     names"
                )
            } else if splits.len() == 1 {
                "; name it, or cut a share of it such as \"0.5%\"".to_owned()
            } else {
                String::new()
            };
            bail!(
                "{} has no split \"{split}\"; there {} {}{more}",
                self.named(&config),
                if splits.len() == 1 { "is" } else { "are" },
                listed(&splits)
            );
        }
        files.sort_by(|a, b| (a.index, &a.path).cmp(&(b.index, &b.path)));
        let mut counts: Vec<Option<u64>> = files.iter().map(|file| file.of).collect();
        counts.dedup();
        match counts[..] {
            [Some(count)] => {
                let missing: Vec<u64> = (0..count.min(1 << 20))
                    .filter(|index| !files.iter().any(|file| file.index == *index))
                    .collect();
                if let Some(first) = missing.first() {
                    self.surely(|| {
                        format!(
                            "number {first} of the {count} files of the split \"{split}\" of {}",
                            self.named(&config)
                        )
                    })?;
                    bail!(
                        "{} of the {count} files of the split \"{split}\" of {} are not on the \
                         hub, number {first} the first",
                        missing.len(),
                        self.named(&config)
                    );
                }
                if files.len() as u64 != count {
                    bail!(
                        "the split \"{split}\" of {} has {} files that say that they are of \
                         {count}",
                        self.named(&config),
                        files.len()
                    );
                }
            }
            [None] => self.surely(|| {
                format!(
                    "a list of all files of the split \"{split}\" of {}",
                    self.named(&config)
                )
            })?,
            _ => bail!(
                "the files of the split \"{split}\" of {} do not agree on how many they are",
                self.named(&config)
            ),
        }
        Ok(files)
    }

    /// The configuration that is meant.
    fn config(&self, wanted: Option<&str>) -> Result<String> {
        let configs: BTreeSet<&str> = self.files.iter().map(|file| file.config.as_str()).collect();
        match wanted {
            Some(wanted) if configs.contains(wanted) => Ok(wanted.to_owned()),
            Some(wanted) if !self.whole => Err(HubError::NotHere {
                what: format!("the configuration {wanted} of {}", self.repo.title()),
            }
            .into()),
            Some(wanted) => {
                bail!(
                    "dataset.config = \"{wanted}\": {} has no such configuration; it has {}",
                    self.repo.title(),
                    listed(&configs)
                )
            }
            None if configs.len() == 1 || configs.contains(DEFAULT) => {
                Ok(if configs.contains(DEFAULT) {
                    DEFAULT
                } else {
                    configs.first().copied().unwrap_or(DEFAULT)
                }
                .to_owned())
            }
            None => bail!(
                "dataset.config is absent, and {} has several: write one of {}",
                self.repo.title(),
                listed(&configs)
            ),
        }
    }

    /// What is not found may be there all the same, unless all files are known.
    fn surely(&self, what: impl FnOnce() -> String) -> Result<(), HubError> {
        if self.whole {
            Ok(())
        } else {
            Err(HubError::NotHere { what: what() })
        }
    }

    fn named(&self, config: &str) -> String {
        if config == DEFAULT {
            self.repo.title()
        } else {
            format!("{} ({config})", self.repo.title())
        }
    }
}

/// At most a dozen names.
fn listed(names: &BTreeSet<&str>) -> String {
    let shown: Vec<&str> = names.iter().take(12).copied().collect();
    let more = names.len() - shown.len();
    if more > 0 {
        format!("{} and {more} more", shown.join(", "))
    } else {
        shown.join(", ")
    }
}

fn files(listing: &Listing) -> Vec<File> {
    listing
        .files
        .iter()
        .filter_map(|entry| file(&entry.path, entry.size))
        .collect()
}

/// Reads a path; nothing where it is no parquet file.
fn file(path: &str, bytes: u64) -> Option<File> {
    let mut parts: Vec<&str> = path.strip_suffix(".parquet")?.split('/').collect();
    let name = parts.pop()?;
    if parts.first() == Some(&"data") {
        parts.remove(0);
    }
    let (split, index, of) = match numbered(name) {
        Some((split, index, of)) => (split.to_owned(), index, Some(of)),
        // A number alone: the folder is the split.
        None if name.bytes().all(|byte| byte.is_ascii_digit()) && !parts.is_empty() => {
            (parts.pop()?.to_owned(), name.parse().ok()?, None)
        }
        None => (name.to_owned(), 0, None),
    };
    let config = if parts.is_empty() {
        DEFAULT.to_owned()
    } else {
        parts.join("/")
    };
    Some(File {
        config,
        split,
        index,
        of,
        path: path.to_owned(),
        bytes,
    })
}

/// `train-00000-of-00004`, also with a hash behind it.
fn numbered(name: &str) -> Option<(&str, u64, u64)> {
    let (split_and_index, rest) = name.rsplit_once("-of-")?;
    let (split, index) = split_and_index.rsplit_once('-')?;
    let (of, hash) = rest.split_once('-').unwrap_or((rest, ""));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_hash = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (digits(index) && digits(of) && is_hash && !split.is_empty()).then_some(())?;
    Some((split, index.parse().ok()?, of.parse().ok()?))
}

#[cfg(test)]
#[path = "shards_tests.rs"]
mod tests;
