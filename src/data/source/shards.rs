//! The files of a hub dataset: those of its repo, or the copies in parquet that the hub itself
//! makes of datasets in other formats, on the branch `refs/convert/parquet`.
//!
//! Which files make up a split is decided as `load_dataset` of Python's `datasets` decides it
//! (`config_splits`). The copies stand in where none of a dataset's own files can be read, or where
//! their branch is asked for.

use std::sync::Arc;

use anyhow::{Context, Error, Result, anyhow, bail};

use super::card::{CARD_FILES, Card};
use super::config_splits::{DEFAULT, RepoLayout, SplitFiles, listed};
use super::data_formats::{DataFormat, in_words, is_of_kind};
use super::repo_use::RepoUse;
use super::shard_numbers;
use crate::files;
use crate::hub::{Hub, HubError, Listing, Pin, Repo, RepoFile};
use crate::plan::InputFault;

/// Changes with the rule that chooses files, and with how their rows are read.
pub const VERSION: u32 = 2;
/// The branch with the hub's own copies.
const CONVERTED: &str = "refs/convert/parquet";
/// The hub converts the first gigabytes of a large dataset alone, and says so by this.
const PARTIAL: &str = "partial-";
/// The longest card that is read.
const LONGEST_CARD: u64 = 16 << 20;

/// Where a dataset's files are.
#[derive(Debug, Clone)]
pub struct DatasetFiles {
    pub repo: Repo,
    pub commit: String,
    used_for: RepoUse,
    listing: Arc<Listing>,
    layout: RepoLayout,
}

impl DatasetFiles {
    /// The commit of a dataset and what it holds.
    ///
    /// # Errors
    /// What the hub says; a dataset without files that can be read, of its own or copies.
    pub fn find(repo: &Repo, hub: &Hub) -> Result<Self> {
        Self::find_for(&RepoUse::Text, repo, hub)
    }

    /// The same for another use.
    ///
    /// # Errors
    /// As [`DatasetFiles::find`].
    pub fn find_for(used_for: &RepoUse, repo: &Repo, hub: &Hub) -> Result<Self> {
        let commit = hub.commit(repo)?;
        let at = hub
            .pin(repo)
            .and_then(|pin| pin.branch)
            .map_or_else(|| repo.clone(), |branch| repo.at(&branch));
        let found = Self::at_commit(hub, &at, commit, used_for)?;
        if found.is_readable() {
            return Ok(found);
        }
        if !found.listing.whole {
            return Err(not_here(format!("a list of all files of {}", repo.title())));
        }
        let copies = found.copies(repo, hub)?;
        hub.set_pin(Pin {
            repo: repo.clone(),
            commit: copies.commit.clone(),
            branch: Some(CONVERTED.to_owned()),
        });
        Ok(copies)
    }

    /// The copies that the hub made of a dataset whose own files cannot be read.
    fn copies(&self, repo: &Repo, hub: &Hub) -> Result<Self> {
        let title = repo.title();
        let held = match self.script() {
            Some(script) => format!("{title} is loaded by a script ({script}), which is not run"),
            None => format!(
                "{title} holds {}, and nothing that can be read here (parquet, JSON lines or text)",
                in_words(&self.paths())
            ),
        };
        let (others, key) = (self.used_for.by_hand(), self.used_for.key("revision"));
        if repo.revision == CONVERTED {
            bail!("{held}; leave {key} out, or {others}");
        }
        if repo.revision != "main" {
            bail!(
                "{held} at the revision {}; the hub's own copies in parquet are of main alone: \
                 leave {key} out, or {others}",
                repo.revision
            );
        }
        let at = repo.at(CONVERTED);
        let found = hub
            .commit(&at)
            .map_err(Error::from)
            .and_then(|commit| Self::at_commit(hub, &at, commit, &self.used_for));
        match found {
            Ok(found) if found.is_readable() => Ok(found),
            Ok(_) => bail!("{held}, nor has the hub made copies in parquet; {others}"),
            Err(error) => Err(error.context(format!(
                "{held}, and the hub's own copies in parquet cannot be had; {others}"
            ))),
        }
    }

    fn at_commit(hub: &Hub, repo: &Repo, commit: String, used_for: &RepoUse) -> Result<Self> {
        let listing = hub.listing(repo, &commit)?;
        let layout = if repo.revision == CONVERTED {
            RepoLayout::Copies
        } else {
            RepoLayout::Card(card(hub, repo, &commit, &listing)?)
        };
        Ok(Self {
            repo: repo.clone(),
            commit,
            used_for: used_for.clone(),
            listing,
            layout,
        })
    }

