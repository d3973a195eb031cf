//! Checkpoints: `checkpoints/<step>/` with the files of a state and `manifest.toml`, which says
//! what they are.
//!
//! There is no pointer to the newest: it is found by looking. A checkpoint appears by one rename
//! once it is durable; an older one goes only after the newer was read back.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::journal::Journal;
use super::store::read_toml;
use crate::files::{self, Checksum, Checksums, Placed};

/// The format of `manifest.toml`, and of what it promises.
pub const CHECKPOINT_FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.toml";

/// What a checkpoint belongs to. All of it must agree before one is used, the version aside, which
/// is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Id of the run, which is a hash of its spec.
    pub spec: String,
    /// Version of the numerics.
    pub numerics: u32,
    /// Fingerprint of the data.
    pub data: String,
    /// Of a student whose teacher was trained here, the sha256 of that one's weights: its key is of
    /// what it is trained from, and another kind of machine makes other weights of it. Older
    /// versions did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<String>,
    /// Class of instructions that the kernels use; see [`super::instruction_set`].
    pub instructions: String,
    /// Version of kdpipe.
    pub version: String,
}

/// A checkpoint that was made on a machine whose kernels give other bits: only one of its kind can
/// go on with it.
#[derive(Debug)]
pub struct OtherMachine {
    /// The class of the machine that made it.
    pub instructions: String,
    refusal: String,
}

impl fmt::Display for OtherMachine {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.refusal)
    }
}

impl std::error::Error for OtherMachine {}

/// A state to go on from.
#[derive(Debug)]
pub struct Checkpoint {
    /// Steps that are done.
    pub step: u64,
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The content of `manifest.toml`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    step: u64,
    about: About,
    /// The journal of metrics as it was: with less of it the run's record could not be completed.
    metrics: Checksum,
    /// Length of the journal of timings.
    timings_bytes: u64,
    files: Checksums,
}

impl Manifest {
    /// That of a state, with the journals as they are now, which become durable first.
    fn of(
        step: u64,
        content: &[(&str, &[u8])],
        about: &About,
        metrics: &mut Journal,
        timings: &mut Journal,
    ) -> Result<Self> {
        metrics.sync()?;
        timings.sync()?;
        let bytes = metrics.length();
        let sha256 = metrics
            .fingerprint(bytes)?
            .context("the journal became shorter while it was in use")?;
        let files = content
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), Checksum::of(bytes)))
            .collect();
        Ok(Self {
            format: CHECKPOINT_FORMAT,
            step,
            about: about.clone(),
            metrics: Checksum { bytes, sha256 },
            timings_bytes: timings.length(),
            files,
        })
    }
}

/// Only the format, which later versions keep where it is.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Saves a checkpoint with what the journals hold, reads it back, and removes the older ones.
pub(super) fn save(
    folder: &Path,
    step: u64,
    content: &[(&str, &[u8])],
    about: &About,
    metrics: &mut Journal,
    timings: &mut Journal,
) -> Result<()> {
    let manifest = Manifest::of(step, content, about, metrics, timings)?;
    let text = toml::to_string(&manifest)
        .context("the manifest of a checkpoint cannot be written as TOML")?;
    let mut all = content.to_vec();
    all.push((MANIFEST, text.as_bytes()));
    let target = folder.join(step.to_string());
    if files::write_folder(&target, &all)? == Placed::TargetExists {
        // Saved before and resumed from: the same state, unless it was damaged since.
        match load(&target, step, about, metrics)? {
            FoundCheckpoint::Whole(known, _) if known.files == manifest.files => return Ok(()),
            FoundCheckpoint::Whole(..) => {
                bail!(
                    "{} holds another state of the same step: the same run must always give the \
                     same bytes",
                    target.display()
                )
            }
            FoundCheckpoint::Broken(reason) => drop(files::set_aside(&target, &reason)?),
        }
        if files::write_folder(&target, &all)? == Placed::TargetExists {
            bail!("{} cannot be replaced", target.display());
        }
    }
    if let Err(error) = verify(&target, &manifest) {
        files::set_aside(&target, &format!("{error:#}"))?;
        return Err(error.context(format!(
            "the checkpoint of step {step} was not what was written; older ones are kept"
        )));
    }
    for older in steps(folder)?.into_iter().filter(|&other| other != step) {
        discard(folder, &older.to_string())?;
    }
    Ok(())
}

/// Hashes what is on the disk.
fn verify(target: &Path, manifest: &Manifest) -> Result<()> {
    for (name, entry) in &manifest.files {
        if Checksum::of_file(&target.join(name))? != *entry {
            bail!("{name} does not have the content that was written");
        }
    }
    read_toml::<Manifest>(&target.join(MANIFEST)).map(drop)
}

/// Removes a checkpoint so that half of one is never taken for one.
fn discard(folder: &Path, name: &str) -> Result<()> {
    let gone = folder.join(format!(".{name}.gone"));
    files::remove_tree(&gone)?;
    let _ = files::rename_folder(&folder.join(name), &gone)?;
    files::remove_tree(&gone)
}

/// Removes what was being made or removed when a process ended.
pub(super) fn sweep(folder: &Path) -> Result<()> {
    for name in names(folder)?
        .into_iter()
        .filter(|name| name.starts_with('.'))
    {
        files::remove_tree(&folder.join(name))?;
    }
    Ok(())
}

