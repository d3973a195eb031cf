//! The splits of a configuration: which files of a repo each is made of.

use anyhow::{Context, Result, bail};

use super::card::{Card, CardConfig};
use super::data_formats::{is_data, is_of_kind, kind_of_most};
use super::data_patterns::{SplitPatterns, by_name, has_magic, joined, matches};
use super::shard_numbers;

/// What a dataset's only configuration is called where it has no name.
pub const DEFAULT: &str = "default";

/// A split and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFiles {
    pub name: String,
    /// In the order in which they are read, each once.
    pub paths: Vec<String>,
    /// What most of them are; nothing where none is data.
    pub kind: Option<&'static str>,
    /// Whether every file is named by its path, so that a list of all files tells nothing more.
    pub is_named: bool,
    /// Whether what its patterns leave open is the numbers of its files and what comes after them,
    /// or nothing: files that count themselves are then all there are.
    pub is_open_behind_numbers: bool,
}

/// How a repo says what its files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepoLayout {
    /// By its card; by the names of its files where that says nothing of them.
    Card(Card),
    /// As the hub lays out its own copies: `CONFIG/SPLIT/0000.parquet`.
    Copies,
}

impl RepoLayout {
    /// The names of the configurations, where they have any.
    pub fn configs(&self, paths: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Card(card) => card
                .configs
                .iter()
                .map(|config| &config.name)
                .cloned()
                .collect(),
            Self::Copies => paths
                .iter()
                .filter_map(|path| copy(path))
                .map(|c| c.0)
                .collect(),
        };
        names.sort();
        names.dedup();
        names
    }

    /// The configuration that is meant.
    ///
    /// # Errors
    /// One that is not there, or none where there are several, with those that are.
    pub fn config(&self, wanted: Option<&str>, paths: &[&str], title: &str) -> Result<CardConfig> {
        let plain = |name: &str, folder: &str| CardConfig {
            name: name.to_owned(),
            folder: folder.to_owned(),
            splits: None,
            is_default: false,
            unread: None,
        };
        let names = self.configs(paths);
        if let Self::Card(card) = self {
            let found = match wanted {
                None => card.default_config().with_context(|| title.to_owned())?,
                Some(wanted) => card.configs.iter().find(|config| config.name == wanted),
            };
            if let Some(found) = found {
                return Ok(found.clone());
            }
            if names.is_empty() {
                let wanted = wanted.unwrap_or(DEFAULT);
                if wanted == DEFAULT {
                    return Ok(plain(DEFAULT, ""));
                }
                let is_below = |folder: &str| {
                    paths
                        .iter()
                        .any(|path| path.starts_with(&format!("{folder}/")))
                };
                let mut folders = [wanted.to_owned(), format!("data/{wanted}")].into_iter();
                return match folders.find(|folder| is_below(folder)) {
                    Some(folder) => Ok(plain(wanted, &folder)),
                    None => bail!(
                        "dataset.config = \"{wanted}\": {title} has no configurations, and no \
                         folder of that name; leave dataset.config out"
                    ),
                };
            }
        }
        match wanted {
            Some(wanted) if names.iter().any(|name| name == wanted) => Ok(plain(wanted, "")),
            Some(wanted) => bail!(
                "dataset.config = \"{wanted}\": {title} has no such configuration; it has {}",
                listed(&names)
            ),
            None if names.iter().any(|name| name == DEFAULT) => Ok(plain(DEFAULT, "")),
            None if names.len() == 1 => Ok(plain(&names[0], "")),
            None => bail!(
                "dataset.config is absent, and {title} has several: write one of {}",
                listed(&names)
            ),
        }
    }

    /// The splits of a configuration.
    ///
    /// # Errors
    /// Files that the card names and that are not there; patterns that are none.
    pub fn splits(&self, config: &CardConfig, paths: &[&str]) -> Result<Vec<SplitFiles>> {
        match self {
            Self::Card(_) => {
                let patterns = match &config.splits {
                    Some(splits) => splits.clone(),
                    None => by_name(&config.folder, paths)?,
                };
                by_patterns(config, patterns, paths)
            }
            Self::Copies => Ok(of_copies(&config.name, paths)),
        }
    }
}

fn by_patterns(
    config: &CardConfig,
    patterns: SplitPatterns,
    paths: &[&str],
) -> Result<Vec<SplitFiles>> {
    let mut splits = Vec::new();
    for (name, patterns) in patterns {
        let mut files: Vec<&str> = Vec::new();
        for pattern in &patterns {
            let mut found = matches(pattern, &config.folder, paths)?;
            found.retain(|path| is_data(path));
            if found.is_empty() && !has_magic(pattern) {
                bail!(
                    "its card names {pattern:?} as a file of the split \"{name}\", and there is \
                     none of a known kind"
                );
            }
            found.retain(|path| !files.contains(path));
            files.extend(found);
        }
        let kind = kind_of_most(&files);
        if let (None, Some(kind)) = (&config.splits, kind) {
            files.retain(|path| is_of_kind(path, kind));
        }
        // By names the first rule that finds any file holds, which numbered files are of.
        let is_open_behind_numbers = config.splits.is_none()
            || (patterns.iter())
                .filter(|pattern| has_magic(pattern))
                .all(|pattern| begins_with_a_stem(pattern, &config.folder, &files));
        splits.push(SplitFiles {
            name,
            paths: files.into_iter().map(str::to_owned).collect(),
            kind,
            is_open_behind_numbers,
            is_named: !patterns.iter().any(|pattern| has_magic(pattern)),
        });
    }
    Ok(splits)
}

/// Whether a pattern names everything before the number of some file: `data/train-*`, and not
/// `data/*/train-*`.
fn begins_with_a_stem(pattern: &str, folder: &str, files: &[&str]) -> bool {
    let literal = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    let literal = joined(folder, literal);
    let mut stems = files.iter().filter_map(|path| shard_numbers::stem(path));
    stems.any(|stem| literal.starts_with(&format!("{stem}-")))
}

fn of_copies(config: &str, paths: &[&str]) -> Vec<SplitFiles> {
    let mut splits: Vec<SplitFiles> = Vec::new();
    for path in paths {
        let Some((_, split)) = copy(path).filter(|(of, _)| of == config) else {
            continue;
        };
        match splits.iter_mut().find(|known| known.name == split) {
            Some(known) => known.paths.push((*path).to_owned()),
            None => splits.push(SplitFiles {
                name: split,
                paths: vec![(*path).to_owned()],
                kind: Some("parquet"),
                is_named: false,
                is_open_behind_numbers: false,
            }),
        }
    }
    splits
}

/// Configuration and split of one of the hub's copies.
fn copy(path: &str) -> Option<(String, String)> {
    let (folders, name) = path.strip_suffix(".parquet")?.rsplit_once('/')?;
    let (config, split) = folders.rsplit_once('/')?;
    name.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| (config.to_owned(), split.to_owned()))
}

/// At most a dozen names.
pub fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(12)].join(", ");
    match names.len() - names.len().min(12) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
#[path = "config_splits_tests.rs"]
mod tests;
