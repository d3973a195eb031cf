//! An unfinished run: `work/<id>/<attempt>/` with journals, checkpoints, events and `out/`, which
//! becomes the published run.
//!
//! `work/<id>/lock` says who is at it. The folder of an attempt belongs to one process alone:
//! whoever goes on with what another left renames it first, so that a process which was only
//! stopped, and wakes up, finds nothing to write to. Correctness rests on that and on the
//! comparison at publication, never on the lock.

use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow, bail};
use serde_json::Value;

use super::checkpoint::{self, About, Checkpoint};
use super::events::append_event;
use super::journal::Journal;
use super::layout::{self, CHECKPOINTS, Layout, OUT, RunFolder};
use super::metrics::write_metrics;
use super::publish::{Publication, Settled, UNCHECKED, place};
use super::runs::{Failure, is_complete, is_weights};
use super::starts;
use super::store::to_json;
use super::taken_over::TakenOver;
use super::work::{DIFFERENT, LOCK, finish, forget_error, keep_furthest_attempt};
use crate::files::{self, Checksums, Lock, Placed};

/// The journals of an attempt.
pub(super) const METRICS: &str = "metrics.journal";
pub(super) const TIMINGS: &str = "timings.journal";

/// What came of asking for a run.
#[derive(Debug)]
pub enum RunClaim {
    Ours(Box<Attempt>),
    /// Another process is at it; in words.
    HeldBy(String),
    /// It is finished: nothing is left to do.
    Published,
}

/// An unfinished run that this process works on. Dropping it gives the run back, to be gone on
/// with.
#[derive(Debug)]
pub struct Attempt {
    id: String,
    target: RunFolder,
    work: PathBuf,
    folder: PathBuf,
    /// Values of each step.
    pub metrics: Journal,
    /// Times of each step.
    pub timings: Journal,
    /// What was found and mended, a line each.
    pub notes: Vec<String>,
    lock: Lock,
}

impl Attempt {
    /// Takes a run: goes on with what a dead process left, or starts anew.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn open_or_new(layout: &Layout, id: &str) -> Result<RunClaim> {
        let (target, work) = (layout.run(id), layout.work(id));
        if is_complete(&target) {
            return Ok(RunClaim::Published);
        }
        let lock = match Lock::acquire(&work.join(LOCK))? {
            files::LockClaim::Acquired(lock) => lock,
            files::LockClaim::HeldBy(owner) => return Ok(RunClaim::HeldBy(owner)),
        };
        // Whoever had the lock before may have finished.
        if is_complete(&target) {
            finish(&work, lock)?;
            return Ok(RunClaim::Published);
        }
        forget_error(&work)?;
        let mut notes: Vec<String> = lock.taken_over.iter().cloned().collect();
        let folder = work.join(files::unique_name());
        match keep_furthest_attempt(&work)? {
            None => files::create_folders(&folder)?,
            Some(old) => {
                if files::rename_folder(&old, &folder)? == Placed::TargetExists {
                    bail!("{} is there already", folder.display());
                }
            }
        }
        files::remove_tree(&folder.join(OUT))?;
        files::create_folders(&folder.join(OUT))?;
        let checkpoints = folder.join(CHECKPOINTS);
        files::create_folders(&checkpoints)?;
        checkpoint::sweep(&checkpoints)?;
        let metrics = Journal::open(&folder.join(METRICS))?;
        let timings = Journal::open(&folder.join(TIMINGS))?;
        if metrics.dropped > 0 {
            notes.push(format!(
                "the journal of run {id} ended in the middle of a row; {} bytes are dropped",
                metrics.dropped
            ));
        }
        Ok(RunClaim::Ours(Box::new(Self {
            id: id.to_owned(),
            target,
            work,
            folder,
            metrics,
            timings,
            notes,
            lock,
        })))
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// The attempt's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Saves a state after `step` steps, together with the journals so far. The older checkpoints
    /// go once this one was read back.
    ///
    /// # Errors
    /// Anything the disk refuses; what was saved before is then still there.
    pub fn save_checkpoint<N: AsRef<str>, B: AsRef<[u8]>>(
        &mut self,
        step: u64,
        content: &[(N, B)],
        about: &About,
    ) -> Result<()> {
        let content: Vec<(&str, &[u8])> = content
            .iter()
            .map(|(name, bytes)| (name.as_ref(), bytes.as_ref()))
            .collect();
        let folder = self.checkpoints();
        checkpoint::save(
            &folder,
            step,
            &content,
            about,
            &mut self.metrics,
            &mut self.timings,
        )
        .map_err(|error| self.taken_over(error))
    }

