//! The parquet files of a hub dataset: which of its files make up a split, in order.
//!
//! What a file belongs to is read off its path, by the hub's conventions:
//! `CONFIG/SPLIT-00000-of-00004.parquet`, the same below `data/` or at the root (a dataset of one
//! configuration), and `CONFIG/SPLIT/0000.parquet`, as the hub itself lays out the copies that it
//! makes of datasets in other formats on the branch `refs/convert/parquet`. Those stand in where
//! `main` has no parquet file.

use std::collections::BTreeSet;

use anyhow::{Error, Result, anyhow, bail};

use crate::hub::{Hub, HubError, Listing, Pin, Repo};

/// The branch with the hub's own copies.
const CONVERTED: &str = "refs/convert/parquet";
/// What a dataset's only configuration is called where it has no name.
const DEFAULT: &str = "default";
/// The hub converts the first gigabytes of a large dataset alone, and says so by this.
const PARTIAL: &str = "partial-";
/// More files than this are never looked for one by one.
const MOST_SHARDS: u64 = 1 << 20;

/// Where a dataset's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetFiles {
    pub repo: Repo,
    pub commit: String,
    shards: Vec<Shard>,
    /// Whether all files are known.
    whole: bool,
}

/// A parquet file, and what its path says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shard {
    config: String,
    split: String,
    index: u64,
    /// As the path gives it.
    of: Option<u64>,
    path: String,
}

impl DatasetFiles {
    /// The commit of a dataset and its parquet files.
    ///
    /// # Errors
    /// What the hub says; a dataset without parquet files.
    pub fn find(repo: &Repo, hub: &Hub) -> Result<Self> {
        let commit = hub.commit(repo)?;
        let at = hub
            .pin(repo)
            .and_then(|pin| pin.branch)
            .map_or_else(|| repo.clone(), |branch| repo.at(&branch));
        let found = Self::at_commit(hub, &at, commit)?;
        if !found.shards.is_empty() {
            return Ok(found);
        }
        let copies = Self::find_copies(repo, hub)?;
        hub.set_pin(Pin {
            repo: repo.clone(),
            commit: copies.commit.clone(),
            branch: Some(CONVERTED.to_owned()),
        });
        Ok(copies)
    }

    /// The copies that the hub made of a dataset without parquet files.
    fn find_copies(repo: &Repo, hub: &Hub) -> Result<Self> {
        let others =
            "export it to parquet or text files and write source = \"parquet\" or \"text\"";
        if repo.revision != "main" {
            bail!(
                "{} has no parquet files at the revision {}; the hub's own copies are of main \
                 alone: leave dataset.revision out, or {others}",
                repo.title(),
                repo.revision
            );
        }
        let at = repo.at(CONVERTED);
        let found = hub
            .commit(&at)
            .map_err(Error::from)
            .and_then(|commit| Self::at_commit(hub, &at, commit));
        match found {
            Ok(found) if !found.shards.is_empty() => Ok(found),
            Ok(_) => bail!(
                "{} has no parquet files, nor has the hub made copies in that format; {others}",
                repo.title()
            ),
            Err(error) => Err(error.context(format!(
                "{} has no parquet files, and the hub's copies in that format cannot be had",
                repo.title()
            ))),
        }
    }

    fn at_commit(hub: &Hub, repo: &Repo, commit: String) -> Result<Self> {
        let listing = hub.listing(repo, &commit)?;
        Ok(Self {
            repo: repo.clone(),
            commit,
            shards: shards(&listing),
            whole: listing.whole,
        })
    }

    /// The paths of the files of a split, in order.
    ///
    /// # Errors
    /// A configuration or a split that is not there, with those that are; a split that lacks files.
    pub fn split(&self, config: Option<&str>, split: &str) -> Result<Vec<&str>> {
        self.split_of(&self.config(config)?, split)
    }

    /// Checks that every split is there that a key of the spec names, all of them at once.
    ///
    /// # Errors
    /// As [`DatasetFiles::split`].
    pub fn check_splits(&self, config: Option<&str>, splits: &[(&str, &str)]) -> Result<()> {
        let config = self.config(config)?;
        let mut wrong: Vec<String> = Vec::new();
        for (key, split) in splits {
            let Err(error) = self.split_of(&config, split) else {
                continue;
            };
            if error.is::<HubError>() {
                return Err(error);
            }
            wrong.push(format!("dataset.{key} = \"{split}\": {error}"));
        }
        if !wrong.is_empty() {
            bail!("{}", wrong.join("; "));
        }
        Ok(())
    }

