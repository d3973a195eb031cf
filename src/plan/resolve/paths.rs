//! Paths that begin with `~`: a shell makes a home folder of it, before a program sees it.

use std::path::{Component, Path};

use super::super::path::InputPath;
use super::super::run::{DatasetSpec, TeacherSpec, TokenizerSpec};
use super::super::written::WrittenRun;
use super::CellReport;

/// Refuses paths that only a shell would understand.
pub(super) fn check_paths(run: &WrittenRun, report: &mut CellReport) {
    let mut check = |key: &str, path: &InputPath| {
        if let Some((message, hint)) = why_not(key, path) {
            report.problem(key, message, hint);
        }
    };
    match &run.dataset {
        DatasetSpec::Text {
            train,
            validation,
            test,
            ..
        }
        | DatasetSpec::Parquet {
            train,
            validation,
            test,
            ..
        } => {
            for (split, paths) in [("train", train), ("validation", validation), ("test", test)] {
                for (index, path) in paths.iter().enumerate() {
                    check(&format!("dataset.{split}[{index}]"), path);
                }
            }
        }
        DatasetSpec::Synthetic { .. } | DatasetSpec::Hub { .. } => {}
    }
    match &run.tokenizer {
        TokenizerSpec::Dir { path } => check("tokenizer.path", path),
        TokenizerSpec::Train { .. } | TokenizerSpec::Hub { .. } => {}
    }
    match &run.teacher {
        TeacherSpec::Dir { path, .. } => check("teacher.path", path),
        TeacherSpec::Train { .. } | TeacherSpec::Hub { .. } => {}
    }
    if let Some(folder) = &run.student.init_dir {
        check("student.init_dir", folder);
    }
}

/// What is wrong with a path that begins with `~`, where there is no folder of that name, and what
/// to write for it.
fn why_not(key: &str, path: &InputPath) -> Option<(String, String)> {
    let written = Path::new(&path.written);
    let mut parts = written.components();
    let Some(Component::Normal(first)) = parts.next() else {
        return None;
    };
    let name = first.to_str()?;
    // `~notes.txt` is the name of a file.
    let is_home = name == "~" || name.starts_with('~') && parts.clone().next().is_some();
    if !is_home || path.base.join(first).exists() {
        return None;
    }
    let home = std::env::home_dir().filter(|home| name == "~" && !home.as_os_str().is_empty());
    let hint = match home {
        Some(home) => format!(
            "write \"{}\" for \"{}\"",
            home.join(parts.as_path()).display(),
            path.written
        ),
        None => format!("write the home folder's own path for {name}"),
    };
    let message = format!(
        "{key} = \"{}\": a shell makes a home folder of {name}, and kdpipe does not",
        path.written
    );
    Some((message, hint))
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