    /// The newest checkpoint that is whole; broken ones are set aside with the reason, and noted.
    /// The journals are cut to the steps before it, to nothing where there is none.
    ///
    /// # Errors
    /// A checkpoint of another run, data, format or instruction set, with both values; anything the
    /// disk refuses.
    pub fn newest_valid_checkpoint(&mut self, expected: &About) -> Result<Option<Checkpoint>> {
        self.at_hand()?;
        let folder = self.checkpoints();
        checkpoint::newest(
            &folder,
            expected,
            &mut self.metrics,
            &mut self.timings,
            &mut self.notes,
        )
        .map_err(|error| self.taken_over(error))
    }

    /// Counts this start, from a step, and tells how often the run was started from it before.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn count_start(&self, step: u64) -> Result<u32> {
        self.at_hand()?;
        starts::count(&self.work, step)
    }

    /// Takes the last start back, which ended as it was told to and not for want of anything.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn take_start_back(&self) -> Result<()> {
        self.at_hand()?;
        starts::take_back(&self.work)
    }

    /// Begins the count of starts anew.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn forget_starts(&self) -> Result<()> {
        starts::forget(&self.work)
    }

    /// Steps done at the newest checkpoint.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn last_checkpoint(&self) -> Result<Option<u64>> {
        Ok(checkpoint::steps(&self.checkpoints())?.last().copied())
    }

    fn checkpoints(&self) -> PathBuf {
        self.folder.join(CHECKPOINTS)
    }

    /// Appends to the run's `events.jsonl`.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn event(&self, event: &str, about: &[(&str, Value)]) -> Result<()> {
        append_event(&self.folder.join(layout::EVENTS), event, about)
    }

    /// Writes a file of the finished run, by its path in the run's folder.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn write_out(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        self.at_hand()?;
        files::write_atomically(&self.folder.join(OUT).join(relative), bytes)
            .map_err(|error| self.taken_over(error))
    }

    /// Marks the finished run as one that diverged.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn write_failure(&self, failure: &Failure) -> Result<()> {
        self.write_out(layout::FAILURE, &to_json(failure, "the failure")?)
    }

    /// Finishes the run: adds `metrics.parquet`, `timings.parquet` and `events.jsonl` to what
    /// [`Attempt::write_out`] wrote, then `checksums.toml`, and makes it appear as `runs/<id>/` by
    /// one rename. Checkpoints go only then. Where the run is there already, the two are compared.
    ///
    /// # Errors
    /// Anything the disk refuses; a run that is there with another result, naming the first file
    /// that differs. Nothing is lost then.
    pub fn publish(self) -> Result<Publication> {
        let published = self.place_out().map_err(|error| self.taken_over(error))?;
        finish(&self.work, self.lock)?;
        Ok(published)
    }

    /// Puts the finished run at its place, or settles it with the one that is there.
    fn place_out(&self) -> Result<Publication> {
        let out = self.folder.join(OUT);
        let checksums = self.complete_out(&out)?;
        let target = &self.target.root;
        files::create_folders(target.parent().context("a run has a folder above it")?)?;
        let restore = |file: &str| {
            files::write_atomically(
                &target.join(file),
                &files::read_limited(&out.join(file), u64::MAX - 1)?,
            )
        };
        let lacking = files::missing_files(target).unwrap_or_default();
        if are_only_weights_of(&lacking, target, &checksums) {
            // Its records may name another [evaluate] than ours, and are of the same training.
            let names: Vec<String> = lacking
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            names.iter().try_for_each(|file| restore(file))?;
            return Ok(Publication::Restored(names));
        }
        let rename = || files::rename_folder(&out, target);
        match place(target, &checksums, rename, restore)? {
            Settled::As(publication) => Ok(publication),
            Settled::Different(difference) => match lacking.first() {
                Some(missing) => replace_incomplete(&out, target, missing, &difference),
                None => Err(self.keep_different(&out, &difference)),
            },
        }
    }

    /// Adds journals, events and checksums to the files of the finished run, and flushes them.
    fn complete_out(&self, out: &Path) -> Result<Checksums> {
        write_metrics(&out.join(layout::METRICS), &self.metrics.read()?)?;
        write_metrics(&out.join(layout::TIMINGS), &self.timings.read()?)?;
        let events = self.folder.join(layout::EVENTS);
        if events.exists() {
            let events = files::read_limited(&events, 1 << 30)?;
            files::write_atomically(&out.join(layout::EVENTS), &events)?;
        }
        files::remove_file(&out.join(files::CHECKSUMS))?;
        let mut names = Vec::new();
        list(out, "", &mut names)?;
        names.retain(|name| !UNCHECKED.contains(&name.as_str()));
        let checksums = files::write_checksums(out, &names)?;
        files::sync_folder(out)?;
        Ok(checksums)
    }

    /// Keeps a result that is not the published one where it can be compared, and says so.
    fn keep_different(&self, out: &Path, difference: &str) -> Error {
        let kept = self.work.join(DIFFERENT);
        let moved = files::remove_tree(&kept).and_then(|()| files::rename_folder(out, &kept));
        match moved {
            Ok(_) => anyhow!(
                "{difference}; compare the two with `kdpipe diff {} {}`",
                self.target.root.display(),
                kept.display()
            ),
            Err(error) => error,
        }
    }

    /// Refuses what would make the folder anew that another process renamed, or removed when it had
    /// finished.
    fn at_hand(&self) -> Result<()> {
        let gone = || anyhow!("{} is gone", self.folder.display());
        let is_there = self.folder.exists();
        is_there
            .then_some(())
            .ok_or_else(|| self.taken_over(gone()))
    }

    /// Says why everything fails in an attempt that another process renamed, to go on with it or to
    /// finish it by now. Where all of the run's work is gone, nobody has it.
    fn taken_over(&self, error: anyhow::Error) -> anyhow::Error {
        let is_with_another = self.work.exists() || is_complete(&self.target);
        if self.folder.exists() || !is_with_another {
            return error;
        }
        let id = self.id.clone();
        error.context(TakenOver { id })
    }
}

