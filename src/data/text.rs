//! Text files: which ones a spec names, and their content as documents. They may be packed
//! ([`super::archive`]).

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use globset::{GlobBuilder, GlobMatcher};

use super::archive::Archive;
use super::sources::{Part, PieceVisitor, Segments};
use crate::plan::path::InputPath;
use crate::plan::run::Detokenize;

/// Folders that a `**` goes down at most.
const DEEPEST: usize = 64;

/// The files that `inputs` name: paths and globs in the order written, the matches of a glob sorted
/// by path.
///
/// # Errors
/// A path without a file, a folder, a glob without a match, no input at all.
pub fn expand(inputs: &[InputPath], part: Part) -> Result<Vec<PathBuf>> {
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

/// Hands every file to the visitor as one document.
///
/// # Errors
/// A file that cannot be read or unpacked, is not UTF-8 (with the byte at which it stops being so),
/// or has no place to cut in a very long stretch.
pub fn visit(files: &[PathBuf], detokenize: Detokenize, visitor: &mut PieceVisitor) -> Result<()> {
    for file in files {
        let mut segments = Segments::new(detokenize);
        let mut push = |text: &str| {
            segments
                .push(text, visitor)
                .with_context(|| format!("while reading {}", file.display()))
        };
        if read(file, &mut push)?.is_break() || segments.end(visitor)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Bytes read at a time.
const BLOCK: usize = 256 * 1024;

fn read(
    path: &Path,
    receive: &mut dyn FnMut(&str) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut file = Archive::open(path)?;
    let mut buffer = vec![0; BLOCK];
    // The first `held` bytes are the beginning of a character that the block before ended in;
    // `offset` is their place in the text.
    let (mut held, mut offset) = (0, 0);
    loop {
        let count = file.read(&mut buffer[held..])?;
        let block = &buffer[..held + count];
        let valid = match std::str::from_utf8(block) {
            Ok(_) => block.len(),
            Err(error) if error.error_len().is_none() && count > 0 => error.valid_up_to(),
            Err(error) => bail!(
                "{} is not UTF-8: byte {}{} is no part of a character; convert the file (iconv -t \
                 UTF-8) or take it out of the dataset",
                path.display(),
                offset + error.valid_up_to(),
                file.of_what()
            ),
        };
        let text = std::str::from_utf8(&block[..valid]).expect("checked above");
        if receive(text)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if count == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        held = block.len() - valid;
        offset += valid;
        buffer.copy_within(valid..valid + held, 0);
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
