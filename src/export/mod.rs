//! A finished student as a folder that is ready to upload: its files, a card that says how it was
//! made and how good it is beside its teacher, and the same in the forms that the hub reads
//! (`yaml`); as a GGUF file, too, where that is asked for (`gpt2_gguf`).
//!
//! Everything comes from the run's record and the study's `lock.toml`; nothing is measured anew, so
//! that the same run gives the same bytes.

mod card;
mod gpt2_gguf;
mod measured;
mod yaml;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files;
use crate::plan::run::RunSpec;
use crate::record::layout::{Layout, RunFolder};
use crate::record::study::Study;
use crate::record::{self, Depth, damage, is_complete, read_failure, read_spec, read_study};

use card::card;
use gpt2_gguf::write_gguf;
use measured::MeasuredModels;

/// The name of the card.
const CARD: &str = "README.md";
/// The name of the GGUF file.
const GGUF: &str = "model-f32.gguf";
/// Where the hub looks for results, and the file of them.
const RESULTS: &str = ".eval_results/kdpipe.yaml";
/// More than the card of any student takes.
const LONGEST_CARD: u64 = 16 << 20;

/// A finished run, with all that is told of it.
struct FinishedRun {
    id: String,
    /// What the folder is called that it goes to.
    name: String,
    spec: RunSpec,
    /// What the study knew of its inputs; nothing where the run lies by itself.
    study: Option<Study>,
    measured: Option<MeasuredModels>,
}

/// Writes the student of a run's folder (`results/NAME/runs/ID`) to a folder that is new or empty,
/// and tells the files.
///
/// # Errors
/// A folder that is no finished run, whose weights are gone or damaged; a target that has something
/// in it; a model that GGUF cannot hold, where it is asked for; anything the disk refuses.
pub fn export(run: &Path, target: &Path, gguf: bool) -> Result<Vec<PathBuf>> {
    let folder = RunFolder {
        root: run.to_owned(),
    };
    refuse_unfinished(&folder)?;
    refuse_full(target)?;
    let finished = read_run(&folder, target)?;
    let student = folder.student();
    let mut written = Vec::new();
    // First of all, for a model may be one that GGUF cannot hold: then the folder is still empty.
    if gguf {
        write_gguf(&student, &finished.name, &target.join(GGUF))?;
    }
    let mut copied = Vec::new();
    collect(&student, Path::new(""), &mut copied)?;
    copied.sort();
    for file in copied.iter().filter(|file| *file != Path::new(CARD)) {
        copy(&student.join(file), &target.join(file))?;
        written.push(file.clone());
    }
    written.extend(gguf.then(|| PathBuf::from(GGUF)));
    let stored = files::read_text(&student.join(CARD), LONGEST_CARD)?;
    files::write_atomically(
        &target.join(CARD),
        card(&finished, &stored, gguf).as_bytes(),
    )?;
    written.push(CARD.into());
    if let Some(results) = yaml::eval_results(&finished) {
        files::write_atomically(&target.join(RESULTS), results.as_bytes())?;
        written.push(RESULTS.into());
    }
    Ok(written)
}

fn refuse_unfinished(folder: &RunFolder) -> Result<()> {
    let shown = folder.root.display();
    if !folder.spec().is_file() {
        bail!("{shown} is no run of a study; give its folder, results/NAME/runs/ID");
    }
    if let Some(failure) = read_failure(folder)? {
        bail!(
            "the run {shown} diverged ({}); it has no student",
            failure.reason
        );
    }
    if let Some(damaged) = damage(&folder.root, Depth::Weights)? {
        bail!(
            "{shown} is not what was written: {damaged}; run the study again, which sets it aside"
        );
    }
    if !is_complete(folder) {
        bail!(
            "{shown} lacks files, its weights perhaps; `kdpipe run SPEC --weights` makes them again"
        );
    }
    Ok(())
}

/// A folder that has something in it may be somebody's work.
fn refuse_full(target: &Path) -> Result<()> {
    let is_new = match fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !target.exists(),
    };
    if is_new {
        return Ok(());
    }
    bail!(
        "{} has something in it; give a new folder",
        target.display()
    )
}

fn read_run(folder: &RunFolder, target: &Path) -> Result<FinishedRun> {
    let spec = read_spec(folder)?;
    let whole = folder.root.canonicalize();
    let whole = whole.with_context(|| format!("cannot find {}", folder.root.display()))?;
    let id = whole.file_name().unwrap_or_default();
    let id = id.to_string_lossy().into_owned();
    let study_folder = whole.parent().and_then(Path::parent);
    let layout = study_folder.map(|root| Layout {
        root: root.to_owned(),
    });
    let layout = layout.filter(|layout| layout.lock().is_file());
    let study = layout.as_ref().map(read_study).transpose()?;
    let measured = match (&layout, &study) {
        (Some(layout), Some(study)) => MeasuredModels::of(&id, layout, study)?,
        _ => None,
    };
    let name = std::path::absolute(target).ok();
    let name = name.as_deref().and_then(Path::file_name);
    Ok(FinishedRun {
        name: name.map_or_else(|| id.clone(), |name| name.to_string_lossy().into_owned()),
        id,
        spec,
        study,
        measured,
    })
}

/// The files below a folder, by their paths from it.
fn collect(folder: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let here = folder.join(below);
    let entries = fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(folder, &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut file =
        fs::File::open(from).with_context(|| format!("cannot open {}", from.display()))?;
    files::write_by(to, &mut |out| {
        std::io::copy(&mut file, out)?;
        Ok(())
    })
}

impl FinishedRun {
    /// The commit of a repo of the hub at a revision, by its kind.
    fn commit(&self, kind: &str, repo: &str, revision: &str) -> Option<&str> {
        let mut pins = self.study.as_ref()?.hub.iter();
        let pin = pins.find(|pin| pin.kind == kind && pin.repo == repo && pin.revision == revision);
        Some(pin?.commit.as_str())
    }
}

/// Reads what an evaluation found, where it is there.
fn evaluation_of(folder: &RunFolder, key: &str) -> Result<Option<record::evaluation::Evaluation>> {
    if record::has_evaluation(folder, key) {
        return record::read_evaluation(&folder.evaluation(key)).map(Some);
    }
    Ok(None)
}
