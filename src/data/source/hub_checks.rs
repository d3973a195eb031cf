//! What can be wrong with the splits of a hub dataset: that they are not there, that two share
//! whole files, and, of files that the cache has, what a run would stumble over.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;

use super::document::Part;
use super::found_faults::FoundFaults;
use super::rows;
use super::shards::DatasetFiles;
use super::shared_files::{SplitFile, shared_files};
use super::text_column::TextColumn;
use crate::hub::Hub;

/// The splits that a spec names, and the column it wants of them.
pub struct NamedSplits<'a> {
    pub config: Option<&'a str>,
    /// The names of train, validation and test; one that ends in `%` is a share of the first.
    pub splits: [&'a str; 3],
    pub column: &'a TextColumn,
}

impl NamedSplits<'_> {
    /// The splits that have files of their own, and what each is for.
    fn of_files(&self) -> impl Iterator<Item = (Part, &str)> {
        let named = Part::ALL.into_iter().zip(self.splits);
        named.filter(|(_, split)| !split.ends_with('%'))
    }

    /// Checks that every split is there and that no two share files, all of it at once.
    ///
    /// # Errors
    /// As [`DatasetFiles::split`]; files that two splits share.
    pub fn check(&self, files: &DatasetFiles) -> Result<()> {
        let keys: Vec<(&str, &str)> = self
            .of_files()
            .map(|(part, split)| (part.name(), split))
            .collect();
        files.check_splits(self.config, &keys, &self.column.name)?;
        let mut found: [Vec<SplitFile>; 3] = Default::default();
        for (part, split) in self.of_files() {
            let (_, paths) = files.split(self.config, split, &self.column.name)?;
            let list = paths.into_iter().filter_map(|path| {
                let entry = files.entry(&path).filter(|entry| entry.size > 0)?;
                let hash = entry.hash.as_ref().map(|hash| hash.digits().to_owned());
                Some(SplitFile {
                    content: hash.unwrap_or_else(|| path.clone()),
                    key: format!("dataset.{}", part.name()),
                    name: path,
                })
            });
            let [train, validation, test] = &mut found;
            *part.of(train, validation, test) = list.collect();
        }
        let mut faults = FoundFaults::default();
        let remedy = "name another split, or a share of the training documents such as \"0.5%\"";
        let [train, validation, test] = &found;
        for fault in shared_files([train, validation, test], remedy) {
            faults.add(fault);
        }
        faults.none_or_error()
    }

    /// Reads the files that the cache has: JSON and text to the end, of parquet the columns.
    ///
    /// # Errors
    /// What is wrong with their columns and rows, all of it at once.
    pub fn check_cached(&self, files: &DatasetFiles, hub: &Hub) -> Result<()> {
        let mut faults = FoundFaults::default();
        let mut seen = BTreeSet::new();
        for (part, split) in self.of_files() {
            let (format, paths) = files.split(self.config, split, &self.column.name)?;
            for path in paths {
                let Some(here) = cached(files, hub, &path) else {
                    continue;
                };
                if seen.insert(path)
                    && let Err(error) = rows::check(format, &here, self.column)
                {
                    faults.add_error(error, &format!("dataset.{}", part.name()));
                }
            }
        }
        faults.none_or_error()
    }
}

/// A file where the cache has it whole; a damaged one is no mistake of the spec, and is fetched
/// again by a run.
pub fn cached(files: &DatasetFiles, hub: &Hub, path: &str) -> Option<PathBuf> {
    let entry = files.entry(path)?;
    let is_here = hub.has(&files.repo, &files.commit, entry);
    let file = is_here.then(|| hub.file(&files.repo, &files.commit, path));
    file?.ok()
}
