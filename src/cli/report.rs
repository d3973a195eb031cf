//! `kdpipe report`: the report, from what is stored.

use std::path::Path;

use super::args::Common;
use super::{CommandResult, Exit, print, spec_options};
use crate::record::layout::Layout;
use crate::{plan, report};

pub fn report(path: &Path, template: Option<&Path>, common: &Common) -> CommandResult {
    let loaded = plan::load(path, &spec_options(common)?)?;
    let layout = Layout::new(&common.results, loaded.name());
    let rendered = report::render(&layout, template)?;
    report::write(&layout, &rendered)?;
    if !common.quiet {
        print(&format!(
            "{}\nreport: {}\n",
            rendered.summary.trim_end(),
            layout.report().display()
        ));
    }
    Ok(Exit::Good)
}
