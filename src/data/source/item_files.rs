//! The items of a task in a dataset of the hub: which files of which configurations they are, and
//! their rows.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;
use serde_json::Value;

use super::config_splits::{DEFAULT, listed};
use super::data_formats::DataFormat;
use super::found_faults::FoundFaults;
use super::hub_checks::cached;
use super::item_rows::{self, ItemColumns, ItemRow};
use super::repo_use::RepoUse;
use super::shards::DatasetFiles;
use crate::hub::{Hub, HubError, Repo};
use crate::plan::InputFault;
use crate::plan::run::HubItems;

/// The files of a task, found and not yet read.
pub struct ItemFiles<'a> {
    hub: &'a Hub<'a>,
    used_for: RepoUse,
    files: DatasetFiles,
    /// The key that says which configurations are meant.
    chosen_by: &'static str,
    parts: Vec<ItemPart>,
}

/// The files of one configuration.
struct ItemPart {
    config: Option<String>,
    format: DataFormat,
    paths: Vec<String>,
}

/// What was read of a part.
struct ReadPart {
    rows: u64,
    /// Whether no file was left out.
    is_whole: bool,
    /// The same for the same rows.
    content: u64,
}

/// Which files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemReach {
    /// All of them; what is not here is fetched.
    Everything,
    /// Those that the cache has.
    Cached,
}

/// Configurations that a hint writes out.
const MOST_NAMES: usize = 12;

/// Receives a row with the configuration that it is of, where that tells rows apart; or says what
/// is wrong with the row.
pub type ItemVisitor<'a> = dyn FnMut(&ItemRow, Option<&str>) -> Result<(), String> + 'a;

impl<'a> ItemFiles<'a> {
    /// Finds what a task names.
    ///
    /// # Errors
    /// What the hub says; configurations and splits that are not there, with those that are; two
    /// configurations with the same file.
    pub fn find(task: &str, items: &HubItems, hub: &'a Hub<'a>) -> Result<Self> {
        let used_for = RepoUse::Items(task.to_owned());
        let repo = Repo::dataset(items.repo, items.revision);
        let mut found = Self {
            files: DatasetFiles::find_for(&used_for, &repo, hub)?,
            hub,
            used_for,
            chosen_by: match items.configs {
                [] => "repo",
                _ => "configs",
            },
            parts: Vec::new(),
        };
        let mut faults = FoundFaults::default();
        for config in found.chosen(items.configs)? {
            match found.files.rows_of(config.as_deref(), items.split) {
                Ok((format, paths)) => found.parts.push(ItemPart {
                    config,
                    format,
                    paths,
                }),
                Err(error) if error.is::<HubError>() => return Err(error),
                Err(error) => faults.add_error(error, &found.used_for.key("split")),
            }
        }
        faults.none_or_error()?;
        found.check_shared()?;
        Ok(found)
    }

    /// The commit that names the content of every file.
    pub fn commit(&self) -> &str {
        &self.files.commit
    }

    /// The configurations that are meant: those that are named, else all; one without a name where
    /// none has any.
    fn chosen(&self, named: &[String]) -> Result<Vec<Option<String>>> {
        let known = self.files.configs()?;
        if named.is_empty() {
            return Ok(match known.is_empty() {
                true => vec![None],
                false => known.into_iter().map(Some).collect(),
            });
        }
        let mut faults = FoundFaults::default();
        for (index, name) in named.iter().enumerate() {
            if self.files.has_config(name) {
                continue;
            }
            let (title, key) = (self.files.repo.title(), self.used_for.key("configs"));
            let (has, hint) = match known.is_empty() {
                true => (
                    "no configurations, and no folder of that name".to_owned(),
                    format!("leave {key} out"),
                ),
                false => (
                    format!("no such configuration; it has {}", listed(&known)),
                    "write one of those, or leave it out for all of them".to_owned(),
                ),
            };
            faults.add(InputFault::of_key(
                format!("{key}[{index}]"),
                format!("{key} names \"{name}\": {title} has {has}"),
                hint,
            ));
        }
        faults.none_or_error()?;
        Ok(named.iter().cloned().map(Some).collect())
    }

    /// Refuses configurations that have a file in common.
    fn check_shared(&self) -> Result<()> {
        let mut seen: BTreeMap<&str, (&ItemPart, &str)> = BTreeMap::new();
        let mut faults = FoundFaults::default();
        for part in &self.parts {
            for path in &part.paths {
                let entry = self.files.entry(path).filter(|entry| entry.size > 0);
                let hash = entry.and_then(|entry| entry.hash.as_ref());
                let content = hash.map_or(path.as_str(), |hash| hash.digits());
                match seen.insert(content, (part, path)) {
                    None => {}
                    Some((other, first)) if std::ptr::eq(other, part) => {
                        let both = format!("{first} and {path} of {}", self.files.repo.title());
                        faults.add(InputFault::of_key(
                            self.used_for.key("repo"),
                            format!("{both} are the same, and would count twice"),
                            self.used_for.by_hand(),
                        ));
                    }
                    Some((other, _)) => {
                        faults.add(self.twice([other, part], &format!("the rows of {path}")));
                    }
                }
            }
        }
        faults.none_or_error()
    }