    /// What is known of a file.
    pub fn entry(&self, path: &str) -> Option<&RepoFile> {
        self.listing.find(path)
    }

    fn paths(&self) -> Vec<&str> {
        let files = self.listing.files.iter();
        files.map(|entry| entry.path.as_str()).collect()
    }

    /// Whether any split of any configuration can be read.
    fn is_readable(&self) -> bool {
        let paths = self.paths();
        let mut configs: Vec<Option<String>> =
            self.layout.configs(&paths).into_iter().map(Some).collect();
        if configs.is_empty() {
            if self.layout == RepoLayout::Copies || self.script().is_some() {
                return false;
            }
            configs.push(None);
        }
        configs.iter().any(|config| {
            let splits = self
                .layout
                .config(config.as_deref(), &paths, "")
                .and_then(|config| self.layout.splits(&config, &paths));
            // What is wrong with a card that names files is told when its splits are asked for.
            splits.map_or(true, |splits| {
                splits.iter().any(|split| format(split).is_some())
            })
        })
    }

    /// The script that says how the dataset is loaded, where there is one.
    fn script(&self) -> Option<String> {
        let name = self.repo.name.rsplit('/').next()?;
        let script = format!("{name}.py");
        self.listing.find(&script).map(|entry| entry.path.clone())
    }

    /// The files of a split, in order.
    ///
    /// # Errors
    /// A configuration or a split that is not there, with those that are; a split that lacks files
    /// or cannot be read.
    pub fn split(
        &self,
        config: Option<&str>,
        split: &str,
        column: &str,
    ) -> Result<(DataFormat, Vec<String>)> {
        let (title, splits) = self.splits(config)?;
        let found = self.split_of(&title, &splits, split)?;
        check_column(&title, found.0, column)?;
        Ok(found)
    }

    /// The names of all configurations; none where they have none.
    ///
    /// # Errors
    /// A list of files that may lack some, where the files alone tell the names.
    pub fn configs(&self) -> Result<Vec<String>> {
        if !self.listing.whole && self.layout == RepoLayout::Copies {
            return Err(not_here(format!(
                "a list of all configurations of {}",
                self.repo.title()
            )));
        }
        Ok(self.layout.configs(&self.paths()))
    }

    /// Whether there is a configuration of that name, or, where they have none, a folder.
    pub fn has_config(&self, name: &str) -> bool {
        self.layout.config(Some(name), &self.paths(), "").is_ok()
    }

    /// The files of a split whose rows have more than one column that is wanted.
    ///
    /// # Errors
    /// As [`DatasetFiles::split`].
    pub fn rows_of(&self, config: Option<&str>, split: &str) -> Result<(DataFormat, Vec<String>)> {
        let (title, splits) = self.splits(config)?;
        self.split_of(&title, &splits, split)
    }

