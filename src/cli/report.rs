//! `kdpipe report`: the report, from what is stored.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::args::{Common, ReportArguments};
use super::stored::stored_study;
use super::{CommandResult, Exit, print, print_json, say, spec_options};
use crate::files;
use crate::record::layout::Layout;
use crate::report::{Rendered, ReportForm};
use crate::{plan, record, report};

/// Paths that are standard output. By its name it would be opened a second time, and what is
/// printed there would be written over what it has.
const STANDARD_OUTPUT: [&str; 3] = ["-", "/dev/stdout", "/dev/fd/1"];

pub fn report(arguments: &ReportArguments, common: &Common) -> CommandResult {
    let forms = forms(arguments, common)?;
    let loaded = plan::load(&arguments.study.spec, &spec_options(common)?)?;
    let layout = Layout::new(&common.results, loaded.name());
    let stored = stored_study(&loaded, &layout, &arguments.study)?;
    for notice in stored.notices {
        say(&format!("note: {notice}"));
    }
    let template = arguments.template.as_deref();
    let mut rendered = report::render_forms(&layout, stored.study.clone(), template, &forms)?;
    if let Some(path) = &arguments.output {
        // A page elsewhere is not the study's; `verify` holds the study's against what is stored.
        return write_elsewhere(path, &rendered, forms.first().copied(), common);
    }
    let is_printed_alone = forms == [ReportForm::Json];
    if let Some(look) = stored.study.looks.last().filter(|_| stored.has_new_look) {
        say(&format!("note: {}", look.notice()));
    }
    let keep_look = || match stored.has_new_look {
        true => record::write_study(&layout, &stored.study),
        false => Ok(()),
    };
    if forms.contains(&ReportForm::Json) {
        let json = in_form(&rendered, Some(ReportForm::Json))?.to_vec();
        // It is printed; a file of it is kept only where there is one.
        if !ReportForm::kept(&layout).contains(&ReportForm::Json) {
            rendered.leave_out(ReportForm::Json);
        }
        let kept = keep_look().and_then(|()| report::write(&layout, &rendered));
        unless_printed(kept, is_printed_alone)?;
        print(&String::from_utf8_lossy(&json));
        return Ok(Exit::Good);
    }
    keep_look()?;
    report::write(&layout, &rendered)?;
    let of_forms = forms.iter().map(|form| layout.root.join(form.file_name()));
    let written: Vec<PathBuf> = [layout.report()].into_iter().chain(of_forms).collect();
    if !common.quiet {
        print(&in_words(&rendered, &written));
    }
    Ok(Exit::Good)
}

/// Writes the page, or the one form that is asked for, to a place of the user's.
fn write_elsewhere(
    path: &Path,
    rendered: &Rendered,
    form: Option<ReportForm>,
    common: &Common,
) -> CommandResult {
    let bytes = in_form(rendered, form)?;
    if STANDARD_OUTPUT.iter().any(|name| path == Path::new(name)) {
        print(&String::from_utf8_lossy(bytes));
        return Ok(Exit::Good);
    }
    files::write_output(path, bytes)?;
    let written = [path.to_owned()];
    if common.json {
        print_json(&json!({ "written": written }))?;
    } else if !common.quiet {
        print(&in_words(rendered, &written));
    }
    Ok(Exit::Good)
}

/// The report in a form that was asked for, else its page.
fn in_form(rendered: &Rendered, form: Option<ReportForm>) -> Result<&[u8]> {
    match form {
        Some(form) => rendered
            .form(form)
            .context("the report does not have the form that was asked for"),
        None => Ok(rendered.page()),
    }
}

/// The summary, and where the report is.
fn in_words(rendered: &Rendered, written: &[PathBuf]) -> String {
    let mut text = format!("{}\n", rendered.summary.trim_end());
    for path in written {
        text.push_str(&format!("report: {}\n", path.display()));
    }
    text
}

/// What could not be written of a report that is printed is a word: whoever may only read a study
/// gets to see it all the same.
fn unless_printed(written: Result<()>, is_printed: bool) -> Result<()> {
    match written {
        Err(error) if is_printed => {
            say(&format!(
                "note: the report is printed, and not written: {error:#}"
            ));
            Ok(())
        }
        written => written,
    }
}

/// The forms that are asked for; with `-o` it is one.
fn forms(arguments: &ReportArguments, common: &Common) -> anyhow::Result<Vec<ReportForm>> {
    let asked = [
        (arguments.html, ReportForm::Html),
        (arguments.latex, ReportForm::Latex),
        (common.json, ReportForm::Json),
    ];
    let forms: Vec<ReportForm> = asked
        .into_iter()
        .filter_map(|(is_asked, form)| is_asked.then_some(form))
        .collect();
    if arguments.output.is_some() && forms.len() > 1 {
        bail!("-o takes one form of the report; give it with one of --html, --latex and --json");
    }
    Ok(forms)
}
