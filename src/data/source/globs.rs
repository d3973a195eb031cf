//! Globs as shells and `datasets` read them.
//!
//! `*`, `?` and `[…]` match within a name, `**` any folders, `{a,b}` is written out before. A name
//! that begins with a point (`._a.txt`, `.ipynb_checkpoints`) is matched by a pattern that begins
//! with one alone. Folders behind links are gone into, also where they lead back, and a file that
//! can be reached by several names is found once, under the first of them.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use globset::{GlobBuilder, GlobMatcher};

/// Patterns that braces may come to.
const MOST_PATTERNS: usize = 1000;

/// Whether a path is a pattern.
pub fn is_glob(written: &str) -> bool {
    written.contains(['*', '?', '[', '{'])
}

/// The folder before the first component with a wildcard.
pub fn fixed_folder(pattern: &Path) -> PathBuf {
    pattern
        .components()
        .take_while(|component| !is_glob(&component.as_os_str().to_string_lossy()))
        .collect()
}

/// The files below `base` that a pattern matches, sorted by path.
///
/// # Errors
/// A pattern that is none, a folder that cannot be listed, a link that leads nowhere.
pub fn matches(base: &Path, written: &str) -> Result<Vec<PathBuf>> {
    let mut walk = GlobWalk::default();
    for pattern in without_braces(written)? {
        let mut steps = pattern
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(GlobStep::new)
            .collect::<Result<Vec<_>>>()?;
        if let Some(GlobStep::Folders) = steps.last() {
            steps.push(GlobStep::new("*")?);
        }
        let is_absolute = pattern.starts_with('/');
        walk.seen.clear();
        walk.go(if is_absolute { Path::new("/") } else { base }, &steps)?;
    }
    walk.found.sort();
    let mut known = BTreeSet::new();
    let mut files = Vec::with_capacity(walk.found.len());
    for path in walk.found {
        let canonical = path
            .canonicalize()
            .with_context(|| format!("{} leads to no file", path.display()))?;
        if known.insert(canonical) {
            files.push(path);
        }
    }
    Ok(files)
}

/// What a part of a pattern matches.
enum GlobStep {
    /// `**`: any folders, or none.
    Folders,
    /// A name without wildcards.
    Name(String),
    Pattern {
        glob: GlobMatcher,
        /// Whether it is written with a point at its beginning.
        hidden: bool,
    },
}

impl GlobStep {
    fn new(part: &str) -> Result<Self> {
        if part == "**" {
            return Ok(Self::Folders);
        }
        if !is_glob(part) && !part.contains('\\') {
            return Ok(Self::Name(part.to_owned()));
        }
        let glob = GlobBuilder::new(part).literal_separator(true).build()?;
        Ok(Self::Pattern {
            glob: glob.compile_matcher(),
            hidden: part.starts_with('.') || part.starts_with("\\."),
        })
    }
}

#[derive(Default)]
struct GlobWalk {
    found: Vec<PathBuf>,
    /// Folders by their place on the disk, and how many steps were left there: what was done once
    /// is not done again, so that links that lead back come to an end.
    seen: BTreeSet<(PathBuf, usize)>,
}

impl GlobWalk {
    /// Looks in `folder` for what the steps match.
    fn go(&mut self, folder: &Path, steps: &[GlobStep]) -> Result<()> {
        let listed = if folder == Path::new("") {
            Path::new(".")
        } else {
            folder
        };
        let (true, Some((step, rest))) = (listed.is_dir(), steps.split_first()) else {
            return Ok(());
        };
        let place = listed
            .canonicalize()
            .with_context(|| format!("cannot list {}", listed.display()))?;
        if !self.seen.insert((place, steps.len())) {
            return Ok(());
        }
        match step {
            GlobStep::Name(name) => self.take(folder.join(name), rest),
            GlobStep::Folders => {
                self.go(folder, rest)?;
                for name in names(listed)? {
                    if !is_hidden(&name) && listed.join(&name).is_dir() {
                        self.go(&folder.join(name), steps)?;
                    }
                }
                Ok(())
            }
            GlobStep::Pattern { glob, hidden } => {
                for name in names(listed)? {
                    if (*hidden || !is_hidden(&name)) && glob.is_match(Path::new(&name)) {
                        self.take(folder.join(name), rest)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Takes what a step matched: a file at the end, a folder before.
    fn take(&mut self, path: PathBuf, rest: &[GlobStep]) -> Result<()> {
        if !rest.is_empty() {
            return self.go(&path, rest);
        }
        if path.is_file() {
            self.found.push(path);
        } else if path.is_symlink() && !path.exists() {
            bail!("{} is a link to a file that is not there", path.display());
        }
        Ok(())
    }
}

/// What is in a folder, by name; links come last, so that what they lead to is found under its own
/// name where it has one.
fn names(folder: &Path) -> Result<Vec<OsString>> {
    let cannot_list = || format!("cannot list {}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot_list)? {
        let entry = entry.with_context(cannot_list)?;
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        names.push((is_link, entry.file_name()));
    }
    names.sort();
    Ok(names.into_iter().map(|(_, name)| name).collect())
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The patterns that one with braces stands for, as `a.txt` and `b.txt` for `{a,b}.txt`.
fn without_braces(pattern: &str) -> Result<Vec<String>> {
    let mut open = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(pattern) = open.pop() {
        match first_braces(&pattern)? {
            None => done.push(pattern),
            Some((before, alternatives, after)) => open.extend(
                alternatives
                    .iter()
                    .rev()
                    .map(|alternative| format!("{before}{alternative}{after}")),
            ),
        }
        ensure!(
            open.len() + done.len() <= MOST_PATTERNS,
            "its braces come to more than {MOST_PATTERNS} patterns"
        );
    }
    Ok(done)
}

/// What is before the first braces, what they hold between commas, and what is behind them.
fn first_braces(pattern: &str) -> Result<Option<(&str, Vec<&str>, &str)>> {
    let (mut depth, mut begin, mut part) = (0, 0, 0);
    let mut alternatives = Vec::new();
    let (mut escaped, mut in_brackets) = (false, false);
    for (at, c) in pattern.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ if in_brackets => {}
            '{' => {
                depth += 1;
                if depth == 1 {
                    (begin, part) = (at, at + 1);
                }
            }
            ',' if depth == 1 => {
                alternatives.push(&pattern[part..at]);
                part = at + 1;
            }
            '}' => {
                ensure!(depth > 0, "a brace is closed that was not opened");
                depth -= 1;
                if depth == 0 {
                    alternatives.push(&pattern[part..at]);
                    return Ok(Some((&pattern[..begin], alternatives, &pattern[at + 1..])));
                }
            }
            _ => {}
        }
    }
    ensure!(depth == 0, "a brace is opened and not closed");
    Ok(None)
}

#[cfg(test)]
#[path = "globs_tests.rs"]
mod tests;