    /// Checks that every split is there that a key of the spec names, all of them at once.
    ///
    /// # Errors
    /// As [`DatasetFiles::split`].
    pub fn check_splits(
        &self,
        config: Option<&str>,
        splits: &[(&str, &str)],
        column: &str,
    ) -> Result<()> {
        let (title, found) = self.splits(config)?;
        let mut wrong: Vec<String> = Vec::new();
        for (key, split) in splits {
            let error = match self.split_of(&title, &found, split) {
                Ok((format, _)) => {
                    check_column(&title, format, column)?;
                    continue;
                }
                Err(error) => error,
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

    /// The dataset in messages, with its configuration where that has a name, and its splits.
    fn splits(&self, config: Option<&str>) -> Result<(String, Vec<SplitFiles>)> {
        let (paths, title) = (self.paths(), self.repo.title());
        let config = match self.layout.config(config, &paths, &title) {
            Err(_) if !self.listing.whole && self.layout == RepoLayout::Copies => {
                let config = config.map_or_else(String::new, |name| format!(" {name}"));
                return Err(not_here(format!("the configuration{config} of {title}")));
            }
            found => found?,
        };
        let title = if config.name == DEFAULT {
            title
        } else {
            format!("{title} ({})", config.name)
        };
        if let Some(unread) = &config.unread {
            bail!(
                "the card of {title} has the hub's library read it with {unread}, which is not \
                 followed here; write revision = \"{CONVERTED}\" to read the hub's own copies"
            );
        }
        let splits = self
            .layout
            .splits(&config, &paths)
            .with_context(|| title.clone())?;
        Ok((title, splits))
    }

    fn split_of(
        &self,
        title: &str,
        splits: &[SplitFiles],
        name: &str,
    ) -> Result<(DataFormat, Vec<String>)> {
        let found = splits.iter().find(|split| split.name == name);
        let Some(found) = found.filter(|split| !split.paths.is_empty()) else {
            return Err(self.no_such_split(title, splits, name));
        };
        let Some(format) = format(found) else {
            bail!(
                "{title} has it as {}, which cannot be read here; write revision = \
                 \"{CONVERTED}\" to read the hub's own copies in parquet",
                in_words(&found.paths.iter().map(String::as_str).collect::<Vec<_>>())
            );
        };
        if let Some(other) = found
            .paths
            .iter()
            .find(|path| !is_of_kind(path, format.name()))
        {
            bail!(
                "{title} has {} files in it, and with them {other}, which is none",
                format.name()
            );
        }
        shard_numbers::check(&found.paths, &self.listing, &|| {
            format!("the split \"{name}\" of {title}")
        })?;
        let are_counted = found.is_open_behind_numbers && shard_numbers::are_counted(&found.paths);
        if !self.listing.whole && !found.is_named && !are_counted {
            return Err(not_here(format!(
                "a list of all files of the split \"{name}\" of {title}"
            )));
        }
        Ok((format, found.paths.clone()))
    }

    fn no_such_split(&self, title: &str, splits: &[SplitFiles], name: &str) -> Error {
        if !self.listing.whole {
            return not_here(format!("the split \"{name}\" of {title}"));
        }
        let with_files = splits.iter().filter(|split| !split.paths.is_empty());
        let mut names: Vec<String> = with_files.map(|split| split.name.clone()).collect();
        names.sort();
        let partial = format!("{PARTIAL}{name}");
        let is_for_text = self.used_for == RepoUse::Text;
        let more = if names.contains(&partial) {
            format!(
                "; of {name} the hub has converted only the first part, which \"{partial}\" names"
            )
        } else if names.len() == 1 && is_for_text {
            "; name it, or cut a share of it such as \"0.5%\"".to_owned()
        } else {
            String::new()
        };
        let verb = if names.len() == 1 { "is" } else { "are" };
        let message = if names.is_empty() {
            format!("{title} has no files of data, so no split \"{name}\"")
        } else {
            format!(
                "{title} has no split \"{name}\"; there {verb} {}{more}",
                listed(&names)
            )
        };
        if is_for_text {
            return anyhow!("{message}");
        }
        let key = self.used_for.key("split");
        let hint = format!(
            "name a split that all configurations have, or those that have it in {}",
            self.used_for.key("configs")
        );
        InputFault::of_key(&key, format!("{key} = \"{name}\": {message}"), hint).into()
    }
}

/// Refuses a column that no text file has.
fn check_column(title: &str, format: DataFormat, column: &str) -> Result<()> {
    if format == DataFormat::Text && column != "text" {
        bail!(
            "dataset.column = \"{column}\": {title} has text files, whose lines are the column \
             \"text\""
        );
    }
    Ok(())
}

fn format(split: &SplitFiles) -> Option<DataFormat> {
    split.kind.and_then(DataFormat::of)
}

/// Of a listing that may lack files, what is not in it may be on the hub all the same.
fn not_here(what: String) -> Error {
    HubError::NotHere { what }.into()
}

/// The card of a commit.
fn card(hub: &Hub, repo: &Repo, commit: &str, listing: &Listing) -> Result<Card> {
    if !listing.whole && listing.find(CARD_FILES[0]).is_none() {
        return Err(not_here(format!("{} of {}", CARD_FILES[0], repo.title())));
    }
    let mut texts = Vec::new();
    for name in CARD_FILES {
        let text = match listing.find(name) {
            None => None,
            Some(_) => {
                let path = hub.file(repo, commit, name)?;
                let bytes = files::read_limited(&path, LONGEST_CARD)?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
        };
        texts.push(text);
    }
    Card::read(texts[0].as_deref(), texts[1].as_deref()).with_context(|| {
        format!(
            "the card of {} cannot be read; write revision = \"{CONVERTED}\" to read the hub's \
             own copies in parquet",
            repo.title()
        )
    })
}

#[cfg(test)]
#[path = "shards_tests.rs"]
mod tests;
