//! `kdpipe report`: the report, from what is stored.

use anyhow::{Context, bail};
use serde_json::json;

use super::args::{Common, ReportArguments};
use super::stored::stored_study;
use super::{CommandResult, Exit, print, print_json, say, spec_options};
use crate::files;
use crate::record::layout::Layout;
use crate::report::{Rendered, ReportForm};
use crate::{plan, record, report};

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
    // A page elsewhere is not the study's; `verify` holds the study's against what is stored.
    if stored.has_new_look && arguments.output.is_none() {
        if let Some(look) = stored.study.looks.last() {
            say(&format!("note: {}", look.notice()));
        }
        record::write_study(&layout, &stored.study)?;
    }
    let of = |rendered: &Rendered, form| {
        let bytes = rendered.form(form).map(<[u8]>::to_vec);
        bytes.context("the report does not have the form that was asked for")
    };
    let mut written = Vec::new();
    if let Some(path) = &arguments.output {
        let bytes = match forms.first() {
            Some(&form) => of(&rendered, form)?,
            None => rendered.page().to_vec(),
        };
        files::write_atomically(path, &bytes)?;
        written.push(path.clone());
    } else if forms.contains(&ReportForm::Json) {
        let json = of(&rendered, ReportForm::Json)?;
        // It is printed; a file of it is kept only where there is one.
        if !ReportForm::kept(&layout).contains(&ReportForm::Json) {
            rendered.leave_out(ReportForm::Json);
        }
        report::write(&layout, &rendered)?;
        print(&String::from_utf8_lossy(&json));
        return Ok(Exit::Good);
    } else {
        report::write(&layout, &rendered)?;
        written.push(layout.report());
        written.extend(forms.iter().map(|form| layout.root.join(form.file_name())));
    }
    if common.json {
        print_json(&json!({ "written": written }))?;
    } else if !common.quiet {
        let mut text = format!("{}\n", rendered.summary.trim_end());
        for path in written {
            text.push_str(&format!("report: {}\n", path.display()));
        }
        print(&text);
    }
    Ok(Exit::Good)
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
