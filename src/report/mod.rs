//! The report of a study, from what lies in its results folder alone: nothing here trains,
//! evaluates or downloads, and the same folder gives the same bytes.
//!
//! [`render`] goes through these steps:
//!
//! 1. read everything that is stored ([`data`], [`curves`]);
//! 2. put the cells into a frame, group them by all axes but the seed ([`frame`], [`axes`]), and
//!    make the groups the rows of the tables ([`rows`]);
//! 3. compare the rows with their baselines ([`analysis`]: [`pairing`], [`contrasts`], [`nulls`],
//!    with the mathematics of [`statistics`] and the words of [`verdict`]);
//! 4. draw the figures ([`figures`]);
//! 5. gather what a template may say ([`context`]), and fill the template ([`template`]).
//!
//! [`write`] stores the result. Before anything is looked at, [`power`] plans how many seeds there
//! should be, by the spread of a [`pilot`]; what was seen before it was changed is told by
//! [`looks`].

mod analysis;
mod axes;
mod blocks;
mod budgets;
mod closeness;
mod comparison;
mod context;
mod contrasts;
mod curves;
mod data;
mod delivery;
mod elsewhere;
mod eval_numbers;
mod figures;
mod format;
mod forms;
mod frame;
mod html;
mod json;
mod latex;
mod looks;
mod markdown_page;
mod nulls;
mod ordering;
mod pairing;
mod pilot;
pub mod power;
mod primary;
mod question;
mod questions;
mod recorded_runs;
mod rows;
mod sensitivity;
mod statistics;
mod study_metrics;
mod template;
mod told;
mod typed_axes;
mod verdict;

#[cfg(test)]
mod test_fixture;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::files;
use crate::plan::InputFault;
use crate::record::layout::{Layout, RunFolder};
use crate::record::read_study;
use crate::record::study::Study;
use crate::table;
pub use pilot::{Pilot, PilotComparison, pilot};

pub use comparison::{KeyDifference, StudyComparison, compare_studies};
pub use forms::ReportForm;
pub use statistics::{t_quantile, text_error};

/// The table of all steps of all runs, beside the report. It holds what the runs' own tables hold,
/// and a study may be passed on without it.
pub const STUDY_METRICS: &str = "metrics.parquet";

/// A report that is not yet written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The page first. Paths below the study's folder, with their contents: `report.md`,
    /// `figures/*.svg`, `runs.csv`, `runs.parquet`, `metrics.parquet`,
    /// and the forms that were asked for or lie there.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// The few lines that a terminal shows at the end of a study.
    pub summary: String,
    /// Runs that living processes are training: with each of their steps, the report is another.
    pub in_work: usize,
}

impl Rendered {
    /// The content of `report.md`.
    pub fn page(&self) -> &[u8] {
        &self.files[0].1
    }

    /// The report in a form that was asked for.
    pub fn form(&self, form: ReportForm) -> Option<&[u8]> {
        let mut files = self.files.iter();
        let file = files.find(|(path, _)| path == Path::new(form.file_name()))?;
        Some(&file.1)
    }

    /// Takes a form out, so that it is not written.
    pub fn leave_out(&mut self, form: ReportForm) {
        self.files
            .retain(|(path, _)| path != Path::new(form.file_name()));
    }
}

/// Looks whether the template that a study names can be used, before there is anything to report.
///
/// # Errors
/// A mistake at the key that names it.
pub fn check_template(named: &str) -> Result<(), InputFault> {
    template::check(named).map_err(|error| {
        let hint = "template is a path from the working folder; write \"report.md.j2\" for the \
                    built-in one";
        InputFault::of_key("report.template", format!("{error:#}"), hint)
    })
}

/// Renders the report of `study`, which lies in `layout`, with `template` or else the one that the
/// study names; in the forms, too, that lie in its folder.
///
/// # Errors
/// Records that cannot be read, a template that cannot be read or filled (with line and column).
pub fn render(layout: &Layout, study: Study, template: Option<&Path>) -> Result<Rendered> {
    render_forms(layout, study, template, &[])
}

