//! `kdpipe check`: every error of every spec.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::Common;
use super::{
    CommandError, CommandResult, Exit, check_template, counted, hub_to_plan, json_errors, print,
    print_error, print_json, spec_options,
};
use crate::plan::{self, Overrides};
use crate::record::layout::Layout;
use crate::report;
use crate::runner::{ResolvedStudy, StudyInputs, resolve_study};

pub fn check(specs: &[PathBuf], common: &Common) -> CommandResult {
    let options = spec_options(common)?;
    let mut exit = Exit::Good;
    let mut verdicts = Vec::new();
    for path in specs {
        match checked(path, &options, common) {
            Ok(study) if common.json => verdicts.push(json!({
                "spec": path,
                "valid": true,
                "runs": study.plan.runs.len(),
                "runs_of_select": study.trial.as_ref().map(|trial| trial.runs.len()),
                "notices": study.plan.notices,
                "diagnostics": [],
            })),
            Ok(study) => tell(path, &study, common),
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

fn checked(
    path: &Path,
    options: &Overrides,
    common: &Common,
) -> Result<ResolvedStudy, CommandError> {
    let loaded = plan::load(path, options).map_err(|mut wrong| {
        let template = plan::fault_of_template(path, options, report::check_template);
        wrong.0.extend(template);
        wrong.sorted()
    })?;
    let template = check_template(&loaded);
    let hub = hub_to_plan(&loaded, common)?;
    let layout = Layout::new(&common.results, loaded.name());
    match (
        resolve_study(loaded, &StudyInputs::to_check(&hub), &layout),
        template,
    ) {
        (Ok(study), Ok(())) => Ok(study),
        (Ok(_), Err(wrong)) | (Err(wrong), Ok(())) => Err(wrong.into()),
        (Err(mut wrong), Err(more)) => {
            wrong.0.extend(more.0);
            Err(wrong.sorted().into())
        }
    }
}

fn tell(path: &Path, study: &ResolvedStudy, common: &Common) {
    if common.quiet {
        return;
    }
    let tried = study.trial.as_ref().map_or_else(String::new, |trial| {
        format!(" after {} of [select]", counted(trial.runs.len(), "run"))
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
