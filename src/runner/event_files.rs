//! Event files of runs and teachers: which are written, where to, and from which rows. They are an
//! extra: one that cannot be written costs a notice, and its run nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Error, Result};

use super::{Event, Site};
use crate::plan::run::TrainSpec;
use crate::plan::{Plan, PlannedRun, run_spec_toml};
use crate::record::layout::RunFolder;
use crate::record::{Attempt, MetricsRow, read_metrics};
use crate::recorded::SECONDS;
use crate::tensorboard::{EventFile, EventRow, RunSummary, folder_name, has_events};

/// The event file of a training.
pub(super) struct RunEvents {
    folder: PathBuf,
    summary: RunSummary,
}

impl RunEvents {
    /// That of the run at `index`, if one is asked for.
    pub fn of_run(plan: &Plan, index: usize, site: &Site) -> Option<Self> {
        // Runs of one id, which differ in how they are measured, are trained once.
        let id = &plan.runs[index].id;
        let index = plan.runs.iter().position(|run| run.id == *id)?;
        let run = &plan.runs[index];
        let cell = plan.cells.iter().find(|cell| cell.run == index);
        Some(Self {
            folder: root(&run.spec.train, site)?.join(folder_name(&run.label, id)),
            summary: RunSummary {
                // What has no form in TOML has failed before.
                text: in_markdown("run", id, &run_spec_toml(&run.spec).unwrap_or_default()),
                settings: cell.map(|cell| cell.at.clone()).unwrap_or_default(),
            },
        })
    }

    /// That of the teacher of a run, which is trained by `settings`, if one is asked for.
    pub fn of_teacher(run: &PlannedRun, settings: &TrainSpec, site: &Site) -> Option<Self> {
        let key = &run.teacher_key;
        let settings_in_toml = toml::to_string(&run.spec.teacher).unwrap_or_default();
        Some(Self {
            folder: root(settings, site)?.join(format!("teacher {key}")),
            summary: RunSummary {
                text: in_markdown("teacher", key, &settings_in_toml),
                settings: BTreeMap::new(),
            },
        })
    }

    /// Begins the file with the steps that an attempt has recorded.
    ///
    /// # Errors
    /// Journals that cannot be read, and anything the disk refuses.
    pub fn begin(&self, attempt: &Attempt) -> Result<EventFile> {
        let rows = rows(attempt.metrics.read()?, attempt.timings.read()?);
        EventFile::begin(&self.folder, &self.summary, &rows)
    }

    /// Writes the file of a finished training, unless it is there: folders are called by a run's
    /// label, and what lies in one may be of an earlier run, or of a part of this one.
    pub fn write_once(&self, folder: &RunFolder, site: &Site) {
        let written = read_metrics(&folder.metrics()).and_then(|metrics| {
            // Times are extras, and may be missing.
            let times = read_metrics(&folder.timings()).unwrap_or_default();
            let rows = rows(metrics, times);
            if has_events(&self.folder, &self.summary, &rows) {
                return Ok(());
            }
            EventFile::begin(&self.folder, &self.summary, &rows).map(drop)
        });
        if let Err(error) = written {
            site.tell(&Event::Notice(&without_events(&error)));
        }
    }
}

/// Writes the files of those runs at `indices` that are finished and have none.
pub(super) fn write_event_files<'a>(
    plan: &Plan,
    indices: impl Iterator<Item = &'a usize>,
    site: &Site,
) {
    for &index in indices {
        let folder = site.layout.run(&plan.runs[index].id);
        if let Some(events) = RunEvents::of_run(plan, index, site)
            && folder.metrics().exists()
        {
            events.write_once(&folder, site);
        }
    }
}

/// The notice that a training goes on without its event file.
pub(super) fn without_events(error: &Error) -> String {
    format!("no more events for TensorBoard are written of a run: {error:#}")
}

/// The folder that the folders of all trainings are in, if they are asked for.
fn root(train: &TrainSpec, site: &Site) -> Option<PathBuf> {
    match site.tensorboard {
        Some(folder) => {
            let name = site.layout.root.file_name();
            Some(name.map_or_else(|| folder.to_owned(), |name| folder.join(name)))
        }
        None => train.tensorboard.then(|| site.layout.tensorboard()),
    }
}

fn in_markdown(what: &str, id: &str, toml: &str) -> String {
    format!("{what} `{id}`\n\n```toml\n{toml}```\n")
}

/// Rows with their times, where those are known.
fn rows(metrics: Vec<MetricsRow>, times: Vec<MetricsRow>) -> Vec<EventRow> {
    let times: BTreeMap<u64, f64> = times
        .into_iter()
        .filter_map(|(step, values)| Some((step, *values.get(SECONDS)?)))
        .collect();
    let row = |(step, values)| EventRow {
        step,
        seconds: times.get(&step).copied(),
        values,
    };
    metrics.into_iter().map(row).collect()
}
