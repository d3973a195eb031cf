//! The stored study as the spec at hand sees it: for `report` and `verify`, which take the spec at
//! its word, and for `status` and `clean`, which show what there is.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use super::CommandError;
use super::args::StoredArguments;
use crate::plan::{Diagnostics, Loaded, SettingChange, StudySettings, Trials};
use crate::record::layout::Layout;
use crate::record::study::Study;
use crate::record::{self};

/// How many differences are named.
const NAMED: usize = 5;

/// A study as the spec at hand sees it.
pub struct StoredStudy {
    pub study: Study,
    /// What the user should know.
    pub notices: Vec<String>,
    /// It is judged otherwise than it was when its results were seen: its last look is not stored
    /// yet.
    pub has_new_look: bool,
}

/// The study in `layout`, with `[report]` and `[pipeline]` as the spec has them now; with
/// `--as-stored`, as it was run.
///
/// # Errors
/// Nothing that is stored; a study of another spec, with what differs.
pub fn stored_study(
    loaded: &Loaded,
    layout: &Layout,
    arguments: &StoredArguments,
) -> Result<StoredStudy, CommandError> {
    refuse_nothing(layout, &arguments.spec)?;
    refuse_another_spec(layout, &arguments.spec)?;
    let stored = record::read_study(layout)?;
    if arguments.as_stored {
        return Ok(StoredStudy {
            study: stored,
            notices: Vec::new(),
            has_new_look: false,
        });
    }
    let chosen = with_choice(loaded, &stored)?;
    let loaded = chosen.as_ref().unwrap_or(loaded);
    let notices = refuse_other_settings(loaded, &stored, &arguments.spec)?;
    let mut study = stored.clone();
    study.arms = loaded.arms();
    study.report = loaded.report_settings();
    (study.description, study.facts.note) = loaded.description_and_note();
    let look = record::look_before_change(layout, &stored, &study);
    let has_new_look = look.is_some();
    study.looks.extend(look);
    Ok(StoredStudy {
        study,
        notices,
        has_new_look,
    })
}

fn refuse_nothing(layout: &Layout, spec: &Path) -> Result<()> {
    if layout.lock().exists() {
        return Ok(());
    }
    bail!(
        "{} holds no study yet: `kdpipe run {}` makes it",
        layout.root.display(),
        spec.display()
    )
}

/// Refuses the folder of a study whose spec is another file. One that is not there any more was
/// moved, and one with the same content is a copy.
///
/// # Errors
/// Another spec, with both files.
pub fn refuse_another_spec(layout: &Layout, spec: &Path) -> Result<()> {
    // What is wrong with a damaged study is told where it is read.
    let Some(stored) = record::read_study(layout).ok().and_then(|study| study.spec) else {
        return Ok(());
    };
    let (Ok(known), Ok(own)) = (stored.canonicalize(), spec.canonicalize()) else {
        return Ok(());
    };
    let is_copy = || std::fs::read(&known).ok() == std::fs::read(&own).ok();
    if known == own || is_copy() {
        return Ok(());
    }
    bail!(
        "{} holds the study of {}, and {} has the same name; give one of them another \
         pipeline.name, or another folder with --results",
        layout.root.display(),
        stored.display(),
        spec.display()
    )
}

/// Refuses a stored study whose runs are not those of the spec; the lines are about paths that are
/// written otherwise.
fn refuse_other_settings(loaded: &Loaded, study: &Study, spec: &Path) -> Result<Vec<String>> {
    let settings = study.settings.as_ref().with_context(|| {
        format!(
            "the study was stored by kdpipe {}, which did not note what its spec set; \
             `kdpipe run {}` notes it, and --as-stored shows what there is",
            study.version,
            spec.display()
        )
    })?;
    let differences = differences(loaded, study, settings);
    if !differences.of_runs.is_empty() {
        return Err(anyhow!(
            "the stored study is of another spec: {}; `kdpipe run {}` brings it up to date, \
             and --as-stored shows what there is",
            differences.named(),
            spec.display()
        ));
    }
    let notice =
        |change: &SettingChange| format!("{change}; only `run` looks whether that is the same");
    Ok(differences.of_paths.iter().map(notice).collect())
}

/// How the spec at hand differs from a stored study, for commands that show what is stored.
pub struct OtherSpec {
    /// In words.
    pub words: String,
    /// It has other axes or takes out other cells, and sets nothing otherwise: what both have are
    /// the same runs.
    pub is_same_elsewhere: bool,
}

/// That the runs of a stored study are not those of the spec at hand; none where they are, or where
/// the study does not say what its spec set.
pub fn other_spec(loaded: &Loaded, study: &Study) -> Option<OtherSpec> {
    // What was chosen may be nothing that another spec can take: then it differs anyway.
    let chosen = with_choice(loaded, study).ok().flatten();
    let loaded = chosen.as_ref().unwrap_or(loaded);
    let found = differences(loaded, study, study.settings.as_ref()?);
    (!found.of_runs.is_empty()).then(|| OtherSpec {
        words: format!(
            "this is the study as it was run last, and the spec is another now: {}",
            found.named()
        ),
        is_same_elsewhere: !found.sets_otherwise,
    })
}

/// The spec with what the study's `[select]` chose; none where nothing was chosen.
fn with_choice(loaded: &Loaded, study: &Study) -> Result<Option<Loaded>, Diagnostics> {
    let choice = study.trials.as_ref().and_then(Trials::choice);
    choice.map(|choice| loaded.with_choice(&choice)).transpose()
}

/// What a spec sets otherwise than the stored study has it.
struct Differences {
    /// Paths that are written otherwise, which may lead to the same files.
    of_paths: Vec<SettingChange>,
    /// All others: the runs are not the same.
    of_runs: Vec<String>,
    /// Some are of what cells set that both have.
    sets_otherwise: bool,
}

impl Differences {
    /// The first of those of the runs, and how many more there are.
    fn named(&self) -> String {
        let named = self.of_runs.len().min(NAMED);
        let words = self.of_runs[..named].join(", ");
        match self.of_runs.len() - named {
            0 => words,
            more => format!("{words}, and {more} more"),
        }
    }
}

fn differences(loaded: &Loaded, study: &Study, settings: &StudySettings) -> Differences {
    let (of_paths, changes): (Vec<_>, Vec<_>) = loaded
        .changes_since(settings)
        .into_iter()
        .partition(|change| change.is_path);
    let tried = study.trials.as_ref().map_or(&[][..], |trials| &trials.axes);
    let mut of_runs = loaded.axes_since(&study.axes, tried);
    of_runs.extend(changes.iter().map(ToString::to_string));
    if !loaded.has_cells(study.cells.iter().map(|cell| &cell.at)) && of_runs.is_empty() {
        of_runs.push("grid.exclude takes out other cells".to_owned());
    }
    Differences {
        of_paths,
        of_runs,
        sets_otherwise: !changes.is_empty(),
    }
}
