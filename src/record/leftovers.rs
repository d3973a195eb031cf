//! What lies in a study's folder that the study has no use for any more.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use super::layout::{Layout, RunFolder};
use super::work::LOCK;
use crate::files::{self, Lock, LockClaim};

/// What a study consists of: the evaluations of its runs, and those of its teachers, by their keys.
#[derive(Debug, Default)]
pub struct StudyParts {
    pub runs: BTreeMap<String, BTreeSet<String>>,
    pub teachers: BTreeMap<String, BTreeSet<String>>,
}

impl StudyParts {
    /// Adds a run and its teacher, each with its evaluation.
    pub fn add(&mut self, run: [&str; 2], teacher: [&str; 2]) {
        for (parts, [key, evaluation]) in [(&mut self.runs, run), (&mut self.teachers, teacher)] {
            let evaluations = parts.entry(key.to_owned()).or_default();
            evaluations.insert(evaluation.to_owned());
        }
    }
}

/// Something that the study has no use for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    pub path: PathBuf,
    pub kind: LeftoverKind,
    /// Of all files in it.
    pub bytes: u64,
}

/// Why it is no part of the study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftoverKind {
    /// A run that no cell is.
    Run,
    /// A teacher that no run has.
    Teacher,
    /// An evaluation by other settings than those of the spec.
    Evaluation,
    /// An unfinished run that no cell is, and nobody is at.
    Work,
    /// What was found damaged, and set aside.
    SetAside,
}

/// What of the study in `layout` is not `wanted`, by kind and name.
///
/// # Errors
/// A folder that cannot be listed.
pub fn leftovers(layout: &Layout, wanted: &StudyParts) -> Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for (parent, kind, wanted) in [
        (layout.runs(), LeftoverKind::Run, &wanted.runs),
        (layout.teachers(), LeftoverKind::Teacher, &wanted.teachers),
    ] {
        for (name, path) in entries(&parent)? {
            if files::is_set_aside(&name) {
                found.push((LeftoverKind::SetAside, path));
                continue;
            }
            let Some(evaluations) = wanted.get(&name) else {
                found.push((kind, path));
                continue;
            };
            let evaluated = RunFolder { root: path }.evaluations();
            for (name, path) in entries(&evaluated)? {
                if files::is_set_aside(&name) {
                    found.push((LeftoverKind::SetAside, path));
                } else if !evaluations.contains(&name) {
                    found.push((LeftoverKind::Evaluation, path));
                }
            }
        }
    }
    for (name, path) in entries(&layout.all_work())? {
        if !wanted.runs.contains_key(&name) && is_left(&path)? {
            found.push((LeftoverKind::Work, path));
        }
    }
    let own = entries(&layout.root)?.into_iter();
    found.extend(
        own.filter(|(name, _)| files::is_set_aside(name))
            .map(|(_, path)| (LeftoverKind::SetAside, path)),
    );
    found.sort();
    found
        .into_iter()
        .map(|(kind, path)| {
            Ok(Leftover {
                bytes: bytes_of(&path)?,
                path,
                kind,
            })
        })
        .collect()
}

/// Removes it; work that somebody began to be at meanwhile stays, which gives false.
///
/// # Errors
/// Anything the disk refuses.
pub fn remove_leftover(leftover: &Leftover) -> Result<bool> {
    let path = &leftover.path;
    if leftover.kind == LeftoverKind::Work {
        let LockClaim::Acquired(lock) = Lock::acquire(&path.join(LOCK))? else {
            return Ok(false);
        };
        for (name, path) in entries(path)? {
            if name != LOCK {
                files::remove_tree(&path)?;
            }
        }
        drop(lock);
        files::remove_if_empty(path);
    } else {
        files::remove_tree(path)?;
    }
    path.parent().into_iter().for_each(files::remove_if_empty);
    Ok(true)
}

/// Bytes of a file, or of all files in a folder; links are not followed.
///
/// # Errors
/// A folder that cannot be listed.
pub fn bytes_of(path: &Path) -> Result<u64> {
    let Ok(about) = path.symlink_metadata() else {
        return Ok(0);
    };
    if !about.is_dir() {
        return Ok(about.len());
    }
    entries(path)?.iter().map(|(_, path)| bytes_of(path)).sum()
}

/// Whether nobody is at this work: its lock is free for a moment.
fn is_left(work: &Path) -> Result<bool> {
    let claim = Lock::acquire(&work.join(LOCK))?;
    Ok(matches!(claim, LockClaim::Acquired(_)))
}

/// What is in a folder, by name; nothing where there is none. A name that is no text is none of
/// ours, and is left alone.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = match files::entries(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        found => found.with_context(|| format!("cannot list {}", folder.display()))?,
    };
    found.retain(|(name, path)| path.ends_with(name));
    Ok(found)
}

#[cfg(test)]
#[path = "leftovers_tests.rs"]
mod tests;
