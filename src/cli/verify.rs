//! `kdpipe verify`: whether the report follows from what is stored, and whether what is stored is
//! what was written.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::args::{Common, StoredArguments};
use super::stored::stored_study;
use super::{CommandResult, Exit, print, say, spec_options};
use crate::files::{self, Mismatch};
use crate::record::layout::{Layout, RunFolder};
use crate::record::study::Study;
use crate::{plan, record, report};

/// What was looked at, and what is wrong with it.
#[derive(Debug, Default)]
struct Findings {
    folders: usize,
    files: usize,
    wrong: Vec<String>,
    /// Weights that are not there, and the table of all steps, which `report` makes again: a
    /// committed study may come without them.
    absent: Vec<String>,
    /// Whether the report was compared: that of a study which is going on is not.
    has_report: bool,
}

pub fn verify(arguments: &StoredArguments, common: &Common) -> CommandResult {
    let loaded = plan::load(&arguments.spec, &spec_options(common)?)?;
    let layout = Layout::new(&common.results, loaded.name());
    let mut findings = Findings::default();
    findings.check_folders(&layout)?;
    // Which cells there are is read from this file alone.
    if layout.lock().exists()
        && let Some(damage) = record::verify_study(&layout)?
    {
        findings.wrong.push(format!("lock.toml: {damage}"));
    } else {
        let stored = stored_study(&loaded, &layout, arguments)?;
        for notice in stored.notices {
            say(&format!("note: {notice}"));
        }
        findings.check_report(&layout, stored.study);
    }
    let unchanged = findings.is_unchanged();
    if common.json {
        print(&format!("{}\n", findings.to_json()));
    } else {
        for line in &findings.wrong {
            print(&format!("wrong: {line}\n"));
        }
        if common.verbose {
            for file in &findings.absent {
                print(&format!("not here: {file}\n"));
            }
        }
        if !common.quiet {
            print(&findings.summary());
        }
    }
    Ok(if unchanged { Exit::Good } else { Exit::Failed })
}

impl Findings {
    fn is_unchanged(&self) -> bool {
        self.wrong.is_empty()
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "unchanged": self.is_unchanged(),
            "folders": self.folders,
            "files": self.files,
            "wrong": self.wrong,
            "absent": self.absent,
            "report_compared": self.has_report,
        })
    }

    fn summary(&self) -> String {
        let verdict = if self.is_unchanged() {
            "all is as it was written"
        } else {
            "not as it was written"
        };
        let absent = self.absent.len();
        let absent = if absent == 0 {
            String::new()
        } else {
            format!("; files that are not here and need not be: {absent}")
        };
        let report = if self.has_report {
            ", and the report"
        } else {
            "; the report was not compared"
        };
        format!(
            "{verdict}: {} files of {} folders by their checksums{report}{absent}\n",
            self.files, self.folders
        )
    }

    /// Every folder of runs, teachers and their evaluations, against its checksums.
    fn check_folders(&mut self, layout: &Layout) -> Result<()> {
        for (parent, holds_runs) in [(layout.runs(), true), (layout.teachers(), false)] {
            for root in folders(&parent)? {
                let folder = RunFolder { root };
                // Of a teacher that came trained there are only evaluations.
                if holds_runs || folder.metrics().exists() {
                    self.check_folder(layout, &folder.root);
                }
                for evaluation in folders(&folder.evaluations())? {
                    self.check_folder(layout, &evaluation);
                }
            }
        }
        Ok(())
    }

    fn check_folder(&mut self, layout: &Layout, folder: &Path) {
        let name = folder
            .strip_prefix(&layout.root)
            .unwrap_or(folder)
            .display()
            .to_string();
        self.folders += 1;
        match files::read_checksums(folder)
            .and_then(|listed| Ok((listed.len(), files::verify_checksums(folder)?)))
        {
            Err(error) => self.wrong.push(format!("{name}: {error:#}")),
            Ok((listed, mismatches)) => {
                self.files += listed;
                for mismatch in mismatches {
                    match mismatch {
                        Mismatch::Missing { file } if record::is_weights(Path::new(&file)) => {
                            self.absent.push(format!("{name}/{file}"))
                        }
                        other => self.wrong.push(format!("{name}: {other}")),
                    }
                }
            }
        }
    }

    /// The report and its figures against what the stored results give.
    fn check_report(&mut self, layout: &Layout, study: Study) {
        let rendered = match report::render(layout, study, None) {
            Ok(rendered) => rendered,
            Err(error) => {
                self.wrong.push(format!(
                    "report.md: the stored results give none: {error:#}"
                ));
                return;
            }
        };
        if rendered.in_work > 0 {
            say(&format!(
                "note: {} of the study's runs are being trained, and the report is of the moment \
                 when it was made: it is not compared",
                rendered.in_work
            ));
            return;
        }
        self.has_report = true;
        for (path, bytes) in &rendered.files {
            match std::fs::read(layout.root.join(path)) {
                Ok(stored) if stored == *bytes => {}
                Ok(stored) => self.wrong.push(format!(
                    "{}: the stored results give other bytes, from line {} on",
                    path.display(),
                    first_differing_line(&stored, bytes)
                )),
                Err(error)
                    if error.kind() == ErrorKind::NotFound
                        && path == Path::new(report::STUDY_METRICS) =>
                {
                    self.absent.push(path.display().to_string())
                }
                Err(error) => self.wrong.push(format!("{}: {error}", path.display())),
            }
        }
    }
}

/// From 1.
fn first_differing_line(a: &[u8], b: &[u8]) -> usize {
    let newline = |byte: &u8| *byte == b'\n';
    let lines = a.split(newline).zip(b.split(newline));
    1 + lines.take_while(|(a, b)| a == b).count()
}

/// The folders in a folder, by name; none where it is not there.
fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let found = match files::entries(parent) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        found => found.with_context(|| format!("cannot list {}", parent.display()))?,
    };
    // What was set aside as broken is no part of the study any more.
    let is_of_the_study =
        |(name, path): &(String, PathBuf)| path.is_dir() && !files::is_set_aside(name);
    let found = found.into_iter().filter(is_of_the_study);
    Ok(found.map(|(_, path)| path).collect())
}
