//! The files that a spec names: found, known by what is in them, and hashed. Everything that is
//! wrong with them is told together, each at the entry that names the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cutter::{Cutter, SplitCut};
use super::document::{Part, PieceVisitor, ReadLimit};
use super::file_hash::{FileFacts, file_facts};
use super::found_faults::FoundFaults;
use super::globs;
use super::shared_files::{SplitFile, shared_files};
use super::shares::{self, Shares};
use crate::data::recipe::Recipe;
use crate::plan::InputFault;
use crate::plan::path::InputPath;
use crate::plan::run::{Detokenize, HeldOut, SplitPaths};

/// The files of the three splits, found and hashed.
#[derive(Debug)]
pub struct InputFiles {
    train: Vec<InputFile>,
    /// Empty where it is a share.
    validation: Vec<InputFile>,
    test: Vec<InputFile>,
    /// The shares of the training documents that validation and test are, as they are written.
    shares: [Option<String>; 2],
    cut: SplitCut,
}

/// A file of a split.
#[derive(Debug)]
pub struct InputFile {
    pub path: PathBuf,
    /// The key of the entry that names it, as `dataset.train[1]`.
    pub key: String,
    length: u64,
    sha256: String,
}

impl InputFile {
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// What a source demands of a file, beside that it has something in it: an error that is an
/// [`InputFault`], or one of the disk.
pub type FileCheck<'a> = &'a dyn Fn(&Path, &FileFacts) -> Result<()>;

impl InputFiles {
    /// Finds the files of every split, reads each for its hash, and has it looked at.
    ///
    /// # Errors
    /// All of these together: a path without a file, a folder, a glob without a match, no input at
    /// all; a file that is named twice in a split, or is empty and named by itself, or that `check`
    /// refuses; one of two splits ([`shared_files`]).
    pub fn find(paths: &SplitPaths, check: FileCheck) -> Result<Self> {
        let mut faults = FoundFaults::default();
        let held = [
            (paths.validation, Part::Validation),
            (paths.test, Part::Test),
        ];
        let train = files_of(paths.train, Part::Train, check, &mut faults);
        let [validation, test] = held.map(|(held, part)| match held {
            HeldOut::Share(_) => Vec::new(),
            HeldOut::Files(files) => files_of(files, part, check, &mut faults),
        });
        let shares = held.map(|(held, _)| held.share().map(str::to_owned));
        let [of_validation, of_test] = held.map(|(held, _)| held.share().unwrap_or_default());
        let found = Self {
            train,
            validation,
            test,
            shares,
            cut: SplitCut {
                shares: Shares::new(of_validation, of_test),
                blocks: paths.cut,
            },
        };
        let [train, validation, test] = Part::ALL.map(|part| found.filled(part));
        let remedy = "take it out of one of the two";
        for fault in shared_files([&train, &validation, &test], remedy) {
            faults.add(fault);
        }
        faults.none_or_error().map(|()| found)
    }

    /// The files that a split has of its own, in order.
    pub fn of(&self, part: Part) -> &[InputFile] {
        part.of(&self.train, &self.validation, &self.test)
    }

    /// The share of the training documents that a split is.
    fn share(&self, part: Part) -> Option<&str> {
        let [validation, test] = &self.shares;
        part.of(None, validation.as_deref(), test.as_deref())
    }

    /// Bytes of a split.
    pub fn size(&self, part: Part) -> u64 {
        let all = |files: &[InputFile]| files.iter().map(|file| file.length).sum::<u64>();
        match self.share(part) {
            None => all(self.of(part)),
            Some(_) => (self.cut.shares.of(part) * all(&self.train) as f64) as u64,
        }
    }

    /// The files that a split is read from, and what takes it out of their text.
    pub fn cutter<'a, 'v>(
        &self,
        part: Part,
        reach: ReadLimit,
        detokenize: Detokenize,
        visitor: &'a mut PieceVisitor<'v>,
    ) -> (&[InputFile], Cutter<'a, 'v>) {
        let is_of_train = part == Part::Train || self.share(part).is_some();
        if is_of_train && self.cut.shares.any() {
            let cutter = Cutter::of_share(self.cut, part, reach, detokenize, visitor);
            return (&self.train, cutter);
        }
        (self.of(part), Cutter::of_all(detokenize, visitor))
    }

    /// Adds the content of every file, and the shares.
    pub fn add_to(&self, recipe: &mut Recipe) {
        for part in Part::ALL {
            if let Some(share) = self.share(part) {
                recipe
                    .add(part.name(), share)
                    .add("shares", shares::VERSION);
            }
            for file in self.of(part) {
                recipe.add(part.name(), &file.sha256);
            }
        }
        if self.cut.shares.any() {
            recipe.add_cut(self.cut.blocks);
        }
    }

