//! An unfinished run: a lock, a journal, checkpoints, and the place where the finished run is built.
//!
//! Work happens in a folder of the attempt, `work/<id>/<attempt>`, whose name no other process has. Who takes a run over from a process that is gone renames its attempt, so that the
//! other, should it wake up, finds its folder gone and harms nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::checkpoint::{self, Manifest};
use super::journal::{Journal, Row, read_rows};
use super::layout::Layout;
use super::publish::{Files, publish_run};
use crate::files::{Acquired, Lock, create_folder, remove_tree, unique_name};

/// A run that this process works on.
#[derive(Debug)]
pub struct Attempt {
    work: PathBuf,
    folder: PathBuf,
    about: Manifest,
    _lock: Lock,
}

/// What came of asking for a run.
#[derive(Debug)]
pub enum Opened {
    Attempt(Attempt),
    /// Who works on it, in words.
    HeldBy(String),
}

/// A checkpoint's step and files by name.
pub type Resumed = (u64, std::collections::BTreeMap<String, Vec<u8>>);

impl Attempt {
    /// Takes the run `about.run`: the attempt that got furthest is continued, others are dropped.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn open(layout: &Layout, about: Manifest) -> Result<Opened> {
        let work = layout.work(&about.run);
        let lock = match Lock::acquire(&work.join("lock"))? {
            Acquired::Lock(lock) => lock,
            Acquired::HeldBy(owner) => return Ok(Opened::HeldBy(owner)),
        };
        let folder = work.join(unique_name("attempt-"));
        let mut others = attempts(&work)?;
        if let Some(best) = others.pop() {
            std::fs::rename(&best, &folder).with_context(|| format!("cannot take over {}", best.display()))?;
        }
        for other in others {
            remove_tree(&other)?;
        }
        create_folder(&folder)?;
        Ok(Opened::Attempt(Self { work, folder, about, _lock: lock }))
    }

    /// The newest whole checkpoint.
    ///
    /// # Errors
    /// One that belongs to something else.
    pub fn resume(&self) -> Result<Option<Resumed>> {
        checkpoint::newest(&self.checkpoints(), &self.about)
    }

    /// The journal, to go on at `step`.
    ///
    /// # Errors
    /// What the disk says.
    pub fn journal(&self, step: u64) -> Result<Journal> {
        Journal::open(&self.folder.join("journal"), step)
    }

    /// Every row of the journal.
    ///
    /// # Errors
    /// What the disk says.
    pub fn rows(&self) -> Result<Vec<Row>> {
        read_rows(&self.folder.join("journal"))
    }

    /// Saves a checkpoint after `step` steps.
    ///
    /// # Errors
    /// What the disk says.
    pub fn save(&self, step: u64, files: &[(String, Vec<u8>)]) -> Result<()> {
        checkpoint::save(&self.checkpoints(), step, &self.about, files)
    }

    /// Where events are written while the run goes.
    pub fn events(&self) -> PathBuf {
        self.folder.join("events.jsonl")
    }

    /// Where times are written while the run goes.
    pub fn times(&self) -> PathBuf {
        self.folder.join("times")
    }

    /// Publishes the finished run as `to` and drops the attempt, checkpoints and all.
    ///
    /// # Errors
    /// As [`publish_run`].
    pub fn publish(self, to: &Path, files: &Files, times: &Files) -> Result<()> {
        publish_run(&self.folder.join("out"), to, files, times)?;
        remove_tree(&self.folder)?;
        drop(self._lock);
        // Goes only if it is empty: another process may wait in it.
        let _ = std::fs::remove_dir(&self.work);
        Ok(())
    }

    fn checkpoints(&self) -> PathBuf {
        self.folder.join("checkpoints")
    }
}

/// Attempts below `work`, the one with the newest checkpoint last.
fn attempts(work: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(work).with_context(|| format!("cannot list {}", work.display()))? {
        let path = entry.with_context(|| format!("cannot list {}", work.display()))?.path();
        if path.is_dir() {
            let newest = std::fs::read_dir(path.join("checkpoints")).into_iter().flatten().flatten();
            let newest = newest.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok()).max();
            found.push((newest, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> Manifest {
        Manifest { run: "abc".into(), numerics: 1, data: "d".into(), instructions: "avx2".into() }
    }

    fn open(layout: &Layout) -> Attempt {
        match Attempt::open(layout, about()).unwrap() {
            Opened::Attempt(attempt) => attempt,
            Opened::HeldBy(owner) => panic!("held by {owner}"),
        }
    }

    #[test]
    fn an_attempt_goes_on_where_the_last_one_stopped_and_leaves_nothing_when_done() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), "study");
        let row = |step: u64| super::super::evaluation::Values::from([("loss".to_owned(), step as f64)]);
        let first = open(&layout);
        let mut journal = first.journal(0).unwrap();
        (0..5).for_each(|step| journal.append(step, &row(step)).unwrap());
        first.save(3, &[("state".to_owned(), b"three".to_vec())]).unwrap();
        assert!(matches!(Attempt::open(&layout, about()).unwrap(), Opened::HeldBy(_)));
        drop(first);

        let second = open(&layout);
        let (step, files) = second.resume().unwrap().unwrap();
        assert_eq!((step, files["state"].as_slice()), (3, b"three".as_slice()));
        let mut own = second.journal(step).unwrap();
        own.append(3, &row(30)).unwrap();
        // The first process was only asleep: what it writes now reaches nobody.
        let _ = journal.append(5, &row(5));
        let rows = second.rows().unwrap();
        assert_eq!(rows.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(rows[3].1, row(30));
        second.publish(&layout.run("abc").root, &vec![("spec.toml".to_owned(), b"x".to_vec())], &Vec::new()).unwrap();
        assert!(!layout.work("abc").exists());
        assert!(layout.run("abc").spec().exists());
    }
}