/// Finds the newest checkpoint that is whole, and cuts the journals to it. Broken ones are set
/// aside, told in `notes`.
pub(super) fn newest(
    folder: &Path,
    expected: &About,
    metrics: &mut Journal,
    timings: &mut Journal,
    notes: &mut Vec<String>,
) -> Result<Option<Checkpoint>> {
    for step in steps(folder)?.into_iter().rev() {
        let path = folder.join(step.to_string());
        match load(&path, step, expected, metrics)? {
            FoundCheckpoint::Whole(manifest, files) => {
                metrics.truncate_to(manifest.metrics.bytes)?;
                // Times of a few steps may be lost; they decide nothing.
                if timings.length() > manifest.timings_bytes
                    && timings.truncate_to(manifest.timings_bytes).is_err()
                {
                    timings.clear()?;
                }
                return Ok(Some(Checkpoint { step, files }));
            }
            FoundCheckpoint::Broken(reason) => {
                let aside = files::set_aside(&path, &reason)?;
                notes.push(format!(
                    "the checkpoint of step {step} is broken ({reason}); it is set aside as {}",
                    aside.display()
                ));
            }
        }
    }
    metrics.clear()?;
    timings.clear()?;
    Ok(None)
}

/// The files of a state by name.
type StateFiles = BTreeMap<String, Vec<u8>>;

enum FoundCheckpoint {
    Whole(Box<Manifest>, StateFiles),
    Broken(String),
}

/// Broken is what the content says; an error is what the disk or another version says.
fn load(path: &Path, step: u64, expected: &About, journal: &Journal) -> Result<FoundCheckpoint> {
    let broken = |reason: String| Ok(FoundCheckpoint::Broken(reason));
    let head = path.join(MANIFEST);
    if !head.is_file() {
        return broken(format!("{MANIFEST} is missing"));
    }
    let Ok(Format { format }) = read_toml(&head) else {
        return broken(format!("{MANIFEST} is damaged"));
    };
    if format != CHECKPOINT_FORMAT {
        return refuse(path, "format", &format, &CHECKPOINT_FORMAT);
    }
    let Ok(manifest) = read_toml::<Manifest>(&head) else {
        return broken(format!("{MANIFEST} is damaged"));
    };
    if manifest.step != step {
        return broken(format!("{MANIFEST} speaks of step {}", manifest.step));
    }
    require_same(path, &manifest.about, expected)?;
    let content = match read_content(path, &manifest)? {
        Ok(content) => content,
        Err(reason) => return broken(reason),
    };
    if journal.fingerprint(manifest.metrics.bytes)?.as_ref() != Some(&manifest.metrics.sha256)
        || journal.length() < manifest.metrics.bytes
    {
        return broken("the journal of metrics no longer holds the steps before it".to_owned());
    }
    Ok(FoundCheckpoint::Whole(Box::new(manifest), content))
}

/// Refuses a checkpoint that belongs to something else.
fn require_same(path: &Path, own: &About, expected: &About) -> Result<()> {
    for (what, found, expected) in [
        ("spec", &own.spec, &expected.spec),
        ("data", &own.data, &expected.data),
    ] {
        if found != expected {
            return refuse(path, what, found, expected);
        }
    }
    if let (Some(found), Some(expected)) = (&own.teacher, &expected.teacher)
        && found != expected
    {
        return refuse(path, "teacher", found, expected);
    }
    if own.numerics != expected.numerics {
        return refuse(path, "numerics", &own.numerics, &expected.numerics);
    }
    if own.instructions != expected.instructions {
        let (found, expected) = (&own.instructions, &expected.instructions);
        return Err(OtherMachine {
            instructions: found.clone(),
            refusal: refusal(path, "instructions", found, expected),
        }
        .into());
    }
    Ok(())
}

/// The files of a state; or, as the inner error, what is wrong with one of them.
fn read_content(path: &Path, manifest: &Manifest) -> Result<Result<StateFiles, String>> {
    let mut content = BTreeMap::new();
    for (name, entry) in &manifest.files {
        let is_plain = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let file: PathBuf = path.join(name);
        if !is_plain || !file.is_file() {
            return Ok(Err(format!("{name} is missing")));
        }
        let length = file.metadata().map_or(0, |about| about.len());
        if length != entry.bytes {
            return Ok(Err(format!(
                "{name} has {length} bytes where {} were written",
                entry.bytes
            )));
        }
        let bytes = files::read_limited(&file, entry.bytes)?;
        if Checksum::of(&bytes) != *entry {
            return Ok(Err(format!(
                "the content of {name} is not what was written"
            )));
        }
        content.insert(name.clone(), bytes);
    }
    Ok(Ok(content))
}

fn refuse<T: fmt::Display, R>(path: &Path, what: &str, found: T, expected: T) -> Result<R> {
    bail!(refusal(path, what, found, expected))
}

fn refusal<T: fmt::Display>(path: &Path, what: &str, found: T, expected: T) -> String {
    format!(
        "{} belongs to another run or machine: its {what} is `{found}`, and here it is \
         `{expected}`; go on where it was made, or remove {} to start over",
        path.display(),
        path.parent()
            .and_then(Path::parent)
            .unwrap_or(path)
            .display()
    )
}

/// The steps that there are checkpoints of, in order.
pub(super) fn steps(folder: &Path) -> Result<Vec<u64>> {
    let mut steps: Vec<u64> = names(folder)?
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    steps.sort_unstable();
    Ok(steps)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}