/// As [`render`], in `forms` too.
///
/// # Errors
/// As [`render`].
pub fn render_forms(
    layout: &Layout,
    study: Study,
    template: Option<&Path>,
    forms: &[ReportForm],
) -> Result<Rendered> {
    let Material {
        data,
        drawn,
        context,
    } = Material::read(layout, study)?;
    let source = template::source(template, &data.study.report.template.written)?;
    let report = template::fill(&source, &context)?;
    let kept = ReportForm::kept(layout).into_iter();
    let kept = kept.filter(|form| !forms.contains(form));
    let forms = forms.iter().copied().chain(kept).map(|form| {
        let bytes = form.of(&report, &drawn, &context)?;
        Ok((PathBuf::from(form.file_name()), bytes))
    });
    let forms: Vec<(PathBuf, Vec<u8>)> = forms.collect::<Result<_>>()?;
    let ends = recorded_runs::last_values(&data);
    let runs = frame::table(&data, &ends)?;
    let metrics = study_metrics::study_metrics(&data, &ends)?;
    let mut files = vec![
        (PathBuf::from("report.md"), report.into_bytes()),
        (PathBuf::from("runs.csv"), runs.to_csv()?),
        (PathBuf::from("runs.parquet"), table::to_parquet(&runs)?),
        (PathBuf::from(STUDY_METRICS), metrics),
    ];
    files.extend(forms);
    files.extend(
        drawn
            .into_iter()
            .map(|figure| (PathBuf::from(figure.path()), figure.svg.into_bytes())),
    );
    Ok(Rendered {
        files,
        summary: context.summary(),
        in_work: context.counts.in_work,
    })
}

/// All that a report is made of, but for its template.
#[derive(Debug)]
pub struct Material {
    data: data::StudyData,
    drawn: Vec<figures::Figure>,
    context: context::Context,
}

impl Material {
    /// Reads what is stored of a study and draws its figures.
    ///
    /// # Errors
    /// Results that cannot be put into a frame.
    pub fn read(layout: &Layout, study: Study) -> Result<Self> {
        let data = data::StudyData::read(layout, study);
        let analysis = analysis::Analysis::new(&data)?;
        let drawn = figures::draw(&data, &analysis)?;
        let context = context::Context::new(&data, &analysis, &drawn)?;
        Ok(Self {
            data,
            drawn,
            context,
        })
    }

    /// The page that a template makes of it; `name` is what errors call the template.
    ///
    /// # Errors
    /// A template that cannot be filled (with line and column).
    pub fn page(&self, name: &str, template: &str) -> Result<String> {
        template::fill(
            &template::TemplateSource {
                name: name.to_owned(),
                text: template.to_owned(),
            },
            &self.context,
        )
    }
}

/// Renders the report and writes it, again where something was published meanwhile: of several
/// processes at one folder, whoever writes last has seen everything.
///
/// # Errors
/// As [`render`] and [`write`].
pub fn update(layout: &Layout) -> Result<Rendered> {
    loop {
        let before = published(layout);
        let rendered = render(layout, read_study(layout)?, None)?;
        write(layout, &rendered)?;
        if published(layout) == before {
            return Ok(rendered);
        }
    }
}

/// The folders of finished runs, teachers and evaluations.
fn published(layout: &Layout) -> BTreeSet<PathBuf> {
    let inside = |folder: PathBuf| {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
    };
    let models = [layout.runs(), layout.teachers()];
    let models: Vec<PathBuf> = models.into_iter().flat_map(inside).collect();
    let evaluations = |root: &PathBuf| RunFolder { root: root.clone() }.evaluations();
    let evaluations: Vec<PathBuf> = models.iter().map(evaluations).flat_map(inside).collect();
    models.into_iter().chain(evaluations).collect()
}

/// Writes a report into the study's folder. Figures of an older report that this one does not have
/// are removed.
///
/// # Errors
/// Anything the disk refuses.
pub fn write(layout: &Layout, rendered: &Rendered) -> Result<()> {
    files::create_folders(&layout.figures())?;
    for (path, bytes) in &rendered.files {
        files::write_atomically(&layout.root.join(path), bytes)?;
    }
    let Ok(entries) = std::fs::read_dir(layout.figures()) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let kept = path
            .strip_prefix(&layout.root)
            .is_ok_and(|name| rendered.files.iter().any(|(path, _)| path == name));
        if !kept && path.extension().is_some_and(|extension| extension == "svg") {
            files::remove_file(&path)?;
        }
    }
    Ok(())
}
