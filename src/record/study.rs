//! `lock.toml`: what a study consists of, so that `report` and `verify` need neither the inputs nor
//! the machine that trained.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::store::read_toml;
use crate::digest;
use crate::files;
pub use crate::plan::{Arm, Axis, Change, ReportSettings, StudySettings, Trials};

/// The content of `lock.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Study {
    pub format: u32,
    /// Version of kdpipe that wrote it.
    pub version: String,
    pub name: String,
    /// The spec's file as the command named it; absent in studies of older builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<PathBuf>,
    pub description: String,
    /// Runs that had been evaluated when some became others and nothing was changed, as another
    /// version counts otherwise; a change after that is still one after results were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<usize>,
    /// Runs that were evaluated already when this file was written in the place of none that can be
    /// read, as it was removed, say: what had been declared before them is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<usize>,
    /// Hashes of the inputs by role (`dataset`, `tokenizer`, `teacher`, …).
    pub inputs: BTreeMap<String, String>,
    /// Revisions of the hub and the commits that they are held to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hub: Vec<HubPin>,
    /// The axes of the grid in the order of the spec.
    pub axes: Vec<Axis>,
    /// Cells of the grid in order, exclusions left out.
    pub cells: Vec<Cell>,
    /// What `[select]` tried, and what it chose; until then the ids of the runs are not final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<Trials>,
    /// What each arm changes, key by key, against the baseline arm.
    pub arms: Vec<Arm>,
    pub report: ReportSettings,
    /// What the spec sets; absent in studies of older builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<StudySettings>,
    /// Facts of the resolved study that every run shares and the report states.
    pub facts: SetupFacts,
    /// What it was each time when its results were seen and it was then changed, the oldest first;
    /// nothing is ever taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
}

/// A study as it was when its results were seen, before it was changed. Holds no time and no fact
/// of a machine: equal histories are equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// As text, in the order of the grid.
    pub seeds: Vec<String>,
    /// Runs that were evaluated, or had diverged.
    pub finished: usize,
    /// The values of every other axis, by its key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grid: BTreeMap<String, Vec<String>>,
    /// What judges the results: the keys of `[report]` but its template, in words; what is none is
    /// left out.
    pub report: BTreeMap<String, String>,
    /// What was set for the runs or their evaluation and was then changed, by its key, or
    /// `arms.<arm>.<key>` where that arm alone had it; empty where it had none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The hash of then of every input that was exchanged, though the spec names it as before, by
    /// what it is ("dataset").
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    /// The arms that were taken out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub removed: BTreeMap<String, RemovedArm>,
}

/// What an arm was when it was taken out: it may come back as another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedArm {
    /// Version of kdpipe that had stored it.
    pub version: String,
    /// All that was set for it, by key.
    pub settings: BTreeMap<String, String>,
}

/// The commit of a revision of the hub: from the first run on the study uses it, whatever the
/// branch moves to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubPin {
    /// "model" or "dataset".
    pub kind: String,
    pub repo: String,
    /// As the spec has it.
    pub revision: String,
    pub commit: String,
    /// The branch that has the commit, where it is not the revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Axis values as text, by axis key.
    pub at: BTreeMap<String, String>,
    /// The run of this cell; cells that resolve to the same run share it.
    pub run: String,
    /// Key of the evaluation: the folder below `runs/<run>/evals`.
    pub evaluation: String,
    /// Key of the teacher: the folder below `teachers`.
    pub teacher: String,
    /// Key of the teacher's evaluation, below `teachers/<teacher>/evals`.
    pub teacher_evaluation: String,
}

/// What stands between the alternatives of a fact that differs between runs.
pub const ALTERNATIVE: &str = "; or ";