/// Whether weights are all that a finished run lacks, and `ours` are those that it had.
fn are_only_weights_of(lacking: &[PathBuf], target: &Path, ours: &Checksums) -> bool {
    let Ok(theirs) = files::read_checksums(target) else {
        return false;
    };
    let is_the_same = |file: &PathBuf| {
        let name = file.to_string_lossy();
        is_weights(file)
            && theirs
                .get(&*name)
                .is_some_and(|had| ours.get(&*name) == Some(had))
    };
    !lacking.is_empty() && lacking.iter().all(is_the_same)
}

/// Puts a run where one with another result lies incomplete: kept without its weights, as in a
/// clone, and trained again on another machine. The two cannot be mixed, and only ours is whole.
fn replace_incomplete(
    out: &Path,
    target: &Path,
    missing: &Path,
    difference: &str,
) -> Result<Publication> {
    let missing = missing.display();
    let reason = format!("{missing} was not there, and the run was trained again; {difference}");
    files::set_aside(target, &reason)?;
    match files::rename_folder(out, target)? {
        Placed::Done => Ok(Publication::New),
        Placed::TargetExists => bail!(
            "{} was made by another process at the same moment; run the same command again",
            target.display()
        ),
    }
}

/// Files below a folder as relative paths with `/`, in order.
fn list(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result<()> {
    let entries =
        files::entries(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for (name, path) in entries {
        let relative = format!("{prefix}{name}");
        if path.is_dir() {
            list(&path, &format!("{relative}/"), found)?;
        } else {
            found.push(relative);
        }
    }
    Ok(())
}
