//! `kdpipe check`: every error of every spec.

use std::path::PathBuf;

use super::args::Common;
use super::{
    CommandError, CommandResult, Exit, check_template, counted, hub_to_plan, print, print_error,
    spec_options,
};
use crate::plan;
use crate::record::layout::Layout;
use crate::runner::{StudyInputs, resolve_study};

pub fn check(specs: &[PathBuf], common: &Common) -> CommandResult {
    let options = spec_options(common)?;
    let mut exit = Exit::Good;
    for path in specs {
        let study = match plan::load(path, &options) {
            Ok(loaded) => {
                let hub = hub_to_plan(&loaded, common)?;
                let layout = Layout::new(&common.results, loaded.name());
                resolve_study(loaded, &StudyInputs::to_check(&hub), &layout)
                    .and_then(|study| check_template(&study.loaded).map(|()| study))
            }
            Err(diagnostics) => Err(diagnostics),
        };
        match study {
            Ok(study) => {
                if !common.quiet {
                    let tried = study.trial.as_ref().map_or_else(String::new, |trial| {
                        let runs = counted(trial.runs.len(), "run");
                        format!(" after {runs} of [select]")
                    });
                    print(&format!(
                        "{}: valid, {}{tried}\n",
                        path.display(),
                        counted(study.plan.runs.len(), "run")
                    ));
                    for notice in &study.plan.notices {
                        print(&format!("note: {notice}\n"));
                    }
                }
            }
            Err(diagnostics) => {
                print_error(&CommandError::Spec(diagnostics), common);
                exit = Exit::BadInput;
            }
        }
    }
    Ok(exit)
}