/// What the report says about the set-up, in words made where the spec is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetupFacts {
    pub dataset: String,
    pub tokenizer: String,
    pub teacher: String,
    /// Where the student starts: "random", "teacher" or "dir".
    pub student_init: String,
    /// Balance mode of the spec: "gradient" or "none".
    pub balance: String,
    /// Command that reproduces the study.
    pub command: String,
    /// Label that the study carries in its report (a first run that decides nothing, say), from
    /// `pipeline.note`.
    pub note: Option<String>,
    /// Of each task whose items are of the hub, which dataset they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
}

/// More than the largest grid takes.
const LIMIT: u64 = 64 << 20;
/// The format of `lock.toml`.
pub const STUDY_FORMAT: u32 = 1;

/// How the last line of `lock.toml` begins, which gives the hash of all before it.
const SEAL: &str = "# sha256 of the lines above: ";

/// Writes `lock.toml`; a file that says the same stays untouched.
///
/// # Errors
/// Anything the disk refuses.
pub fn write_study(layout: &Layout, study: &Study) -> Result<()> {
    let mut text = toml::to_string(study).context("the study cannot be written as TOML")?;
    text = format!("{text}{SEAL}{}\n", digest::sha256(text.as_bytes()));
    let path = layout.lock();
    if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    files::write_atomically(&path, text.as_bytes())
}

/// What is wrong with a `lock.toml`, in words; none where it is as it was written.
///
/// # Errors
/// A file that cannot be read.
pub fn verify_study(layout: &Layout) -> Result<Option<String>> {
    let text = files::read_text(&layout.lock(), LIMIT)?;
    let Some(seal) = text.rfind(SEAL) else {
        return Ok(Some("it does not end with its sha256".to_owned()));
    };
    let whole = text[seal..] == format!("{SEAL}{}\n", digest::sha256(&text.as_bytes()[..seal]));
    Ok((!whole)
        .then(|| "it does not have the content that was written (its sha256 differs)".to_owned()))
}

/// Sets a `lock.toml` that is not as it was written, or cannot be read, aside, so that it is
/// written anew, and says so in a line.
///
/// # Errors
/// Anything the disk refuses.
pub fn set_damaged_study_aside(layout: &Layout) -> Result<Option<String>> {
    let path = layout.lock();
    if !path.exists() {
        return Ok(None);
    }
    let damage = match verify_study(layout) {
        Ok(None) => return Ok(None),
        Ok(Some(damage)) => format!("{}: {damage}", path.display()),
        Err(error) => format!("{error:#}"),
    };
    match files::set_aside(&path, &damage) {
        Ok(aside) => Ok(Some(format!(
            "{damage}; it is set aside as {} and written anew",
            aside.display()
        ))),
        // Another process was faster.
        Err(_) if !path.exists() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The pins of `lock.toml`, of whatever format; none where there is no such file.
///
/// # Errors
/// A file that cannot be read, or is damaged.
pub fn read_pins(layout: &Layout) -> Result<Vec<HubPin>> {
    #[derive(Deserialize)]
    struct Pins {
        #[serde(default)]
        hub: Vec<HubPin>,
    }
    let path = layout.lock();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let damage = verify_study(layout)?.map_or(Ok(()), |damage| {
        Err(anyhow!("{} is damaged: {damage}", path.display()))
    });
    let pins: Pins = damage.and_then(|()| read_toml(&path)).context(
        "the commits that this study is held to cannot be read; remove the file, or write them \
         anew with `run --relock`",
    )?;
    Ok(pins.hub)
}

/// Reads `lock.toml`.
///
/// # Errors
/// A file that is missing, damaged or of another format.
pub fn read_study(layout: &Layout) -> Result<Study> {
    let path = layout.lock();
    if let Some(damage) = verify_study(layout)? {
        bail!(
            "{} is damaged: {damage}; restore it, or give `kdpipe run` again, which writes it \
             anew and trains nothing twice",
            path.display()
        );
    }
    let study: Study = read_toml(&path)?;
    anyhow::ensure!(
        study.format == STUDY_FORMAT,
        "{} has format {}, and this version reads {STUDY_FORMAT}: it was written by kdpipe {}",
        path.display(),
        study.format,
        study.version
    );
    Ok(study)
}