    fn split_of(&self, config: &str, split: &str) -> Result<Vec<&str>> {
        let mut shards: Vec<&Shard> = self
            .shards
            .iter()
            .filter(|shard| shard.config == config && shard.split == split)
            .collect();
        if shards.is_empty() {
            return Err(self.no_such_split(config, split));
        }
        shards.sort_by(|a, b| (a.index, &a.path).cmp(&(b.index, &b.path)));
        self.check_count(config, split, &shards)?;
        Ok(shards
            .into_iter()
            .map(|shard| shard.path.as_str())
            .collect())
    }

    fn no_such_split(&self, config: &str, split: &str) -> Error {
        let title = self.title(config);
        if !self.whole {
            return not_here(format!("the split \"{split}\" of {title}"));
        }
        let splits: BTreeSet<&str> = self
            .shards
            .iter()
            .filter(|shard| shard.config == config)
            .map(|shard| shard.split.as_str())
            .collect();
        let partial = format!("{PARTIAL}{split}");
        let more = if splits.contains(partial.as_str()) {
            format!(
                "; of {split} the hub has converted only the first part, which \"{partial}\" names"
            )
        } else if splits.len() == 1 {
            "; name it, or cut a share of it such as \"0.5%\"".to_owned()
        } else {
            String::new()
        };
        let verb = if splits.len() == 1 { "is" } else { "are" };
        anyhow!(
            "{title} has no split \"{split}\"; there {verb} {}{more}",
            listed(&splits)
        )
    }

    /// Compares the files of a split with how many they say that they are.
    fn check_count(&self, config: &str, split: &str, shards: &[&Shard]) -> Result<()> {
        let title = self.title(config);
        let mut counts: Vec<Option<u64>> = shards.iter().map(|shard| shard.of).collect();
        counts.dedup();
        match counts[..] {
            [Some(count)] => {
                let missing: Vec<u64> = (0..count.min(MOST_SHARDS))
                    .filter(|index| !shards.iter().any(|shard| shard.index == *index))
                    .collect();
                if let Some(first) = missing.first() {
                    if !self.whole {
                        return Err(not_here(format!(
                            "number {first} of the {count} files of the split \"{split}\" of \
                             {title}"
                        )));
                    }
                    bail!(
                        "{} of the {count} files of the split \"{split}\" of {title} are not on \
                         the hub, number {first} the first",
                        missing.len()
                    );
                }
                if shards.len() as u64 != count {
                    bail!(
                        "the split \"{split}\" of {title} has {} files that say that they are of \
                         {count}",
                        shards.len()
                    );
                }
                Ok(())
            }
            [None] if self.whole => Ok(()),
            [None] => Err(not_here(format!(
                "a list of all files of the split \"{split}\" of {title}"
            ))),
            _ => bail!(
                "the files of the split \"{split}\" of {title} do not agree on how many they are"
            ),
        }
    }

    /// The configuration that is meant.
    fn config(&self, wanted: Option<&str>) -> Result<String> {
        let configs: BTreeSet<&str> = self
            .shards
            .iter()
            .map(|shard| shard.config.as_str())
            .collect();
        let title = self.repo.title();
        match wanted {
            Some(wanted) if configs.contains(wanted) => Ok(wanted.to_owned()),
            Some(wanted) if !self.whole => {
                Err(not_here(format!("the configuration {wanted} of {title}")))
            }
            Some(wanted) => bail!(
                "dataset.config = \"{wanted}\": {title} has no such configuration; it has {}",
                listed(&configs)
            ),
            None if configs.contains(DEFAULT) => Ok(DEFAULT.to_owned()),
            None if configs.len() == 1 => Ok(configs.into_iter().collect()),
            None => bail!(
                "dataset.config is absent, and {title} has several: write one of {}",
                listed(&configs)
            ),
        }
    }

    /// The dataset in messages, with its configuration where that has a name.
    fn title(&self, config: &str) -> String {
        if config == DEFAULT {
            self.repo.title()
        } else {
            format!("{} ({config})", self.repo.title())
        }
    }
}

/// Of a listing that may lack files, what is not in it may be on the hub all the same.
fn not_here(what: String) -> Error {
    HubError::NotHere { what }.into()
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

fn shards(listing: &Listing) -> Vec<Shard> {
    listing
        .files
        .iter()
        .filter_map(|entry| shard(&entry.path))
        .collect()
}

/// Reads a path; nothing where it is no parquet file.
fn shard(path: &str) -> Option<Shard> {
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
    Some(Shard {
        config,
        split,
        index,
        of,
        path: path.to_owned(),
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
