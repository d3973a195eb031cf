//! The files that a spec names: paths and globs as the files that they stand for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use globset::{GlobBuilder, GlobMatcher};

use super::document::Part;
use super::file_hash::sha256_of_input;
use crate::data::recipe::Recipe;
use crate::plan::path::InputPath;

/// The files of the three splits, found and hashed.
pub struct InputFiles {
    train: Vec<InputFile>,
    validation: Vec<InputFile>,
    test: Vec<InputFile>,
}

struct InputFile {
    path: PathBuf,
    sha256: String,
}

impl InputFiles {
    /// Finds the files of every split, then reads each for its hash.
    ///
    /// # Errors
    /// As [`expand`]; a file that cannot be read.
    pub fn find(train: &[InputPath], validation: &[InputPath], test: &[InputPath]) -> Result<Self> {
        let train = expand(train, Part::Train)?;
        let validation = expand(validation, Part::Validation)?;
        let test = expand(test, Part::Test)?;
        Ok(Self {
            train: hashed(train)?,
            validation: hashed(validation)?,
            test: hashed(test)?,
        })
    }

    /// The files of a split, in order.
    pub fn paths(&self, part: Part) -> impl Iterator<Item = &Path> {
        self.of(part).iter().map(|file| file.path.as_path())
    }

    /// Adds the content of every file.
    pub fn add_to(&self, recipe: &mut Recipe) {
        for part in Part::ALL {
            for file in self.of(part) {
                recipe.add(part.name(), &file.sha256);
            }
        }
    }

    fn of(&self, part: Part) -> &[InputFile] {
        part.of(&self.train, &self.validation, &self.test)
    }
}

fn hashed(paths: Vec<PathBuf>) -> Result<Vec<InputFile>> {
    let hash = |path: PathBuf| {
        let sha256 = sha256_of_input(&path)?;
        Ok(InputFile { path, sha256 })
    };
    paths.into_iter().map(hash).collect()
}

/// Folders that a `**` goes down at most.
const DEEPEST: usize = 64;

/// The files that `inputs` name: paths and globs in the order written, the matches of a glob sorted
/// by path.
///
/// # Errors
/// A path without a file, a folder, a glob without a match, no input at all.
fn expand(inputs: &[InputPath], part: Part) -> Result<Vec<PathBuf>> {
    let key = format!("dataset.{}", part.name());
    ensure!(!inputs.is_empty(), "{key} names no files");
    let mut files = Vec::new();
    for input in inputs {
        let path = input.resolve();
        if path.is_file() {
            files.push(path);
        } else if path.is_dir() {
            bail!(
                "{} of {key} is a folder; write a glob such as \"{}/*.txt\"",
                path.display(),
                input.written.trim_end_matches('/')
            );
        } else if is_glob(&input.written) {
            let found = matches(input)
                .with_context(|| format!("cannot expand \"{}\" of {key}", input.written))?;
            ensure!(
                !found.is_empty(),
                "\"{}\" of {key} matches no file below {}",
                input.written,
                fixed_folder(&path).display()
            );
            files.extend(found);
        } else {
            bail!(
                "{} of {key} does not exist; paths are relative to the file that sets them",
                path.display()
            );
        }
    }
    Ok(files)
}

fn is_glob(written: &str) -> bool {
    written.contains(['*', '?', '[', '{'])
}

/// The folder before the first component with a wildcard.
fn fixed_folder(pattern: &Path) -> PathBuf {
    pattern
        .components()
        .take_while(|component| !is_glob(&component.as_os_str().to_string_lossy()))
        .collect()
}

fn matches(input: &InputPath) -> Result<Vec<PathBuf>> {
    // Only what the user wrote is a pattern: the spec's own folder may hold any character.
    let written = input.written.strip_prefix("./").unwrap_or(&input.written);
    let glob = GlobBuilder::new(written)
        .literal_separator(true)
        .empty_alternates(true)
        .build()?
        .compile_matcher();
    let start = fixed_folder(Path::new(written));
    let mut found = Vec::new();
    collect(&input.base, &start, &glob, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(
    base: &Path,
    folder: &Path,
    glob: &GlobMatcher,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<()> {
    let path = base.join(folder);
    if depth > DEEPEST || !path.is_dir() && path != Path::new("") {
        return Ok(());
    }
    let listed = if path == Path::new("") {
        Path::new(".")
    } else {
        &path
    };
    for entry in
        std::fs::read_dir(listed).with_context(|| format!("cannot list {}", listed.display()))?
    {
        let entry = entry.with_context(|| format!("cannot list {}", listed.display()))?;
        let below = folder.join(entry.file_name());
        // A link to a folder is not followed: it may lead back.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(base, &below, glob, depth + 1, found)?;
        } else if glob.is_match(&below) && entry.path().is_file() {
            found.push(base.join(below));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "input_files_tests.rs"]
mod tests;
