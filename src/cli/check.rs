//! `kdpipe check`: every error of every spec.

use std::path::PathBuf;

use super::args::Common;
use super::{
    CommandError, CommandResult, Exit, counted, hub_to_plan, print, print_error, spec_options,
};
use crate::plan;
use crate::runner::StudyInputs;

pub fn check(specs: &[PathBuf], common: &Common) -> CommandResult {
    let options = spec_options(common)?;
    let mut exit = Exit::Good;
    for path in specs {
        let plan = match plan::load(path, &options) {
            Ok(loaded) => loaded.resolve(&StudyInputs::to_check(&hub_to_plan(&loaded, common)?)),
            Err(diagnostics) => Err(diagnostics),
        };
        match plan {
            Ok(plan) => {
                if !common.quiet {
                    print(&format!(
                        "{}: valid, {}\n",
                        path.display(),
                        counted(plan.runs.len(), "run")
                    ));
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
