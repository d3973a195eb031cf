//! `kdpipe report`: the report, from what is stored.

use std::path::Path;

use super::args::Common;
use super::{Exit, Outcome, print, spec_options};
use crate::record::layout::Layout;
use crate::{report, spec};

pub fn report(path: &Path, template: Option<&Path>, common: &Common) -> Outcome {
    let loaded = spec::load(path, &spec_options(common)?)?;
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