    /// What a user can do about a split without text.
    pub fn empty_remedy(&self, part: Part) -> String {
        match self.share(part) {
            None => format!("name files with text in dataset.{}", part.name()),
            Some(_) => format!("write a larger share in dataset.{}", part.name()),
        }
    }

    /// The files of a split that have something in them, as those that another may share.
    fn filled(&self, part: Part) -> Vec<SplitFile> {
        let files = self.of(part).iter().filter(|file| !file.is_empty());
        files
            .map(|file| SplitFile {
                content: file.sha256.clone(),
                name: file.path.display().to_string(),
                key: file.key.clone(),
            })
            .collect()
    }
}

/// The files of a split: paths and globs in the order written, the matches of a glob sorted by
/// path.
fn files_of(
    inputs: &[InputPath],
    part: Part,
    check: FileCheck,
    faults: &mut FoundFaults,
) -> Vec<InputFile> {
    let split = format!("dataset.{}", part.name());
    if inputs.is_empty() {
        let message = format!("{split} names no files");
        faults.add(InputFault::of_key(
            &split,
            message,
            "write their paths or a glob",
        ));
    }
    let mut files = Vec::new();
    let mut known: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut has_text = false;
    for (index, input) in inputs.iter().enumerate() {
        let key = format!("{split}[{index}]");
        let NamedFiles { paths, by_glob } = match named_by(input, &split) {
            Ok(named) => named,
            Err(error) => {
                faults.add_error(error, &key);
                continue;
            }
        };
        for path in paths {
            match look_at(&path, check) {
                Ok(facts) => {
                    let place = path.canonicalize().unwrap_or_else(|_| path.clone());
                    if let Some(before) = known.insert(place, input.written.clone()) {
                        faults.add(named_twice(&path, &key, &split, &before, &input.written));
                    }
                    if facts.length == 0 && !by_glob {
                        let message = format!("{} of {split} is empty", path.display());
                        let hint = "take it out, or fetch it again";
                        faults.add(InputFault::of_key(&key, message, hint));
                    }
                    has_text |= facts.length > 0;
                    files.push(InputFile {
                        path,
                        key: key.clone(),
                        length: facts.length,
                        sha256: facts.sha256,
                    });
                }
                Err(error) => {
                    has_text = true;
                    faults.add_error(error, &key);
                }
            }
        }
    }
    if !has_text && !files.is_empty() {
        let message = format!("the files of {split} are all empty");
        faults.add(InputFault::of_key(split, message, "name files with text"));
    }
    files
}

fn look_at(path: &Path, check: FileCheck) -> Result<FileFacts> {
    let facts = file_facts(path)?;
    if facts.length > 0 {
        check(path, &facts)?;
    }
    Ok(facts)
}

/// That a file would count twice; `what` names the files, `key` the entry that names it again.
pub fn named_twice(path: &Path, key: &str, what: &str, before: &str, now: &str) -> InputFault {
    let both = if before == now {
        format!("\"{now}\" is written twice")
    } else {
        format!("\"{before}\" and \"{now}\" name it both")
    };
    InputFault::of_key(
        key,
        format!("{} is twice in {what}: {both}", path.display()),
        "name each file once",
    )
}

/// What an entry names.
pub struct NamedFiles {
    pub paths: Vec<PathBuf>,
    pub by_glob: bool,
}

/// The files that a path or a glob names; `what` is what messages call the files.
///
/// # Errors
/// A path that leads to no file, a glob that matches none, with what to write.
pub fn named_by(input: &InputPath, what: &str) -> Result<NamedFiles> {
    let path = input.resolve();
    let written = &input.written;
    let fault = |message: String, hint: String| Err(InputFault::new(message, hint).into());
    if path.is_file() {
        return Ok(NamedFiles {
            paths: vec![path],
            by_glob: false,
        });
    }
    if path.is_dir() {
        return fault(
            format!("{} of {what} is a folder", path.display()),
            format!(
                "write a glob such as \"{}/*.txt\"",
                written.trim_end_matches('/')
            ),
        );
    }
    if globs::is_glob(written) {
        // Only what the user wrote is a pattern: the spec's own folder may hold any character.
        let paths = globs::matches(&input.base, written)
            .with_context(|| format!("cannot expand \"{written}\" of {what}"))?;
        if paths.is_empty() {
            return fault(
                format!(
                    "\"{written}\" of {what} matches no file below {}",
                    globs::fixed_folder(&path).display()
                ),
                "paths are relative to the file that sets them; a name that begins with a point \
                 needs a pattern that does"
                    .to_owned(),
            );
        }
        return Ok(NamedFiles {
            paths,
            by_glob: true,
        });
    }
    let hint = if written.starts_with('~') {
        "~ is not expanded: write the whole path".to_owned()
    } else {
        "paths are relative to the file that sets them".to_owned()
    };
    fault(format!("{} of {what} does not exist", path.display()), hint)
}

#[cfg(test)]
#[path = "input_files_tests.rs"]
mod tests;
