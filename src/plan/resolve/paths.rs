//! Paths that begin with `~`: a shell makes a home folder of it, before a program sees it.

use super::super::path::{InputPath, TildePath};
use super::super::run::{ItemSource, TeacherSpec, TokenizerSpec};
use super::super::written::WrittenRun;
use super::CellReport;

/// Refuses paths that only a shell would understand.
pub(super) fn check_paths(run: &WrittenRun, report: &mut CellReport) {
    let mut check = |key: &str, path: &InputPath| {
        if let Some(TildePath { reason, remedy }) = path.tilde() {
            let message = format!("{key} = \"{}\": {reason}", path.written);
            report.problem(key, message, remedy);
        }
    };
    if let Some(files) = run.dataset.files() {
        let (validation, test) = (files.validation.files(), files.test.files());
        for (split, paths) in [
            ("train", files.train),
            ("validation", validation),
            ("test", test),
        ] {
            for (index, path) in paths.iter().enumerate() {
                check(&format!("dataset.{split}[{index}]"), path);
            }
        }
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
    for (name, task) in &run.evaluate.tasks {
        if let Some(ItemSource::Files(files)) = task.source() {
            for (index, path) in files.iter().enumerate() {
                check(&format!("evaluate.tasks.{name}.files[{index}]"), path);
            }
        }
    }
}
