//! Tests of `input_files.rs`.

use std::fs;

use super::*;

fn names(folder: &Path, written: &[&str]) -> Result<Vec<String>> {
    let inputs: Vec<InputPath> = written
        .iter()
        .map(|written| InputPath::new(*written, folder))
        .collect();
    Ok(expand(&inputs, Part::Train)?
        .iter()
        .map(|path| path.strip_prefix(folder).unwrap().display().to_string())
        .collect())
}

#[test]
fn globs_are_expanded_in_sorted_order_after_what_is_written_before_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("b/deep")).unwrap();
    for name in [
        "z.txt",
        "a.txt",
        "b/c.txt",
        "b/deep/d.txt",
        "b/e.md",
        "[odd].txt",
    ] {
        fs::write(folder.path().join(name), name).unwrap();
    }
    assert_eq!(
        names(folder.path(), &["z.txt", "b/*.txt"]).unwrap(),
        ["z.txt", "b/c.txt"]
    );
    assert_eq!(
        names(folder.path(), &["**/*.txt"]).unwrap(),
        ["[odd].txt", "a.txt", "b/c.txt", "b/deep/d.txt", "z.txt"]
    );
    assert_eq!(
        names(folder.path(), &["./{a,z}.txt"]).unwrap(),
        ["a.txt", "z.txt"]
    );
    assert_eq!(
        names(folder.path(), &["[odd].txt"]).unwrap(),
        ["[odd].txt"],
        "a file of that very name comes first"
    );
}

#[test]
fn inputs_that_name_no_file_are_errors_that_say_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let error = |written: &str| names(folder.path(), &[written]).unwrap_err().to_string();
    assert!(error("gone.txt").ends_with(
        "gone.txt of dataset.train does not exist; paths are relative to the file that sets \
             them"
    ));
    assert!(
        error("sub")
            .ends_with("sub of dataset.train is a folder; write a glob such as \"sub/*.txt\"")
    );
    assert!(error("sub/*.txt").starts_with("\"sub/*.txt\" of dataset.train matches no file below"));
    assert!(
        error("none/*.txt").starts_with("\"none/*.txt\" of dataset.train matches no file below")
    );
    assert!(error("[z.txt").starts_with("cannot expand \"[z.txt\" of dataset.train"));
    assert_eq!(
        names(folder.path(), &[]).unwrap_err().to_string(),
        "dataset.train names no files"
    );
}
