//! `kdpipe report`: the report, from what is stored.

use super::args::{Common, ReportArguments};
use super::stored::stored_study;
use super::{CommandResult, Exit, print, say, spec_options};
use crate::files;
use crate::record::layout::Layout;
use crate::{plan, record, report};

pub fn report(arguments: &ReportArguments, common: &Common) -> CommandResult {
    let loaded = plan::load(&arguments.study.spec, &spec_options(common)?)?;
    let layout = Layout::new(&common.results, loaded.name());
    let stored = stored_study(&loaded, &layout, &arguments.study)?;
    for notice in stored.notices {
        say(&format!("note: {notice}"));
    }
    let rendered = report::render(&layout, stored.study.clone(), arguments.template.as_deref())?;
    // A page elsewhere is not the study's; `verify` holds the study's against what is stored.
    if stored.has_new_look && arguments.output.is_none() {
        if let Some(look) = stored.study.looks.last() {
            say(&format!("note: {}", look.notice()));
        }
        record::write_study(&layout, &stored.study)?;
    }
    let page = match &arguments.output {
        Some(path) => {
            files::write_atomically(path, rendered.page())?;
            path.clone()
        }
        None => {
            report::write(&layout, &rendered)?;
            layout.report()
        }
    };
    if !common.quiet {
        print(&format!(
            "{}\nreport: {}\n",
            rendered.summary.trim_end(),
            page.display()
        ));
    }
    Ok(Exit::Good)
}
