//! `kdpipe check`: every error of every spec.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::Common;
use super::{
    CommandError, CommandResult, Exit, check_template, counted, hub_to_plan, json_errors, print,
    print_error, print_json, spec_options,
};
use crate::plan::{self, Diagnostics, Overrides, Plan};
use crate::runner::StudyInputs;

pub fn check(specs: &[PathBuf], common: &Common) -> CommandResult {
    let options = spec_options(common)?;
    let mut exit = Exit::Good;
    let mut verdicts = Vec::new();
    for path in specs {
        match checked(path, &options, common) {
            Ok(plan) if common.json => verdicts.push(json!({
                "spec": path,
                "valid": true,
                "runs": plan.runs.len(),
                "notices": plan.notices,
                "diagnostics": [],
            })),
            Ok(plan) => tell(path, &plan, common),
            Err(CommandError::Spec(diagnostics)) => {
                exit = Exit::BadInput;
                verdicts.push(json!({
                    "spec": path,
                    "valid": false,
                    "diagnostics": json_errors::list(&diagnostics),
                }));
                print_error(&CommandError::Spec(diagnostics), common);
            }
            Err(error) => return Err(error),
        }
    }
    if common.json {
        print_json(&json!({ "valid": exit == Exit::Good, "specs": verdicts }))?;
    }
    Ok(exit)
}

fn checked(path: &Path, options: &Overrides, common: &Common) -> Result<Plan, CommandError> {
    let loaded = plan::load(path, options)?;
    let hub = hub_to_plan(&loaded, common)?;
    let plan: Result<Plan, Diagnostics> = loaded
        .resolve(&StudyInputs::to_check(&hub))
        .and_then(|plan| check_template(&loaded).map(|()| plan));
    Ok(plan?)
}

fn tell(path: &Path, plan: &Plan, common: &Common) {
    if common.quiet {
        return;
    }
    print(&format!(
        "{}: valid, {}\n",
        path.display(),
        counted(plan.runs.len(), "run")
    ));
    for notice in &plan.notices {
        print(&format!("note: {notice}\n"));
    }
}