    /// Configurations that have something in common.
    fn twice(&self, both: [&ItemPart; 2], what: &str) -> InputFault {
        let [one, other] = both.map(|part| part.config.as_deref().unwrap_or_default());
        // The name that says less.
        let spare = if one == DEFAULT { one } else { other };
        let names = self.parts.iter().filter_map(|part| part.config.as_deref());
        let names: Vec<&str> = names.filter(|name| *name != spare).collect();
        let key = self.used_for.key("configs");
        let hint = if names.len() > MOST_NAMES {
            format!("name all others but {spare} in {key}")
        } else {
            format!("leave {spare} out: {key} = {names:?}")
        };
        InputFault::of_key(
            self.used_for.key(self.chosen_by),
            format!(
                "the configurations {one} and {other} of {} both have {what}, which would count \
                 twice",
                self.files.repo.title()
            ),
            hint,
        )
    }

    /// The name of a part, where it tells its rows apart.
    fn group<'p>(&self, part: &'p ItemPart) -> Option<&'p str> {
        let config = part.config.as_deref();
        config.filter(|name| self.parts.len() > 1 || *name != DEFAULT)
    }

    /// Hands the rows on, file by file.
    ///
    /// # Errors
    /// What cannot be fetched or read; columns that are missing, with those there are; rows that
    /// the visitor refuses, with file and number; configurations with the same rows; no rows at
    /// all.
    pub fn visit(
        &self,
        reach: ItemReach,
        columns: &ItemColumns,
        visit: &mut ItemVisitor,
    ) -> Result<()> {
        let (repo, commit) = (&self.files.repo, &self.files.commit);
        if reach == ItemReach::Everything {
            let all = self.parts.iter().flat_map(|part| &part.paths);
            self.hub.room_for(repo, commit, all.map(String::as_str))?;
        }
        let mut seen: BTreeMap<u64, &ItemPart> = BTreeMap::new();
        let (mut any, mut is_whole, mut left) = (false, true, item_rows::MOST_BYTES);
        for part in &self.parts {
            let read = self.visit_part(part, reach, columns, &mut left, visit)?;
            any |= read.rows > 0;
            is_whole &= read.is_whole;
            if read.rows == 0 || !read.is_whole {
                continue;
            }
            // In files of their own, as of a language and of the default that is this language.
            if let Some(other) = seen.insert(read.content, part) {
                return Err(self.twice([other, part], "the same rows").into());
            }
        }
        if any || !is_whole {
            return Ok(());
        }
        let message = format!("{} has no rows in what is named of it", repo.title());
        let hint = "name another split, or other configurations";
        Err(InputFault::of_key(self.used_for.key("split"), message, hint).into())
    }

    fn visit_part(
        &self,
        part: &ItemPart,
        reach: ItemReach,
        columns: &ItemColumns,
        left: &mut u64,
        visit: &mut ItemVisitor,
    ) -> Result<ReadPart> {
        let (repo, commit) = (&self.files.repo, &self.files.commit);
        let hint = format!("name another dataset, or {}", self.used_for.by_hand());
        let (mut rows, mut is_whole) = (0, true);
        let mut content = DefaultHasher::new();
        for path in &part.paths {
            let here = match reach {
                ItemReach::Everything => Some(self.hub.file(repo, commit, path)?),
                ItemReach::Cached => cached(&self.files, self.hub, path),
            };
            let Some(here) = here else {
                is_whole = false;
                continue;
            };
            let name = format!("{path} of {}", repo.title());
            let mut receive = |number: u64, row: &ItemRow| {
                rows += 1;
                for column in columns.all() {
                    row.get(column).and_then(Value::as_str).hash(&mut content);
                }
                visit(row, self.group(part)).map_err(|problem| {
                    let message = format!("{name}, row {number}: {problem}");
                    InputFault::new(message, hint.clone()).into()
                })
            };
            item_rows::visit(part.format, &here, &name, columns, left, &mut receive)
                .map_err(|error| InputFault::at_key(error, &self.used_for.key("repo")))?;
        }
        Ok(ReadPart {
            rows,
            is_whole,
            content: content.finish(),
        })
    }
}

#[cfg(test)]
#[path = "item_files_tests.rs"]
mod tests;
