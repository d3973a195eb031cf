//! Tests of `folders.rs`.

use super::*;

#[test]
fn what_lies_in_a_folder_is_listed_by_name_and_no_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("b"), "").unwrap();
    std::fs::create_dir(at("a")).unwrap();
    std::fs::write(at("a/inside"), "").unwrap();
    let named = |name: &str| (name.to_owned(), at(name));
    assert_eq!(
        entries(folder.path()).unwrap(),
        [named("a"), named("b")],
        "what lies deeper is not listed"
    );
    let error = entries(&at("c")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(entries(&at("b")).is_err(), "a file is no folder");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_listed_and_its_path_leads_to_it() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(b"a\xff"));
    std::fs::write(&path, "").unwrap();
    let expected = [("a\u{fffd}".to_owned(), path)];
    assert_eq!(entries(folder.path()).unwrap(), expected);
}
